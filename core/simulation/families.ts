import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Family } from './family.ts';

const HOUSE = new URL('../../', import.meta.url);

/** The files of the packages beside this one that add to random jobs: the core names none of them. */
export function familyFiles(): readonly string[] {
  return readdirSync(HOUSE)
    .sort()
    .map((folder) => fileURLToPath(new URL(`${folder}/chaos/family.ts`, HOUSE)))
    .filter(existsSync);
}

/** What they add. Where everything is put in one file, this module is another: see `chaos/workerBundle.ts`. */
export const FAMILIES: readonly Family[] = await Promise.all(
  familyFiles().map(async (file) => ((await import(file)) as { readonly family: Family }).family),
);
