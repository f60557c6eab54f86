import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  defineSource,
  forEach,
  fromArray,
  fromIterable,
  sequence,
  type Source,
  StreamEnvironment,
} from '../../src/index.ts';
import { hang, ManualPlatform, testSource } from '../../src/testing.ts';
import { follow, openReader, rejectionCode, silent, testContext } from './reading.ts';

interface Event {
  readonly at: number;
}

const at = (...times: readonly number[]): Event[] => times.map((time) => ({ at: time }));
const time = { timestamp: (event: Event) => event.at };

/** A live feed whose split is found when `find` is called. */
function lateFeed(script: Parameters<typeof testSource<Event>>[0]): { readonly source: Source<Event>; readonly find: () => void } {
  let find: () => void = () => undefined;
  const found = new Promise<void>((resolve) => (find = resolve));
  const feed = testSource<Event>(script);
  const { definition } = feed;
  return {
    find,
    source: defineSource<Event, number>({
      name: 'late feed',
      bounded: false,
      open: async () => {
        const reader = (await definition.open()) as never as Awaited<ReturnType<typeof openReader<Event>>>;
        return {
          async *splits(context) {
            await Promise.race([found, new Promise((resolve) => context.signal.addEventListener('abort', resolve))]);
            if (context.signal.aborted) return;
            yield ['live'];
            await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
          },
          read: (_split, from, context) => reader.read('test', from, context) as never,
        };
      },
    }),
  };
}

/** What an element came with: its time, and the watermark before it. */
function watched(stream: DataStream<Event>, into: [number, number][]): void {
  stream
    .keyBy(() => 0)
    .process({ onElement: (event, { watermark }) => void into.push([event.at, watermark]) })
    .sinkTo(forEach(() => undefined));
}

describe('the order', () => {
  test.each([1, 2, 3])('everything of a source before anything of the next, with parallelism %i', async (parallelism) => {
    const history = testSource({ a: [1, 2, 3], b: [4, 5], c: [6] }, { batchSize: 1 });
    const middle = testSource({ a: [11, 12], b: [13] }, { batchSize: 1 });
    const seen = await new StreamEnvironment({ parallelism }).from(sequence(history, middle, fromArray([21, 22]))).collect();
    expect(seen.map((n) => Math.floor(n / 10))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]);
    expect([...seen].sort((x, y) => x - y)).toEqual([1, 2, 3, 4, 5, 6, 11, 12, 13, 21, 22]);
  });

  test('a source without splits is passed over', async () => {
    expect(await new StreamEnvironment().from(sequence(testSource<number>({}), testSource<number>({}), fromArray([1]))).collect()).toEqual([
      1,
    ]);
  });

  test('sequences of sequences', async () => {
    const source = sequence(sequence(fromArray([1]), fromArray([2])), sequence(fromArray([3]), fromArray([4])));
    expect(await new StreamEnvironment().from(source).collect()).toEqual([1, 2, 3, 4]);
  });

  test('each source keeps its own rule of how many splits are read at a time', async () => {
    const open = new Set<string>();
    const most = { history: 0, live: 0 };
    const counting = (kind: 'history' | 'live', bounded: boolean): Source<number> =>
      defineSource<number, number>({
        name: kind,
        bounded,
        open: () => ({
          splits: async () => ['a', 'b', 'c'],
          async *read(split) {
            open.add(kind + split);
            most[kind] = Math.max(most[kind], open.size);
            yield { values: [1], position: 1 };
            await new Promise((resolve) => setImmediate(resolve));
            open.delete(kind + split);
          },
        }),
      });
    expect(
      await new StreamEnvironment().from(sequence(counting('history', true), counting('live', false))).collect({ limit: 6 }),
    ).toHaveLength(6);
    expect(most).toEqual({ history: 1, live: 3 });
  });

  test('only the last may be endless', async () => {
    const endless = fromIterable([1], { bounded: false });
    expect(await rejectionCode(Promise.resolve().then(() => sequence(endless, fromArray([1]))))).toBe('graph/unbounded');
    expect([sequence(fromArray([1]), endless).bounded, sequence(fromArray([1])).bounded]).toEqual([false, true]);
  });
});

