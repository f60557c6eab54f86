import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { platform } from '#platform';
import {
  avg,
  type CheckpointStorage,
  count,
  defineSource,
  fixedDelay,
  forEach,
  fromArray,
  listState,
  mapState,
  memoryStorage,
  type RunOptions,
  session,
  StreamEnvironment,
  valueState,
} from '../../src/index.ts';
import { MapStore } from './mapStore.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

interface Event {
  readonly key: string;
  readonly n: number;
  readonly at: number;
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
});
afterAll(() => {
  // Nothing is left behind by any of the jobs.
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
});

/** Hardly any key stays in memory. */
const disk = (): RunOptions => ({ state: { backend: 'disk', directory, cacheBytes: 20_000 } });

/** Keys that come back again and again, in no order. */
function events(many: number, keys: number): Event[] {
  return Array.from({ length: many }, (_, n) => ({ key: `key-${(n * 7919) % keys}`, n, at: n * 10 }));
}

type Build = (env: StreamEnvironment, events: readonly Event[], out: (line: string) => void) => void;

const JOBS: Readonly<Record<string, Build>> = {
  'process function with timers': (env, all, out) => {
    env
      // A watermark after each record: otherwise it is a matter of the threads' timing what a timer finds.
      .from(fromArray(all), { time: { timestamp: ({ at }) => at, punctuated: (_, at) => at } })
      .keyBy(({ key }) => key)
      .process({
        state: { last: valueState<number>(), seen: listState<number>(), by: mapState<string, number>() },
        timers: { due: 'eventTime' },
        *onElement({ n, at }: Event, { key, state, timers }) {
          state.seen.add(n);
          state.by.put(`${n % 3}`, n);
          timers.set('due', at + 3_333);
          yield `${key} ${state.last.value() ?? '-'} ${[...state.seen.get()].length} ${[...state.by.keys()].join('')}`;
          state.last.update(n);
        },
        *onTimer({ at }, { key, state }) {
          yield `${key} due at ${at}: ${state.last.value() ?? '-'}`;
          if (at % 4 === 0) state.seen.clear();
        },
      })
      .sinkTo(forEach(out));
  },
  'reduce, rolling aggregate': (env, all, out) => {
    env
      .from(fromArray(all), { time: { timestamp: ({ at }) => at } })
      .keyBy(({ key }) => key)
      .reduce((a, b) => ({ ...b, n: a.n + b.n }))
      .keyBy(({ key }) => key)
      .aggregate({ n: count(), mean: avg((event: Event) => event.n) })
      .sinkTo(forEach(({ key, value }) => out(`${key} ${value.n} ${value.mean}`)));
  },
  sessions: (env, all, out) => {
    env
      .from(fromArray(all), { time: { timestamp: ({ at }) => at } })
      .keyBy(({ key }) => key)
      .window(session({ seconds: 4 }))
      .aggregate({ n: count(), mean: avg((event: Event) => event.n) })
      .sinkTo(forEach(({ key, window, value }) => out(`${key} ${window.start} ${window.end} ${value.n} ${value.mean}`)));
  },
  'interval join': (env, all, out) => {
    const left = env.from(fromArray(all), { time: { timestamp: ({ at }) => at } }).keyBy(({ key }) => key);
    const right = env.from(fromArray(all.filter(({ n }) => n % 2 === 0)), { time: { timestamp: ({ at }) => at } }).keyBy(({ key }) => key);
    left
      .intervalJoin(right, { between: [{ seconds: -2 }, { seconds: 2 }], select: (a, b) => `${a.key} ${a.n} ${b.n}` })
      .sinkTo(forEach(out));
  },
};

async function linesOf(build: Build, all: readonly Event[], options: RunOptions): Promise<string[]> {
  const lines: string[] = [];
  const env = new StreamEnvironment();
  build(env, all, (line) => lines.push(line));
  await env.execute('job', { logger: SILENT, ...options });
  return lines.sort();
}

