import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  continuousEventTime,
  count,
  countTrigger,
  countWindow,
  fromArray,
  list,
  purging,
  session,
  StreamEnvironment,
} from '../../src/index.ts';
import { type Click, click, sums, tens } from './windowClicks.ts';

describe('batch mode', () => {
  async function both<R>(
    clicks: readonly Click[],
    pipeline: (i: { clicks: DataStream<Click> }) => { out: DataStream<R> },
  ): Promise<Record<string, R[]>> {
    const run = (mode: 'streaming' | 'batch'): Promise<R[]> => {
      const env = new StreamEnvironment({ mode });
      return pipeline({ clicks: env.from(fromArray(clicks), { time: { timestamp: ({ at }) => at } }) }).out.collect();
    };
    return { streaming: await run('streaming'), batch: await run('batch') };
  }
  const clicks = [click('a', 1), click('b', 2), click('a', 4), click('a', 6), click('a', 17), click('b', 30)];

  test('early results of a window with an end are left out; the one on time is the last word', async () => {
    const options = { trigger: continuousEventTime({ milliseconds: 3 }), allowedLateness: { seconds: 1 } };
    const { batch } = await both(clicks, sums(tens, options));
    expect(batch!.map(({ key, window, value }) => `${key} ${window.start} ${value.n}`).sort()).toEqual([
      'a 0 3',
      'a 10 1',
      'b 0 1',
      'b 30 1',
    ]);
    expect(batch!.map(({ pane }) => pane)).toEqual(Array.from({ length: 4 }, () => ({ timing: 'onTime', index: 0, final: true })));
  });

  test('a last result that is early is said when the window goes', async () => {
    const { streaming, batch } = await both(clicks, sums(tens, { trigger: countTrigger(2) }));
    expect(streaming!.map(({ value, pane }) => [value.n, pane.timing])).toEqual([[2, 'early']]);
    expect(batch!.map(({ key, value, pane }) => [key, value.n, pane])).toEqual([['a', 2, { timing: 'early', index: 0, final: true }]]);
  });

  test('a result that is said only once is said', async () => {
    const { batch } = await both(clicks, sums(tens, { trigger: purging(countTrigger(1)) }));
    expect(batch!.map(({ value }) => value.n)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('windows of a number of elements give all of their results', async () => {
    const { streaming, batch } = await both(clicks, sums(countWindow(2)));
    expect(batch!.map(({ key, value }) => `${key} ${value.n}`).sort()).toEqual(['a 2', 'a 2', 'b 2']);
    expect(new Set(streaming!.map((result) => JSON.stringify(result)))).toEqual(new Set(batch!.map((result) => JSON.stringify(result))));
  });

  test('sessions agree with streaming', async () => {
    // Even times and an odd gap: whether an element that comes exactly a gap later still finds its session is for the watermark to say.
    const at = fc.integer({ min: -20, max: 20 }).map((half) => 2 * half);
    const inOrder = fc.array(fc.record({ user: fc.constantFrom('a', 'b', 'c'), at, n: fc.integer({ min: 0, max: 9 }) }), { maxLength: 40 });
    const lists = (i: { clicks: DataStream<Click> }) => ({
      out: i.clicks
        .keyBy(({ user }) => user)
        .window(session({ milliseconds: 5 }), { allowedLateness: { milliseconds: 7 } })
        .aggregate({ n: count(), all: list<Click>() })
        .map(({ key, window, value }) => JSON.stringify([key, window, value])),
    });
    await fc.assert(
      fc.asyncProperty(inOrder, async (drawn) => {
        const { streaming, batch } = await both(
          [...drawn].sort((a, b) => a.at - b.at),
          lists,
        );
        expect(batch!.sort()).toEqual(streaming!.sort());
      }),
      { numRuns: 50 },
    );
  });
});
