import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';

/** A real file from beside the repository. Where it is absent, the test that asks for it is skipped and says why. */
export function realFile(name: string, { skip }: TestContext): string {
  const path = fileURLToPath(new URL(`../../shared/data/${name}`, import.meta.url));
  skip(!existsSync(path), `there is no ../shared/data/${name}`);
  return path;
}
