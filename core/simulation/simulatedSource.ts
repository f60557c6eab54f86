import { defineSource, type Rejected, type Source } from '@millrace/core';
import type { Chance } from './chance.ts';
import type { Event } from './item.ts';
import { eventsOf, type SourceSpec, splitsOf } from './jobSpec.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';

/** A source of random events: its batches are cut differently in every life, and its splits are found while the job runs. */
export function simulatedSource(spec: SourceSpec, seed: number, process: SimulatedProcess, chance: Chance): Source<Event> {
  return defineSource<Event, number>({
    name: 'simulated',
    bounded: true,
    concurrentSplits: spec.concurrent,
    open: () => ({
      async *splits({ ended }) {
        const known: string[] = [];
        for (const wave of splitsOf(spec)) {
          // Now and then some that were named before, which are to be ignored.
          yield chance.flip(0.3) ? [...known, ...wave] : wave;
          known.push(...wave);
          if (spec.waits) await ended(known);
          else for (let pauses = chance.below(40); pauses > 0; pauses--) await process.outside(3, () => undefined);
        }
      },
      async *read(split, from = 0) {
        const events = eventsOf(spec, seed, split);
        for (let at = from; at < events.length;) {
          await process.outside(chance.flip(0.1) ? 20 : 1, () => undefined);
          const end = Math.min(events.length, at + chance.between(1, 16));
          const batch = events.slice(at, end);
          const rejected = batch
            .filter(({ isRefused }) => isRefused)
            .map(({ id }): Rejected => ({ place: id, code: 'schema/invalid', reason: 'it is refused', value: id }));
          yield {
            values: batch.filter(({ isRefused }) => !isRefused).map(({ id, key, n, at: time }) => ({ id, key, n, at: time })),
            position: end,
            ...(rejected.length > 0 && { rejected }),
          };
          at = end;
        }
      },
    }),
  });
}
