import { describe, expect, test } from 'vitest';
import { count, type DataStream, defineSink, fromArray, type KeyedStream, StreamEnvironment } from '../../src/index.ts';

interface Tick {
  readonly at: number;
  readonly key: string;
}

/** The verbs that hold elements back until the watermark has reached them, each giving the time of the element. */
const VERBS = {
  over: (ticks: KeyedStream<string, Tick>) =>
    ticks.over({ last: { seconds: 1 } }, { n: count() }, { uid: 'verb' }).map(({ value }) => value.at),
  joinAsOf: (ticks: KeyedStream<string, Tick>) =>
    ticks.joinAsOf(
      ticks.filter(() => false),
      { uid: 'verb', select: ({ at }) => at },
    ),
  joinAsOfWaiting: (ticks: KeyedStream<string, Tick>) =>
    ticks.joinAsOf(
      ticks.filter(() => false),
      { uid: 'verb', wait: { seconds: 1 }, select: ({ at }) => at },
    ),
} satisfies Record<string, (ticks: KeyedStream<string, Tick>) => DataStream<number>>;

const ticks = (n: number): Tick[] => Array.from({ length: n }, (_, at) => ({ at, key: `k${at % 3}` }));

/** Lets the event loop turn until nothing has changed for a while. */
async function quiet(reading: () => number): Promise<number> {
  let last = -1;
  for (let same = 0; same < 20;) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = reading();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

describe.each(Object.entries(VERBS))('%s', (_, verb) => {
  test('stops between two results when nothing is taken, and goes on in order', async () => {
    const taken: number[] = [];
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const gate = defineSink<number>({
      name: 'gate',
      open: () => ({
        write(values) {
          taken.push(...values);
          return opened;
        },
        prepare: async () => [],
        commit: async () => undefined,
      }),
    });
    let given = 0;
    const env = new StreamEnvironment();
    // The watermark stays behind everything until the source ends: then all results are due at once.
    const source = env.from(fromArray(ticks(50_000)), { time: { timestamp: ({ at }) => at, outOfOrder: { days: 1 } } });
    verb(source.keyBy(({ key }) => key))
      .map((at) => {
        given++;
        return at;
      })
      .rebalance()
      .map((at) => at, { chain: 'start' })
      .sinkTo(gate);
    const job = await env.start('held back');
    const stopped = await quiet(() => given);
    expect(stopped).toBeGreaterThan(0);
    expect(stopped).toBeLessThan(20_000);
    open!();
    await job.finished;
    expect(taken).toEqual(ticks(50_000).map(({ at }) => at));
  });

  test('counts what is late', async () => {
    const env = new StreamEnvironment();
    const source = env.from(
      fromArray([
        { at: 10_000, key: 'a' },
        { at: 5_000, key: 'a' },
        { at: 5_001, key: 'b' },
        { at: 11_000, key: 'a' },
      ]),
    );
    const timed = source.withTime({ timestamp: ({ at }) => at, punctuated: (_tick, at) => at }, { uid: 'time' });
    const results: number[] = [];
    verb(timed.keyBy(({ key }) => key)).sinkTo(
      defineSink<number>({
        name: 'list',
        open: () => ({ write: (values) => void results.push(...values), prepare: async () => [], commit: async () => undefined }),
      }),
    );
    const job = await env.start('late');
    await job.finished;
    expect(results).toEqual([10_000, 11_000]);
    const report = job.metrics().operators.find(({ uid }) => uid === 'verb')!;
    expect(report).toMatchObject({ late: 2, recordsOut: 2, rejected: 0, dropped: 0 });
  });

  test('in batch mode the clock of a key is nobody else’s', async () => {
    const seen: number[] = [];
    const env = new StreamEnvironment({ mode: 'batch' });
    const source = env.from(fromArray(ticks(20)), { time: { timestamp: ({ at }) => at } });
    const results = await verb(source.keyBy(({ key }) => key))
      .process({
        onElement(at, { watermark }) {
          seen.push(watermark);
          return [at];
        },
      })
      .collect();
    expect(results.toSorted((a, b) => a - b)).toEqual(ticks(20).map(({ at }) => at));
    expect(new Set(seen)).toEqual(new Set([Number.MIN_SAFE_INTEGER]));
  });
});

test('an interval join counts what is late', async () => {
  const env = new StreamEnvironment();
  const timed = env.from(fromArray([10, 5, 10, 11])).withTime({ timestamp: (at) => at, punctuated: (_n, at) => at }, { uid: 'time' });
  const keyed = timed.keyBy(() => 0);
  const pairs: string[] = [];
  keyed.intervalJoin(keyed, { uid: 'join', between: [{ milliseconds: 0 }, { milliseconds: 0 }], select: (l, r) => `${l}-${r}` }).sinkTo(
    defineSink<string>({
      name: 'list',
      open: () => ({ write: (values) => void pairs.push(...values), prepare: async () => [], commit: async () => undefined }),
    }),
  );
  const job = await env.start('late');
  await job.finished;
  expect(job.metrics().operators.find(({ uid }) => uid === 'join')).toMatchObject({ late: 2 });
  expect(pairs.filter((pair) => pair === '5-5')).toEqual([]);
});
