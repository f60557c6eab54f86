import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  count,
  countWindow,
  type DataStream,
  fromArray,
  type KeyedStream,
  list,
  max,
  StreamEnvironment,
  sum,
  valueState,
} from '../../src/index.ts';
import { buildPipeline, inOrder, type Item, randomPipeline, type RandomPipeline, type Timed } from './randomPipeline.ts';

type Mode = 'streaming' | 'batch';

interface Run {
  readonly mode: Mode;
  readonly parallelism: number;
  readonly generateCode?: boolean;
}

/** Every result with its time, in an order of its own: that of arrival is no part of a result. */
async function results(pipeline: RandomPipeline, run: Run): Promise<readonly string[]> {
  const timed = buildPipeline(new StreamEnvironment(run), pipeline).process({
    onElement: ({ key, n }: Item, { timestamp }) => [`${key} ${n} at ${timestamp}`],
  });
  return (await timed.collect()).sort();
}

/** Operators that say more with every element, and depend on the order of a key's elements: what counts is their last word on a key. */
const ROLLING: Readonly<Record<string, (keyed: KeyedStream<string, Item>) => DataStream<readonly [key: string, value: unknown]>>> = {
  reduce: (keyed) => keyed.reduce((a, b) => ({ key: a.key, n: a.n * 3 + b.n })).map(({ key, n }) => [key, n]),
  aggregate: (keyed) =>
    keyed.aggregate({ n: count(), total: sum(({ n }) => n), most: max(({ n }) => n), all: list() }).map(({ key, value }) => [key, value]),
  sum: (keyed) => keyed.sum(({ n }) => n).map(({ key, value }) => [key, value]),
  minBy: (keyed) => keyed.minBy(({ n }) => n).map((item) => [item.key, item]),
  state: (keyed) =>
    keyed.process({
      state: { hash: valueState({ initial: 1 }) },
      onElement({ n }, { key, state }) {
        state.hash.update((state.hash.value() * 31 + n) | 0);
        return [[key, state.hash.value()] as const];
      },
    }),
  countWindow: (keyed) =>
    keyed
      .window(countWindow(3))
      .aggregate({ all: list() })
      .map(({ key, value }) => [key, value.all]),
};

async function lastWords(items: readonly Timed[], verb: string, run: Run): Promise<ReadonlyMap<string, unknown>> {
  const env = new StreamEnvironment(run);
  const keyed = env
    .from(fromArray(items), { time: { timestamp: ({ at }) => at } })
    .filter(({ n }) => n % 4 !== 0)
    .keyBy(({ key }) => key);
  return new Map(await ROLLING[verb]!(keyed).collect());
}

// A counterexample comes with its seed and path: `fc.assert(property, { seed, path })` runs it again.
describe('law 1: batch is a stream that ends', () => {
  const run = fc.record({ parallelism: fc.integer({ min: 1, max: 4 }), generateCode: fc.boolean() });

  test('windows, timers, joins and state give the same final results in both modes, with any parallelism', async () => {
    let withResults = 0;
    const numRuns = 150;
    await fc.assert(
      fc.asyncProperty(randomPipeline, run, async (pipeline, options) => {
        const expected = await results(pipeline, { mode: 'streaming', parallelism: 1 });
        if (expected.length > 0) withResults++;
        expect(await results(pipeline, { mode: 'batch', parallelism: 1 })).toEqual(expected);
        expect(await results(pipeline, { mode: 'batch', ...options })).toEqual(expected);
        expect(await results(pipeline, { mode: 'streaming', ...options })).toEqual(expected);
      }),
      { numRuns },
    );
    expect(withResults).toBeGreaterThan(numRuns / 2);
  });

  test.each(Object.keys(ROLLING))('the last word on a key is the same: %s', async (verb) => {
    await fc.assert(
      fc.asyncProperty(inOrder, run, async (items, options) => {
        const expected = await lastWords(items, verb, { mode: 'streaming', parallelism: 1 });
        expect(await lastWords(items, verb, { mode: 'batch', ...options })).toEqual(expected);
        expect(await lastWords(items, verb, { mode: 'streaming', ...options })).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});