describe('state on disk', () => {
  test.each(Object.entries(JOBS))('%s: the results of state in memory', async (_, build) => {
    const all = events(6_000, 700);
    const expected = await linesOf(build, all, {});
    expect(expected.length).toBeGreaterThan(100);
    expect(await linesOf(build, all, disk())).toEqual(expected);
  });

  test('a checkpoint of one backend is gone on from by the other', async () => {
    const all = events(900, 120);
    const undisturbed: string[] = [];
    const straight = new StreamEnvironment();
    counting(straight, all, Infinity, (line) => undisturbed.push(line));
    await straight.execute('job', { logger: SILENT });
    const storage = memoryStorage();
    const lines: string[] = [];
    for (const [i, options] of [{}, disk(), disk(), {}, disk()].entries()) {
      const env = new StreamEnvironment();
      counting(env, all, (i + 1) * 180, (line) => lines.push(line));
      await runAndStop(env, storage, { ...options, ...(i > 0 && { restore: 'latest' }) }, (i + 1) * 180, lines);
    }
    expect(lines).toEqual(undisturbed);
  });

  test('a store that fails ends the attempt with its error, and the next goes on from the checkpoint', async () => {
    const stores: MapStore[] = [];
    const openKeyStore = async (): Promise<MapStore> => {
      const store = new MapStore();
      if (stores.length === 0) store.failure = new Error('broken');
      stores.push(store);
      return store;
    };
    const env = new StreamEnvironment();
    const lines: string[] = [];
    const all = events(9_000, 8_000);
    counting(env, all, Infinity, (line) => lines.push(line));
    const errors: string[] = [];
    const logger = { ...SILENT, error: (text: string) => errors.push(text), warn: (text: string) => errors.push(text) };
    await env.execute('job', {
      logger,
      platform: { ...platform, openKeyStore },
      state: { backend: 'disk', cacheBytes: 0 },
      checkpoint: { storage: memoryStorage() },
      restart: fixedDelay({ delay: { milliseconds: 1 }, attempts: 2 }),
    });
    expect(stores.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(errors.join('\n')).toContain('broken');
    expect(new Set(lines).size).toBe(9_000);
  });

  test('a value that cannot leave memory fails the job, whatever is done about elements that fail', async () => {
    const env = new StreamEnvironment();
    env
      .from(fromArray(events(500, 400)))
      .keyBy(({ key }) => key)
      .process({
        uid: 'callbacks',
        state: { last: valueState<unknown>() },
        onElement({ n }: Event, { state }) {
          state.last.update(n === 3 ? (): number => n : n);
          return [n];
        },
      })
      .sinkTo(forEach(() => undefined));
    const run = env.execute('job', { logger: SILENT, onError: 'skip', ...disk() });
    await expect(run).rejects.toMatchObject({ code: 'codec/unsupported', uid: 'callbacks' });
  });

  test('options are checked', async () => {
    const env = new StreamEnvironment();
    counting(env, [], Infinity, () => undefined);
    await expect(env.execute('job', { state: { backend: 'disk', cacheBytes: -1 } })).rejects.toMatchObject({ code: 'graph/option' });
    const { openKeyStore: _, ...bare } = platform;
    await expect(env.execute('job', { logger: SILENT, state: { backend: 'disk' }, platform: bare })).rejects.toMatchObject({
      code: 'graph/option',
    });
  });
});

/** A running count of each key, of `upTo` events; then the source waits, unless these are all. */
function counting(env: StreamEnvironment, all: readonly Event[], upTo: number, out: (line: string) => void): void {
  const source = defineSource<Event, number>({
    name: 'events',
    bounded: true,
    open: () => ({
      splits: async () => ['all'],
      async *read(_split, from = 0, { signal }) {
        const end = Math.min(upTo, all.length);
        for (let at = from; at < end; at += 20) yield { values: all.slice(at, Math.min(at + 20, end)), position: Math.min(at + 20, end) };
        if (end < all.length) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    }),
  });
  env
    .from(source, { uid: 'events' })
    .keyBy(({ key }) => key)
    .process({
      uid: 'count',
      state: { n: valueState({ initial: 0 }) },
      onElement({ key, n }: Event, { state }) {
        state.n.update(state.n.value() + 1);
        return [`${key} ${n} ${state.n.value()}`];
      },
    })
    .sinkTo(forEach(out), { uid: 'out' });
}

/** Runs until `count` lines are out, with checkpoints on the way, then stops with a last one. */
async function runAndStop(
  env: StreamEnvironment,
  storage: CheckpointStorage,
  options: RunOptions,
  lines: number,
  out: readonly string[],
): Promise<void> {
  const job = await env.start('job', { logger: SILENT, checkpoint: { storage, every: { milliseconds: 5 } }, ...options });
  if (lines < 900) {
    while (out.length < lines) await new Promise<void>((resolve) => setImmediate(resolve));
    await job.stop();
  }
  await job.finished;
}