describe('the watermark', () => {
  test('goes on from history to the live feed without a jump, and holds in between', async () => {
    const platform = new ManualPlatform();
    const live = lateFeed([...at(105, 120), hang()]);
    const env = new StreamEnvironment({ platform });
    const seen: [number, number][] = [];
    const payments = env.from(sequence(testSource({ a: at(10, 100), b: at(20, 30) }), live.source), { uid: 'payments', time });
    // Far ahead, and nothing but its own pace could hold it.
    const other = env.from(testSource<Event>([...at(5_000), hang()]), { uid: 'other', time });
    watched(payments.union(other), seen);
    const job = await env.start('switch');
    await platform.settle();
    const watermark = (): number | null | undefined => job.metrics().operators.find(({ kind }) => kind === 'process')!.watermark;
    // History has ended at 29 in b and at 99 in a, whichever ended last, and the live feed has not begun.
    const between = watermark();
    expect(between).toBeLessThanOrEqual(99);
    live.find();
    await platform.settle();
    expect(seen.map(([time]) => time).sort((x, y) => x - y)).toEqual([10, 20, 30, 100, 105, 120, 5_000]);
    for (const [time, before] of seen) expect(before).toBeLessThan(time);
    expect(watermark()).toBe(119);
    await job.cancel();
  });

  test('between two sources it is silent like any split: idleAfter ends the wait for it', async () => {
    const platform = new ManualPlatform();
    const live = lateFeed([...at(200), hang()]);
    const env = new StreamEnvironment({ platform });
    const seen: [number, number][] = [];
    const payments = env.from(sequence(testSource(at(100)), live.source), { time: { ...time, idleAfter: { seconds: 10 } } });
    const other = env.from(testSource<Event>([...at(5_000), hang()]), { time });
    watched(payments.union(other), seen);
    const job = await env.start('switch');
    const watermark = (): number | null => job.metrics().operators.find(({ kind }) => kind === 'process')!.watermark;
    await platform.advanceTo(9_000);
    expect(watermark()).toBeLessThanOrEqual(99);
    await platform.advanceTo(30_000);
    expect(watermark()).toBe(4_999);
    live.find();
    await platform.settle();
    expect(seen.map(([time]) => time)).toContain(200);
    await job.cancel();
  });

  test('a subtask that never gets a split goes idle after as long', async () => {
    const platform = new ManualPlatform();
    const env = new StreamEnvironment({ platform, parallelism: 2, logger: silent });
    const live = lateFeed([...at(200, 300), hang()]);
    live.find();
    const seen: [number, number][] = [];
    watched(env.from(live.source, { time: { ...time, idleAfter: { seconds: 10 } } }), seen);
    const job = await env.start('one split for two');
    await platform.settle();
    const watermarks = (): (number | null)[] =>
      job.metrics().operators.flatMap(({ kind, watermark }) => (kind === 'process' ? [watermark] : []));
    expect(watermarks()).toEqual([null, null]);
    await platform.advanceTo(30_000);
    expect(watermarks()).toEqual([299, 299]);
    await job.cancel();
  });

  test('goes to its end when the last source does', async () => {
    const env = new StreamEnvironment({ logger: silent });
    const ends: number[] = [];
    env
      .from(sequence(fromArray(at(1)), fromArray(at(2))), { time })
      .keyBy(() => 0)
      .process({
        timers: { end: 'eventTime' },
        onElement: (_event, { timers }) => timers.set('end', 1_000_000),
        onTimer: ({ at: due }) => void ends.push(due),
      })
      .sinkTo(forEach(() => undefined));
    await env.execute('ends');
    expect(ends).toEqual([1_000_000]);
  });
});

describe('its parts', () => {
  interface Calls {
    readonly calls: unknown[];
    readonly source: Source<number>;
  }

  function recorded(name: string, fails?: 'open' | 'close'): Calls {
    const calls: unknown[] = [];
    const source = defineSource<number, number>({
      name,
      bounded: true,
      open: async () => {
        if (fails === 'open') throw new Error(`${name} is not there`);
        return {
          splits: async () => ['x/y'],
          async *read(split, from) {
            calls.push(['read', split, from]);
            yield { values: [1], position: 1 };
          },
          size: async (split) => {
            calls.push(['size', split]);
            return 7;
          },
          committed: async (positions, ended) => void calls.push(['committed', [...positions], [...ended]]),
          close: async () => {
            calls.push('close');
            if (fails === 'close') throw new Error('stuck');
          },
        };
      },
    });
    return { calls, source };
  }

  test('are told of their own splits by their own names', async () => {
    const [one, two] = [recorded('one'), recorded('two')];
    const reader = await openReader(sequence(one.source, two.source));
    const context = testContext();
    const splits: string[] = [];
    for await (const found of reader.splits(context) as AsyncIterable<readonly string[]>) splits.push(...found);
    expect(splits).toEqual(['0/x/y', '1/x/y']);
    await follow(reader, '1/x/y', context, 5).done;
    expect(await reader.size!('0/x/y')).toBe(7);
    await reader.committed!(new Map([['1/x/y', 3]]), new Set(['0/x/y']));
    await reader.close!();
    expect([one.calls, two.calls]).toEqual([
      [['size', 'x/y'], ['committed', [], ['x/y']], 'close'],
      [['read', 'x/y', 5], ['committed', [['x/y', 3]], []], 'close'],
    ]);
  });

  test('when one cannot be opened, the others are closed again', async () => {
    const [one, two, three] = [recorded('one'), recorded('two', 'open'), recorded('three', 'close')];
    const failed = new StreamEnvironment()
      .from(sequence(one.source, two.source, three.source), { uid: 'both' })
      .collect({ logger: silent });
    expect(await failed.catch((error: unknown) => error)).toMatchObject({ uid: 'both', cause: { message: 'two is not there' } });
    expect([one.calls, three.calls]).toEqual([['close'], ['close']]);
  });

  test('all are closed, also when one cannot be', async () => {
    const [one, two] = [recorded('one', 'close'), recorded('two')];
    const reader = await openReader(sequence(one.source, two.source));
    expect(await rejectionCode(reader.close!())).toMatchObject({ message: 'stuck' });
    expect(two.calls).toEqual(['close']);
  });

  test('a job that is stopped in the middle does not wait for what was to come', async () => {
    const platform = new ManualPlatform();
    const env = new StreamEnvironment({ platform });
    const seen: number[] = [];
    env.from(sequence(testSource([1, hang()]), fromArray([2]))).sinkTo(forEach((n) => seen.push(n)));
    const job = await env.start('stopped');
    await platform.settle();
    const stopped = job.stop();
    await platform.settle();
    await stopped;
    expect([seen, job.status]).toEqual([[1], 'finished']);
  });
});
