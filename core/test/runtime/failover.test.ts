import { describe, expect, test } from 'vitest';
import { regionsOf } from '../../src/graph/regions.ts';
import {
  defineSink,
  fixedDelay,
  forEach,
  fromArray,
  generator,
  noRestart,
  type RunOptions,
  type Sink,
  StreamEnvironment,
} from '../../src/index.ts';
import { platform } from '../../src/node/platform.ts';
import { DEFAULT_CREDIT } from '../../src/runtime/creditWindow.ts';
import { JobAttempt } from '../../src/runtime/jobAttempt.ts';
import type { SinkDefinition } from '../../src/operators/connector.ts';
import { recordingLogger } from '../recordingLogger.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const AGAIN: RunOptions = { mode: 'batch', logger: SILENT, restart: fixedDelay({ delay: {}, attempts: 5 }) };

/** Throws at each of these calls, counted from the first one on, once. */
function failing<T>(...calls: number[]): (value: T) => T {
  let call = 0;
  return (value) => {
    if (calls.includes(call++)) throw new Error('on purpose');
    return value;
  };
}

describe('in batch mode', () => {
  test('only what stands behind the blocking exchange is done again', async () => {
    let attempt = 0;
    const results: string[] = [];
    const fail = failing<string>(0);
    const env = new StreamEnvironment({ parallelism: 2 });
    env
      .from(fromArray(['foo', 'bar']))
      .map((text) => `${text}-a${attempt}`)
      .map((text) => `${text}-b${attempt}`)
      .rescale()
      .map((text) => `${text}-c${attempt}`)
      .map((text) => {
        try {
          return `${fail(text)}-d${attempt}`;
        } catch (error) {
          attempt++;
          throw error;
        }
      })
      .sinkTo(forEach((text) => void results.push(text)));
    await env.execute('failover', AGAIN);
    expect(results.sort()).toEqual(['bar-a0-b0-c1-d1', 'foo-a0-b0-c1-d1']);
  });

  test.each([2, 3])('each region is done until it has come to its end, with parallelism %i', async (parallelism) => {
    const calls = { first: 0, second: 0, third: 0 };
    const failures = { first: failing<number>(700), second: failing<number>(0, 500), third: failing<number>(3) };
    const count =
      (region: keyof typeof calls) =>
      (n: number): number => {
        calls[region]++;
        return failures[region](n);
      };
    const results: number[] = [];
    const env = new StreamEnvironment({ parallelism });
    env
      .from(generator({ count: 1000, create: (i) => i }))
      .map(count('first'))
      .keyBy((n) => n % 10)
      .reduce((a, b) => a + b)
      .flatMap((sum) => Array.from({ length: 100 }, () => sum))
      .map(count('second'))
      .keyBy((sum) => sum)
      .reduce((a) => a)
      .map(count('third'))
      .sinkTo(forEach((sum) => void results.push(sum)));
    const job = await env.start('failover', AGAIN);
    await job.finished;
    const sums = Array.from({ length: 10 }, (_, key) => 100 * key + 10 * ((99 * 100) / 2));
    // The sink cannot hold back what it was given before the failure.
    expect([...new Set(results)].sort((a, b) => a - b)).toEqual(sums);
    expect(job.attempts).toBe(5);
    // One failure in the first region; after it had come to its end nothing was read again.
    expect(calls.first).toBe(701 + 1000);
    expect(calls.second).toBe(1 + 500 + 1000);
    const read = job.metrics().operators.filter(({ kind }) => kind === 'source');
    expect(read.reduce((sum, { recordsOut }) => sum + recordsOut, 0)).toBe(1000);
  });

  test('what a region takes from two others is there for each of its attempts', async () => {
    const results: string[] = [];
    const env = new StreamEnvironment({ parallelism: 2 });
    const left = env.from(generator({ count: 50, create: (i) => ({ key: i % 5, left: i }) }));
    const right = env.from(generator({ count: 20, create: (i) => ({ key: i % 5, right: i }) }));
    left
      .keyBy(({ key }) => key)
      .connect(right.keyBy(({ key }) => key))
      .process({
        state: {},
        onLeft: ({ left: n }: { readonly left: number }) => [`left ${n}`],
        onRight: ({ right: n }: { readonly right: number }) => [`right ${n}`],
      })
      .map(failing<string>(0, 30, 60))
      .keyBy((text) => text)
      .reduce((a) => a)
      .sinkTo(forEach((text) => void results.push(text)));
    await env.execute('failover', AGAIN);
    const all = [...Array.from({ length: 50 }, (_, i) => `left ${i}`), ...Array.from({ length: 20 }, (_, i) => `right ${i}`)];
    expect(results.sort()).toEqual(all.sort());
  });

  /** A sink whose second phase can be seen; `commit` is called before it. */
  function twoPhases(visible: string[], name: string, commit: () => void = () => undefined): Sink<unknown> {
    return defineSink<unknown, string>({
      name,
      open: () => {
        let open: string[] = [];
        return {
          write: (values) => void open.push(...values.map((value) => `${name} ${String(value)}`)),
          prepare: async () => {
            const lines = open;
            open = [];
            return lines;
          },
          commit: async (lines) => {
            commit();
            visible.push(...lines);
          },
        };
      },
    });
  }

  test.each([fixedDelay({ delay: {} }), noRestart()])(
    'nothing is visible before all is done, $name',
    async (restart) => {
      const visible: string[] = [];
      const seen: number[] = [];
      const env = new StreamEnvironment({ parallelism: 2 });
      // More than may wait between two tasks.
      const numbers = env.from(generator({ count: 3000, create: (i) => i }));
      // Its region is over long before the others, one of which fails when the one before is over too.
      numbers.sinkTo(twoPhases(visible, 'early'));
      const fail = failing<number>(restart.name === noRestart().name ? -1 : 50);
      numbers
        .keyBy((n) => n)
        .process({ state: {}, onElement: (n: number) => [n] })
        .keyBy((n) => n % 100)
        .reduce((a, b) => a + b)
        .asyncMap({ run: (n) => new Promise<number>((resolve) => setImmediate(() => resolve(n))) })
        .map((n: number) => {
          seen.push(visible.length);
          return fail(n);
        })
        .sinkTo(twoPhases(visible, 'late'));
      const job = await env.start('failover', { ...AGAIN, restart });
      await job.finished;
      expect(new Set(seen)).toEqual(new Set([0]));
      expect(visible.filter((line) => line.startsWith('early')).length).toBe(3000);
      expect(visible.filter((line) => line.startsWith('late')).length).toBe(100);
      expect(job.attempts).toBe(restart.name === noRestart().name ? 1 : 2);
    },
    10_000,
  );

  test('what fails while results become visible is the end of the job, since another attempt would show them twice', async () => {
    const visible: string[] = [];
    let commits = 0;
    const fail = failing<void>(1);
    const logger = recordingLogger();
    const env = new StreamEnvironment({ parallelism: 2 });
    const sink = twoPhases(visible, 'out', () => {
      commits++;
      fail();
    });
    env.from(generator({ count: 10, create: (i) => i })).sinkTo(sink);
    const job = await env.start('failover', { ...AGAIN, logger });
    await expect(job.finished).rejects.toMatchObject({ code: 'sink/failed' });
    expect(job.attempts).toBe(1);
    expect(commits).toBe(2);
    expect(logger.of('warn').some((message) => message.includes('not started again'))).toBe(true);
  });

  test('where preparing fails, nothing is visible yet: the job is started again', async () => {
    const visible: string[] = [];
    const fail = failing<void>(1);
    let prepared = 0;
    const env = new StreamEnvironment({ parallelism: 2 });
    const whole = twoPhases(visible, 'out').definition as unknown as SinkDefinition<unknown, string>;
    const sink = defineSink<unknown, string>({
      name: 'out',
      open: async (context) => {
        const writer = await whole.open(context);
        return {
          write: (values) => writer.write(values),
          prepare: async () => {
            prepared++;
            fail();
            return writer.prepare();
          },
          commit: async (lines) => writer.commit(lines),
        };
      },
    });
    env.from(generator({ count: 10, create: (i) => i })).sinkTo(sink);
    const job = await env.start('failover', AGAIN);
    await job.finished;
    expect(job.attempts).toBe(2);
    // Once each: what could fail once more would do so when others have made visible what they hold.
    expect(prepared).toBe(4);
    expect(visible.length).toBe(10);
  });

  test('an attempt with nothing left to do is over at once', async () => {
    const env = new StreamEnvironment();
    env.from(fromArray([1, 2])).map((n) => n);
    const { plan, builder } = env.compile({ mode: 'batch', parallelism: 1, maxParallelism: 128, onError: 'fail' });
    const finished = { chains: plan.chains.map(({ id }) => id), results: {}, reports: [] };
    const told: string[] = [];
    const attempt = new JobAttempt(
      {
        plan,
        builder,
        platform,
        logger: SILENT,
        onError: 'fail',
        seed: 0,
        epoch: 0,
        lineage: '',
        exactlyOnce: true,
        credit: DEFAULT_CREDIT,
        keepsResults: true,
        finished,
      },
      {
        onDrained: () => void told.push('drained'),
        onFinished: () => void told.push('finished'),
        onFailed: (error) => void told.push(String(error)),
        keep: async () => undefined,
        onSnapshot: () => undefined,
        onDeclined: () => undefined,
      },
    );
    await attempt.open(undefined);
    attempt.flow();
    expect(told).toEqual(['finished']);
    await attempt.close();
  });

  test('a job that is not started again keeps nothing, and fails', async () => {
    const env = new StreamEnvironment();
    env
      .from(fromArray([1, 2]))
      .keyBy((n) => n)
      .reduce((a) => a)
      .map(failing<number>(0))
      .sinkTo(forEach(() => undefined));
    await expect(env.execute('failover', { mode: 'batch', logger: SILENT })).rejects.toMatchObject({ code: 'operator/failed' });
  });
});

describe('regions', () => {
  function regionsIn(mode: 'batch' | 'streaming'): number[][] {
    const env = new StreamEnvironment({ parallelism: 2 });
    const numbers = env.from(fromArray([1, 2]), { uid: 'numbers' });
    numbers
      .rebalance()
      .map((n) => n)
      .keyBy((n) => n)
      .reduce((a) => a)
      .sinkTo(forEach(() => undefined));
    env.from(fromArray([3]), { uid: 'others' }).sinkTo(forEach(() => undefined));
    return regionsOf(env.plan({ mode })).map((region) => [...region]);
  }

  test('are cut by blocking exchanges', () => {
    expect(regionsIn('streaming')).toEqual([[0, 1, 2], [3]]);
    expect(regionsIn('batch')).toEqual([[0], [1], [2], [3]]);
  });
});
