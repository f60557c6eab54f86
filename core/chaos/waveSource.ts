import { join } from 'node:path';
import { defineSource, type Source } from '@millrace/core';
import { jsonLines } from '@millrace/core/node';
import type { Event } from '../simulation/item.ts';
import type { SourceDefinition } from '../src/operators/connector.ts';
import { event, filesOfWaves, inPieces, type Place } from './waves.ts';

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
        splits: ({ signal }) => filesOfWaves(folder, signal),
        async *read(split, from, context) {
          let place = from ?? { file: undefined, skip: 0 };
          for await (const batch of reader.read(split, place.file, context)) {
            yield* inPieces(batch, place);
            place = { file: batch.position, skip: 0 };
          }
        },
      };
    },
  });
}
