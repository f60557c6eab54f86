import { describe, expect, test } from 'vitest';
import { type AsyncMap, type DataStream, fromArray, type MillraceError, StreamEnvironment } from '../../src/index.ts';
import { harness, type Snapshot } from '../../src/testing.ts';

/** Calls that a test answers when it likes. */
class Calls {
  readonly open = new Map<string, { resolve: (result: string) => void; reject: (error: Error) => void; signal: AbortSignal }>();
  readonly started: string[] = [];

  run = (value: string, { signal }: { signal: AbortSignal }): Promise<string> => {
    this.started.push(value);
    return new Promise((resolve, reject) => this.open.set(value, { resolve, reject, signal }));
  };

  answer(value: string): void {
    this.open.get(value)!.resolve(value.toUpperCase());
  }

  refuse(value: string): void {
    this.open.get(value)!.reject(new Error(`no ${value}`));
  }
}

function driven(calls: Calls, options: Partial<AsyncMap<string, string, undefined>> = {}, restore?: Snapshot) {
  return harness(
    (i: { in: DataStream<string> }) => {
      const out = i.in.asyncMap<string>({ run: calls.run, ...options }, { uid: 'lookup' });
      return { out, failed: out.side('failed').map(({ value, error }) => `${value}: ${(error as Error).message}`) };
    },
    restore === undefined ? {} : { restore },
  );
}

describe('asyncMap', () => {
  test('in order of input: a slow call holds back those behind it and the watermark', async () => {
    const calls = new Calls();
    const h = driven(calls);
    h.push('in', 'a', 1).push('in', 'b', 2).watermark(2).push('in', 'c', 3);
    calls.answer('c');
    calls.answer('b');
    await h.settled();
    expect(h.drain('out')).toEqual([]);
    calls.answer('a');
    await h.settled();
    expect(h.drainTimed('out')).toEqual([
      { value: 'A', timestamp: 1 },
      { value: 'B', timestamp: 2 },
      { value: 'C', timestamp: 3 },
    ]);
  });

  test('in order of completion: results pass each other, but no watermark', async () => {
    const calls = new Calls();
    const h = driven(calls, { order: 'completion' });
    h.push('in', 'a', 1).push('in', 'b', 2).watermark(2).push('in', 'c', 3);
    calls.answer('c');
    calls.answer('b');
    await h.settled();
    expect(h.drain('out')).toEqual(['B']);
    calls.answer('a');
    await h.settled();
    expect(h.drain('out')).toEqual(['A', 'C']);
  });

  test('no more calls than its capacity are under way', async () => {
    const calls = new Calls();
    const h = driven(calls, { capacity: 2 });
    h.push('in', 'a').push('in', 'b').push('in', 'c').push('in', 'd');
    expect(calls.started).toEqual(['a', 'b']);
    calls.answer('a');
    await h.settled();
    expect(calls.started).toEqual(['a', 'b', 'c']);
  });

  test('a failed call is tried again with growing pauses, then goes to the side output', async () => {
    const calls = new Calls();
    const h = driven(calls, { retry: { attempts: 3, backoff: { milliseconds: 10 } } });
    h.push('in', 'a', 7);
    calls.refuse('a');
    await h.settled();
    expect(calls.started).toEqual(['a']);
    h.processingTime(10);
    expect(calls.started).toEqual(['a', 'a']);
    calls.refuse('a');
    await h.settled();
    h.processingTime(29);
    expect(calls.started).toHaveLength(2);
    h.processingTime(30);
    expect(calls.started).toHaveLength(3);
    calls.refuse('a');
    await h.settled();
    expect(h.drainTimed('failed')).toEqual([{ value: 'a: no a', timestamp: 7 }]);
    expect(h.drain('out')).toEqual([]);
  });

  test('a call that takes too long is aborted and has failed', async () => {
    const calls = new Calls();
    const h = driven(calls, { timeout: { seconds: 1 } });
    h.push('in', 'a', 1);
    h.processingTime(1000);
    await h.settled();
    expect(h.drain('failed')).toEqual([
      "a: [async/timeout] A call took longer than 1s. Raise timeout, retry, or take the element from .side('failed').",
    ]);
    expect(calls.open.get('a')!.signal.aborted).toBe(true);
    calls.answer('a');
    await h.settled();
    expect(h.drain('out')).toEqual([]);
  });

  test('what is under way is in the snapshot, with watermarks between, and is asked again', async () => {
    const before = new Calls();
    const h = driven(before);
    h.push('in', 'a', 1).watermark(1).push('in', 'b', 2);
    const snapshot = h.snapshot();
    const after = new Calls();
    const restored = driven(after, {}, snapshot);
    expect(after.started).toEqual(['a', 'b']);
    after.answer('b');
    after.answer('a');
    await restored.settled();
    expect(restored.drainTimed('out')).toEqual([
      { value: 'A', timestamp: 1 },
      { value: 'B', timestamp: 2 },
    ]);
  });

  test('the end of input waits for the last call, and time goes to its end after it', async () => {
    const calls = new Calls();
    const h = harness((i: { in: DataStream<string> }) => ({
      out: i.in
        .asyncMap<string>({ run: calls.run })
        .keyBy((v) => v)
        .process({
          timers: { end: 'eventTime' },
          onElement(value, { timers }) {
            timers.set('end', 100);
            return [value];
          },
          onTimer: (_timer, { key }) => [`end of ${key}`],
        }),
    }));
    h.push('in', 'a', 1).end();
    expect(h.drain('out')).toEqual([]);
    calls.answer('a');
    await h.settled();
    expect(h.drain('out')).toEqual(['A', 'end of A']);
  });

  test('a resource is opened once, passed to every call, and closed', async () => {
    const log: string[] = [];
    const env = new StreamEnvironment();
    const out = await env
      .from(fromArray([1, 2, 3]))
      .asyncMap({
        open: async () => {
          log.push('open');
          return { factor: 10 };
        },
        close: () => void log.push('close'),
        run: async (n, { resource }) => n * resource.factor,
      })
      .collect();
    expect(out).toEqual([10, 20, 30]);
    expect(log).toEqual(['open', 'close']);
  });

  test('without a taker for failed calls the job fails, naming the operator', async () => {
    const env = new StreamEnvironment({ logger: { debug() {}, info() {}, warn() {}, error() {} } });
    const stream = env.from(fromArray([1])).asyncMap({ run: () => Promise.reject(new Error('down')) }, { uid: 'lookup' });
    await expect(stream.collect()).rejects.toMatchObject({ code: 'async/failed', uid: 'lookup' } satisfies Partial<MillraceError>);
  });

  test('options that cannot be are refused when the job is built', () => {
    const stream = new StreamEnvironment().from(fromArray([1]));
    expect(() => stream.asyncMap({ run: async (n) => n, capacity: 0 })).toThrow(expect.objectContaining({ code: 'graph/option' }));
    expect(() => stream.asyncMap({ run: async (n) => n, timeout: { seconds: 0 } })).toThrow(
      expect.objectContaining({ code: 'duration/invalid' }),
    );
  });
});
