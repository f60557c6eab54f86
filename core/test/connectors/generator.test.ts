import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { discard, forEach, generator, type GeneratorOptions, StreamEnvironment } from '../../src/index.ts';
import { ManualPlatform } from '../../src/testing.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { follow, openReader, rejectionCode, testContext } from './reading.ts';

describe('elements', () => {
  test('are made of their index and the seed alone', async () => {
    const dice = (seed: number, splits = 1): Promise<number[]> =>
      new StreamEnvironment()
        .from(generator({ count: 500, seed, splits, create: (i, random) => i * 10 + Math.floor(random() * 6) }))
        .collect();
    const first = await dice(1);
    expect(first.map((n) => Math.floor(n / 10))).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(await dice(1)).toEqual(first);
    expect(await dice(2)).not.toEqual(first);
    expect((await dice(1, 3)).sort((a, b) => a - b)).toEqual([...first].sort((a, b) => a - b));
  });

  test('their random numbers are uniform and differ from index to index', async () => {
    const numbers = await new StreamEnvironment()
      .from(generator({ count: 20_000, create: (_, random) => [random(), random(), random()] }))
      .collect();
    for (const at of [0, 1, 2]) {
      const column = numbers.map((row) => row[at]!);
      expect(new Set(column).size).toBeGreaterThan(19_990);
      const tenths = Array.from({ length: 10 }, () => 0);
      for (const n of column) tenths[Math.floor(n * 10)]!++;
      // Six standard deviations of a fair count of 2000.
      for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(260);
    }
    const product = numbers.reduce((sum, [a, b]) => sum + (a! - 0.5) * (b! - 0.5), 0) / numbers.length;
    const next = numbers.slice(1).reduce((sum, row, i) => sum + (row[0]! - 0.5) * (numbers[i]![0]! - 0.5), 0) / numbers.length;
    expect(Math.abs(product)).toBeLessThan(0.004);
    expect(Math.abs(next)).toBeLessThan(0.004);
  });

  test('from any position comes exactly the rest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 400 }), fc.integer({ min: 1, max: 4 }), fc.nat(), async (count, splits, at) => {
        const source = generator({ count, splits, create: (i, random) => [i, random()] });
        for (let split = 0; split < splits; split++) {
          const all = follow(await openReader(source), String(split), testContext());
          await all.done;
          const elements = all.batches.flatMap(({ values }) => values);
          expect(elements.map(([i]) => i)).toEqual(Array.from({ length: count }, (_, i) => i).filter((i) => i % splits === split));
          if (all.batches.length === 0) continue;
          const cut = at % all.batches.length;
          const rest = follow(await openReader(source), String(split), testContext(), all.batches[cut]!.position);
          await rest.done;
          const before = all.batches.slice(0, cut + 1).reduce((sum, { values }) => sum + values.length, 0);
          expect(rest.batches.flatMap(({ values }) => values)).toEqual(elements.slice(before));
        }
      }),
      { numRuns: 40 },
    );
  });

  test('without a count they never end', async () => {
    const source = generator({ create: (i) => i });
    expect(source.bounded).toBe(false);
    expect(await new StreamEnvironment().from(source).collect({ limit: 3000 })).toHaveLength(3000);
    expect(generator({ count: 0, create: (i) => i }).bounded).toBe(true);
    expect(await new StreamEnvironment().from(generator({ count: 0, create: (i) => i })).collect()).toEqual([]);
  });

  test.each<[string, Partial<GeneratorOptions<number>>]>([
    ['count', { count: -1 }],
    ['count', { count: 1.5 }],
    ['rate', { rate: 0 }],
    ['rate', { rate: Infinity }],
    ['splits', { splits: 0 }],
    ['seed', { seed: 0.5 }],
  ])('a wrong %s is refused', async (_name, options) => {
    expect(await rejectionCode(Promise.resolve().then(() => generator({ create: (i) => i, ...options })))).toBe('config/invalid');
  });
});

