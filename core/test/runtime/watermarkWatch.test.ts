import { setImmediate } from 'node:timers';
import { expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import { forEach } from '../../src/connectors/forEach.ts';
import { defineSource, type Source } from '../../src/operators/connector.ts';
import type { SplitTime } from '../../src/runtime/sourceFeed.ts';
import { type WatchedSource, WatermarkWatch } from '../../src/runtime/watermarkWatch.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../../src/time/timestamp.ts';
import { recordingLogger } from '../recordingLogger.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

class FakeSource implements WatchedSource {
  readonly uid: string;
  watermark: Timestamp = MIN_TIMESTAMP;
  idle = false;
  isOver = false;
  records = 0;
  splits: SplitTime[];

  constructor(uid: string, ...splits: readonly string[]) {
    this.uid = uid;
    this.splits = splits.map((split) => ({ split, watermark: MIN_TIMESTAMP, idle: false, held: false }));
  }

  splitTimes(): readonly SplitTime[] {
    return this.splits;
  }

  /** A split's time moves, or something else about it changes. */
  set(split: string, change: Partial<SplitTime>): void {
    this.splits = this.splits.map((each) => (each.split === split ? { ...each, ...change } : each));
    const active = this.splits.filter(({ idle }) => !idle).map(({ watermark }) => watermark);
    this.idle = active.length === 0 && this.splits.length > 0;
    if (active.length > 0) this.watermark = Math.max(this.watermark, Math.min(...active));
  }
}

function watched(...sources: FakeSource[]) {
  const clock = new ManualClock(NOW);
  const logger = recordingLogger();
  const watch = new WatermarkWatch(sources, clock, logger);
  const arrive = (source: FakeSource, records: number): void => {
    source.records += records;
    watch.touch();
  };
  return { clock, logger, watch, arrive, seconds: (n: number) => clock.advanceBy({ seconds: n }) };
}

test('a split that falls behind is named, with how far, within 30 s and once', () => {
  const source = new FakeSource('payments', 'a.csv', 'b.csv');
  const { logger, arrive, seconds } = watched(source);
  source.set('a.csv', { watermark: NOW - 1_000 });
  source.set('b.csv', { watermark: NOW - 90_000 });
  for (let second = 0; second < 29; second++) {
    source.set('a.csv', { watermark: NOW + second * 1_000 });
    arrive(source, 1);
    seconds(1);
  }
  expect(logger.entries).toHaveLength(1);
  const [{ level, message, details }] = logger.entries as [(typeof logger.entries)[number]];
  expect(level).toBe('warn');
  expect(message).toMatch(/^\[watermark\/stalled\] uid "payments": .*"b\.csv".*"a\.csv".*idleAfter/s);
  expect(details).toMatchObject({ code: 'watermark/stalled', uid: 'payments', split: 'b.csv', watermark: NOW - 90_000 });
  expect(details!['behind']).toBeGreaterThan(90_000);
  for (let second = 0; second < 300; second++) {
    arrive(source, 1);
    seconds(1);
  }
  expect(logger.entries).toHaveLength(1);
});

test('a second stall is told again', () => {
  const [left, right] = [new FakeSource('left', 'l'), new FakeSource('right', 'r')];
  const { logger, arrive, seconds } = watched(left, right);
  const runFor = (n: number, moves: (second: number) => void): void => {
    for (let second = 0; second < n; second++) {
      moves(second);
      right.set('r', { watermark: right.watermark + 1_000 });
      arrive(right, 1);
      seconds(1);
    }
  };
  right.set('r', { watermark: NOW });
  runFor(30, () => undefined);
  expect(logger.of('warn')).toEqual([expect.stringMatching(/uid "left": There has been no watermark.*split "l".*no time yet.*"right"/s)]);
  runFor(30, (second) => left.set('l', { watermark: NOW + second }));
  expect(logger.entries).toHaveLength(1);
  runFor(30, () => undefined);
  expect(logger.entries).toHaveLength(2);
  expect(logger.entries[1]!.details).toMatchObject({ uid: 'left', watermark: NOW + 29 });
});

test('time that stands while its own elements come: a timestamp from the future, timestamps that do not rise', () => {
  for (const [watermark, expected] of [
    [NOW + 3_600_000, /from the future/],
    [NOW - 3_600_000, /do not rise/],
  ] as const) {
    const source = new FakeSource('clicks', 'only');
    const { logger, arrive, seconds } = watched(source);
    source.set('only', { watermark });
    for (let second = 0; second < 30; second++) {
      arrive(source, 50);
      seconds(1);
    }
    expect(logger.of('warn')).toEqual([expect.stringMatching(expected)]);
  }
});

test('a subtask that has no split is told', () => {
  const [busy, none] = [new FakeSource('clicks', 'only'), new FakeSource('clicks')];
  const { logger, arrive, seconds } = watched(busy, none);
  for (let second = 0; second < 30; second++) {
    busy.set('only', { watermark: NOW + second });
    arrive(busy, 1);
    seconds(1);
  }
  expect(logger.entries.map(({ message, details }) => [message, details])).toEqual([
    [expect.stringMatching(/none of its splits .*parallelism/), expect.objectContaining({ split: null, watermark: null, behind: null })],
  ]);
});

test('nothing is told of what is in order', () => {
  const quiet = (change: (slow: FakeSource) => void, records = 1): readonly string[] => {
    const [fast, slow] = [new FakeSource('fast', 'f'), new FakeSource('slow', 's')];
    const { logger, arrive, seconds } = watched(fast, slow);
    slow.set('s', { watermark: NOW });
    change(slow);
    for (let second = 0; second < 60; second++) {
      fast.set('f', { watermark: NOW + second * 1_000 });
      if (records > 0) arrive(fast, records);
      seconds(1);
    }
    return logger.of('warn');
  };
  expect(quiet(() => undefined)).toHaveLength(1);
  expect(quiet((slow) => slow.set('s', { idle: true }))).toEqual([]);
  expect(quiet((slow) => slow.set('s', { held: true }))).toEqual([]);
  expect(quiet((slow) => (slow.isOver = true))).toEqual([]);
  // Nobody sends: there is nothing to wait for.
  expect(quiet(() => undefined, 0)).toEqual([]);
});

test('a few elements out of order are no stall', () => {
  const source = new FakeSource('slow', 'only');
  const { logger, arrive, seconds } = watched(source);
  source.set('only', { watermark: NOW });
  for (let minute = 0; minute < 60; minute++) {
    arrive(source, 1);
    seconds(60);
  }
  expect(logger.entries).toEqual([]);
});

test('without elements no timer runs, and none after the job', () => {
  const source = new FakeSource('payments', 'only');
  const { clock, watch, arrive, seconds } = watched(source);
  expect(clock.next()).toBeUndefined();
  arrive(source, 1);
  expect(clock.next()).toBe(NOW + 5_000);
  source.set('only', { watermark: MAX_TIMESTAMP });
  seconds(60);
  expect(clock.next()).toBeUndefined();
  arrive(source, 1);
  watch.close();
  expect(clock.next()).toBeUndefined();
  watch.touch();
  expect(clock.next()).toBeUndefined();
});

/** A source whose elements the test gives, split by split. */
function fed(splits: readonly string[]): { readonly source: Source<number>; readonly give: (split: string, at: number) => void } {
  const waiting = new Map(splits.map((split) => [split, new Array<number>()]));
  const wakes = new Set<() => void>();
  const source = defineSource<number, number>({
    name: 'fed',
    bounded: false,
    open: () => ({
      splits: async () => splits,
      async *read(split, from = 0, { signal }) {
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        for (let position = from; !signal.aborted;) {
          const values = waiting.get(split)!.splice(0);
          position += values.length;
          if (values.length > 0) yield { values, position };
          else await Promise.race([aborted, new Promise<void>((resolve) => wakes.add(resolve))]);
        }
      },
    }),
  });
  const give = (split: string, at: number): void => {
    waiting.get(split)!.push(at);
    for (const wake of wakes) wake();
    wakes.clear();
  };
  return { source, give };
}

test('a running job reports the split of its source that holds time back', async () => {
  const clock = new ManualClock(NOW);
  const logger = recordingLogger();
  const { source, give } = fed(['p0', 'p1']);
  const env = new StreamEnvironment({ logger, platform: { clock, later: (callback) => void setImmediate(callback) } });
  env.from(source, { uid: 'feed', time: { timestamp: (at) => at } }).sinkTo(forEach(() => undefined));
  const job = await env.start('stalls');
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  give('p1', NOW - 60_000);
  for (let second = 0; second < 30; second++) {
    give('p0', NOW + second * 1_000);
    await settled();
    clock.advanceBy({ seconds: 1 });
  }
  expect(logger.entries.map(({ details }) => details)).toEqual([
    expect.objectContaining({ code: 'watermark/stalled', uid: 'feed', split: 'p1', watermark: NOW - 60_001 }),
  ]);
  await job.cancel();
  expect(clock.next()).toBeUndefined();
});
