import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, fromArray, StreamEnvironment } from '../../src/index.ts';

interface Event {
  readonly at: number;
  readonly key: number;
}

const STEPS = {
  map: (s: DataStream<Event>) => s.map((e) => e),
  hash: (s: DataStream<Event>, p: number) => s.keyBy((e) => e.key).process({ parallelism: p, onElement: (e) => [e] }),
  rebalance: (s: DataStream<Event>, p: number) => s.rebalance().map((e) => e, { parallelism: p }),
  rescale: (s: DataStream<Event>, p: number) => s.rescale().map((e) => e, { parallelism: p }),
  global: (s: DataStream<Event>) => s.global().map((e) => e),
  custom: (s: DataStream<Event>, p: number) => s.partitionCustom((e) => e.key).map((e) => e, { parallelism: p }),
  async: (s: DataStream<Event>, p: number) => s.asyncMap({ run: async (e) => e, capacity: 3 }, { parallelism: p }),
  unordered: (s: DataStream<Event>, p: number) => s.asyncMap({ run: async (e) => e, order: 'completion' }, { parallelism: p }),
  union: (s: DataStream<Event>) => s.filter((e) => e.key % 2 === 0).union(s.filter((e) => e.key % 2 !== 0)),
} satisfies Record<string, (s: DataStream<Event>, p: number) => DataStream<Event>>;

const step = fc.tuple(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), fc.integer({ min: 1, max: 3 }));

describe('everything is in band', () => {
  test('a watermark overtakes no record, over any exchange, and nothing is lost or doubled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, count, parallelism) => {
          const events = Array.from({ length: count }, (_, at): Event => ({ at, key: (at * 7919) % 13 }));
          const env = new StreamEnvironment({ parallelism });
          const source = env.from(fromArray(events), { time: { timestamp: (e) => e.at } });
          const through = steps.reduce<DataStream<Event>>((stream, [name, p]) => STEPS[name](stream, p), source);
          const seen = await through
            .keyBy((e) => e.key)
            .process({ onElement: (e, { timestamp, watermark }) => [{ at: e.at, fine: timestamp === e.at && e.at > watermark }] })
            .collect();
          expect(seen.filter(({ fine }) => !fine)).toEqual([]);
          expect(seen.map(({ at }) => at).sort((a, b) => a - b)).toEqual(events.map(({ at }) => at));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('broadcast gives every element to every subtask', async () => {
    const env = new StreamEnvironment();
    const seen = await env
      .from(fromArray([1, 2, 3]))
      .broadcast()
      .map((n) => n, { parallelism: 3 })
      .collect();
    expect(seen.sort((a, b) => a - b)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  test('between two subtasks records keep their order', async () => {
    const env = new StreamEnvironment();
    const numbers = Array.from({ length: 5000 }, (_, i) => i);
    const seen = await env
      .from(fromArray(numbers))
      .keyBy((n) => n % 7)
      .process({ parallelism: 3, onElement: (n) => [n] })
      .collect();
    for (let key = 0; key < 7; key++) expect(seen.filter((n) => n % 7 === key)).toEqual(numbers.filter((n) => n % 7 === key));
  });
});