describe('the schedule', () => {
  /** Element, when it was due, and when it came. */
  type Arrival = readonly [index: number, due: number, came: number];

  async function arrivals(
    options: { readonly rate: number; readonly count?: number; readonly splits?: number },
    times: readonly number[],
  ): Promise<Arrival[]> {
    const platform = new ManualPlatform();
    const came: Arrival[] = [];
    const env = new StreamEnvironment({ platform });
    const source = generator({ ...options, create: (index, _random, { due }) => ({ index, due }) });
    env.from(source).sinkTo(forEach(({ index, due }) => came.push([index, due, platform.clock.monotonic()])));
    const job = await env.start('schedule');
    for (const time of times) await platform.advanceTo(time);
    await job.cancel();
    return came;
  }

  test('element i is due i / rate seconds after the first, and comes then', async () => {
    const came = await arrivals({ rate: 100 }, [5, 100]);
    expect(came).toEqual(Array.from({ length: 11 }, (_, i) => [i, i * 10, i * 10]));
  });

  test('at a high rate an element comes as soon as the clock shows its time', async () => {
    const times = Array.from({ length: 100 }, (_, i) => (i + 1) * 0.01);
    const came = await arrivals({ rate: 100_000 }, times);
    expect(came.length).toBeGreaterThanOrEqual(100);
    for (const [index, due, at] of came) {
      expect(due).toBeCloseTo(index * 0.01, 9);
      expect(at - due).toBeLessThan(0.0101);
    }
  });

  test('what is due within two milliseconds is waited for by turns of the event loop, not by timeouts', async () => {
    const clock = new ManualClock();
    const timeouts: number[] = [];
    const schedule = (time: number, callback: () => void): (() => void) => {
      timeouts.push(time - clock.now());
      return clock.schedule(time, callback);
    };
    const turns: (() => void)[] = [];
    const context = {
      ...testContext(),
      clock: { now: () => clock.now(), monotonic: () => clock.monotonic(), schedule },
      later: (turn: () => void) => turns.push(turn),
    };
    const { batches } = follow(
      await openReader(generator({ rate: 20_000, create: (i, _r, { due }) => [i, clock.monotonic() - due] })),
      '0',
      context,
    );
    // Each turn takes 3 µs.
    for (let turn = 0; turn < 1000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advanceTo(clock.now() + 0.003);
      for (const callback of turns.splice(0)) callback();
    }
    const values = batches.flatMap((batch) => batch.values);
    expect(values.length).toBeGreaterThan(57);
    for (const [, late] of values) expect(late).toBeLessThanOrEqual(0.003001);
    expect(timeouts).toEqual([]);
  });

  test('what is overdue follows at once, with the time that it was due', async () => {
    const platform = new ManualPlatform();
    const { reader, context } = {
      reader: await openReader(generator({ rate: 1000, create: (_i, _r, { due, at }) => [due, at] })),
      context: testContext(platform),
    };
    platform.clock.advanceTo(500);
    const { batches, done } = follow(reader, '0', context);
    await platform.settle();
    platform.clock.advanceTo(2500.5);
    await platform.settle();
    const values = batches.flatMap((batch) => batch.values);
    expect(values).toHaveLength(2001);
    expect(values.at(-1)).toEqual([2500, 2500]);
    context.abort.abort();
    await platform.advanceTo(2600);
    await done;
  });

  test('splits share one schedule', async () => {
    const came = await arrivals({ rate: 1000, splits: 3 }, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(came.map(([index]) => index).sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => i));
    for (const [index, due, at] of came) expect([due, at]).toEqual([index, index]);
  });

  test('reading on from a position begins at once', async () => {
    const platform = new ManualPlatform();
    const context = testContext(platform);
    const { batches } = follow(await openReader(generator({ rate: 1, create: (i, _r, { due }) => [i, due] })), '0', context, 40);
    await platform.advanceTo(2000);
    expect(batches.flatMap(({ values }) => values)).toEqual([
      [40, 0],
      [41, 1000],
      [42, 2000],
    ]);
    context.abort.abort();
  });

  test('a wait for long ends with the job', async () => {
    const platform = new ManualPlatform();
    const env = new StreamEnvironment({ platform });
    env.from(generator({ rate: 0.001, create: (i) => i })).sinkTo(discard());
    const job = await env.start('slow');
    await platform.advanceTo(500);
    const stopped = job.stop();
    await platform.settle();
    await stopped;
    expect(job.status).toBe('finished');
    expect(platform.clock.next()).toBeUndefined();
  });

  test('random numbers begin anew when the same element is read again', async () => {
    const reader = await openReader(generator({ count: 1, create: (_i, random) => random() }));
    const read = async (): Promise<unknown> => {
      const { batches, done } = follow(reader, '0', testContext());
      await done;
      return batches[0]!.values[0];
    };
    expect(await read()).toBe(await read());
  });
});
