import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rejected, SourceBatch } from '@millrace/core';
import { z } from 'zod';
import type { Event } from '../simulation/item.ts';

export const event = z.object({ id: z.string(), key: z.string(), n: z.number(), at: z.number() });

/** How often new files are looked for, and how long reading waits from one batch to the next, in ms. */
const LOOK = 10;
const PACE = 12;
/** Elements of a batch, at most. */
const BATCH = 9;

/** The name of the directory that says that nothing more will come. */
export const END = 'end';

/** Where reading is: at a position of the file, and so many elements behind it. */
export interface Place {
  readonly file: unknown;
  readonly skip: number;
}

/** Files that appear in a directory, a directory of them at a time. */
export async function* filesOfWaves(folder: string, signal: AbortSignal): AsyncGenerator<readonly string[], void, undefined> {
  const known = new Set<string>();
  while (!signal.aborted) {
    const waves = (await readdir(folder)).sort();
    for (const wave of waves.filter((name) => name.startsWith('wave') && !known.has(name))) {
      known.add(wave);
      const files = (await readdir(join(folder, wave))).filter((name) => name.endsWith('.jsonl'));
      yield files.sort().map((file) => join(folder, wave, file));
    }
    if (waves.includes(END)) return;
    await pause(LOOK);
  }
}

/** Fulfilled when nothing more will come, or nobody wants it. */
export async function untilEnd(folder: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await readdir(folder)).includes(END)) await pause(LOOK);
}

/** The engine reads a small file in one batch: here its elements come a few at a time, and slowly. */
export async function* inPieces(
  batch: SourceBatch<Event, unknown>,
  { file, skip }: Place,
): AsyncGenerator<SourceBatch<Event, Place>, void, undefined> {
  const rejected = batch.rejected?.map((each): Rejected => ({ ...each, place: (each.value as { readonly id: string }).id }));
  for (let at = skip; ; at += BATCH) {
    await pause(PACE);
    const values = batch.values.slice(at, at + BATCH);
    if (at + BATCH < batch.values.length) yield { values, position: { file, skip: at + BATCH } };
    else return yield { values, position: { file: batch.position, skip: 0 }, ...(rejected !== undefined && { rejected }) };
  }
}

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time * (0.5 + Math.random())));
}
