import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defineSource, type Rejected, type Source, type SourceBatch } from '@millrace/core';
import { jsonLines } from '@millrace/core/node';
import { z } from 'zod';
import type { SourceDefinition } from '../src/operators/connector.ts';
import type { Event } from '../simulation/item.ts';

const event = z.object({ id: z.string(), key: z.string(), n: z.number(), at: z.number() });

/** How often new files are looked for, and how long reading waits from one batch to the next, in ms. */
const LOOK = 10;
const PACE = 12;
/** Elements of a batch, at most. */
const BATCH = 9;

/** The name of the directory that says that no further ones will come. */
export const END = 'end';

/**
 * Files of events in directories that appear while the job runs, a wave of them at a time. Each file is read by the engine's own source of
 * JSON lines, slowly.
 */
export function waveSource(folder: string, concurrent: number): Source<Event> {
  return defineSource<Event, Place>({
    name: 'waves',
    bounded: true,
    concurrentSplits: concurrent,
    open: async () => {
      const reader = await (jsonLines(join(folder, '*', '*'), event).definition as unknown as SourceDefinition<Event, unknown>).open();
      return {
        async *splits({ signal }) {
          const known = new Set<string>();
          while (!signal.aborted) {
            const waves = (await readdir(folder)).sort();
            for (const wave of waves.filter((name) => name.startsWith('wave') && !known.has(name))) {
              known.add(wave);
              yield (await readdir(join(folder, wave))).sort().map((file) => join(folder, wave, file));
            }
            if (waves.includes(END)) return;
            await pause(LOOK);
          }
        },
        async *read(split, from, context) {
          let place = from ?? { file: undefined, skip: 0 };
          for await (const batch of reader.read(split, place.file, context)) {
            yield* inPieces(batch, place.file, place.skip);
            place = { file: batch.position, skip: 0 };
          }
        },
      };
    },
  });
}

/** Where reading is: at a position of the file, and so many elements behind it. */
interface Place {
  readonly file: unknown;
  readonly skip: number;
}

/** The engine reads a small file in one batch: here its elements come a few at a time. */
async function* inPieces(batch: SourceBatch<Event, unknown>, file: unknown, skip: number): AsyncGenerator<SourceBatch<Event, Place>> {
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
