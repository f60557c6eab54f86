import { describe, expect, test } from 'vitest';
import {
  type CheckpointStorage,
  defineSink,
  defineSource,
  fixedDelay,
  memoryStorage,
  type RunOptions,
  type Sink,
  StreamEnvironment,
  valueState,
} from '../../src/index.ts';

interface Event {
  readonly at: number;
  readonly key: number;
}

const COUNT = 4000;

/** Reads slowly enough for checkpoints to fall in the middle: each batch takes a turn of the event loop. */
const events = defineSource<Event, number>({
  name: 'events',
  bounded: true,
  concurrentSplits: 4,
  open: () => ({
    splits: async () => ['0', '1', '2'],
    async *read(split, from = 0) {
      for (let at = from; at < COUNT; at += 37) {
        await new Promise((resolve) => setImmediate(resolve));
        yield {
          values: Array.from({ length: Math.min(37, COUNT - at) }, (_, i) => ({ at: at + i, key: Number(split) })),
          position: Math.min(at + 37, COUNT),
        };
      }
    },
  }),
});

/** A target with transactions: what is prepared becomes visible when it is committed, each transaction once. */
class Target<T> {
  readonly visible: T[] = [];
  private readonly committed = new Set<string>();
  private transactions = 0;

  readonly sink: Sink<T> = defineSink<T, { readonly id: string; readonly values: readonly T[] }>({
    name: 'target',
    open: () => {
      let open: T[] = [];
      return {
        write: (values) => void open.push(...values),
        prepare: async () => {
          const values = open;
          open = [];
          return values.length === 0 ? [] : [{ id: `t${++this.transactions}-${Math.random()}`, values }];
        },
        commit: async (committables) => {
          for (const { id, values } of committables) {
            if (this.committed.has(id)) continue;
            this.committed.add(id);
            this.visible.push(...values);
          }
        },
      };
    },
  });
}

/** Fails when it has seen so many elements, once per number. */
function failAt(counts: number[]): (event: Event) => Event {
  let seen = 0;
  return (event) => {
    if (++seen === counts[0]) {
      counts.shift();
      seen = 0;
      throw new Error('a failure on purpose');
    }
    return event;
  };
}

function build(env: StreamEnvironment, target: Target<string>, fail: (event: Event) => Event): void {
  env
    .from(events, { uid: 'events', time: { timestamp: (e) => e.at } })
    .map(fail, { uid: 'fail' })
    .keyBy(({ key }) => key)
    .process({
      uid: 'count',
      state: { n: valueState({ initial: 0 }) },
      timers: { tick: 'eventTime' },
      onElement({ key, at }, { state, timers }) {
        const n = state.n.value() + 1;
        state.n.update(n);
        timers.set('tick', Math.floor(at / 100) * 100 + 99);
        return [`${key}: ${at} is number ${n}`];
      },
      onTimer: ({ at }, { key }) => [`${key}: up to ${at}`],
    })
    .sinkTo(target.sink, { uid: 'target' });
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

async function run(failures: number[], options: RunOptions, storage: CheckpointStorage = memoryStorage()): Promise<string[]> {
  const target = new Target<string>();
  const env = new StreamEnvironment();
  build(env, target, failAt(failures));
  const checkpoint = { storage, every: { milliseconds: 2 } };
  await env.execute('exactly once', { logger: SILENT, checkpoint, restart: fixedDelay({ delay: {} }), ...options });
  return target.visible.sort();
}

describe('exactly once', () => {
  test.each([1, 2, 3])('with parallelism %i a job that fails again and again writes what an undisturbed one does', async (parallelism) => {
    const undisturbed = await run([], { parallelism });
    expect(undisturbed.length).toBe(3 * COUNT + 3 * (COUNT / 100));
    const disturbed = await run([500, 2000, 1, 3000, 100], { parallelism });
    expect(disturbed).toEqual(undisturbed);
  });

  test('at least once loses nothing', async () => {
    const undisturbed = await run([], {});
    const target = new Target<string>();
    const env = new StreamEnvironment();
    build(env, target, failAt([2500, 2500]));
    const checkpoint = { storage: memoryStorage(), every: { milliseconds: 2 }, mode: 'atLeastOnce' } as const;
    await env.execute('at least once', { logger: SILENT, checkpoint, restart: fixedDelay({ delay: {} }), parallelism: 2 });
    const keysOf = (lines: readonly string[]): string[] =>
      [...new Set(lines.map((line) => line.replace(/ is number.*/, '')))].filter((line) => !line.includes('up to')).sort();
    expect(keysOf(target.visible)).toEqual(keysOf(undisturbed));
  });

  test('without checkpoints a failure is the end', async () => {
    const env = new StreamEnvironment();
    build(env, new Target<string>(), failAt([10]));
    await expect(env.execute('fails', { logger: SILENT })).rejects.toMatchObject({ code: 'operator/failed', uid: 'fail' });
  });

  test('a stopped job goes on where it was, in another number of subtasks', async () => {
    const storage = memoryStorage();
    const target = new Target<string>();
    for (const parallelism of [1, 3, 2]) {
      const env = new StreamEnvironment();
      build(env, target, (event) => event);
      const job = await env.start('again', {
        logger: SILENT,
        parallelism,
        checkpoint: { storage, every: { milliseconds: 2 } },
        restore: 'latest',
      });
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      await job.stop();
    }
    const env = new StreamEnvironment();
    build(env, target, (event) => event);
    await env.execute('again', { logger: SILENT, checkpoint: { storage }, restore: 'latest' });
    expect([...target.visible].sort()).toEqual(await run([], {}));
    // Everything was done: once more nothing happens.
    const done = target.visible.length;
    const env2 = new StreamEnvironment();
    build(env2, target, (event) => event);
    await env2.execute('again', { logger: SILENT, checkpoint: { storage }, restore: 'latest' });
    expect(target.visible.length).toBe(done);
  });

  test('a savepoint starts another job elsewhere, and the first goes on', async () => {
    const savepoint = memoryStorage();
    const first = new Target<string>();
    const env = new StreamEnvironment();
    build(env, first, (event) => event);
    const job = await env.start('first', { logger: SILENT, checkpoint: { storage: memoryStorage() } });
    const turns = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    };
    await turns();
    await job.checkpoint();
    const upToSavepoint = [...first.visible];
    await turns();
    await job.savepoint(savepoint);
    // Who would have to go on from the checkpoint would write it again.
    expect(first.visible).toEqual(upToSavepoint);
    await job.finished;
    const second = new Target<string>();
    const env2 = new StreamEnvironment();
    build(env2, second, (event) => event);
    await env2.execute('second', { logger: SILENT, parallelism: 2, checkpoint: { storage: memoryStorage() }, restore: { savepoint } });
    // What the savepoint held of the first target's transactions is committed to the second one too: they are two targets.
    expect([...new Set([...upToSavepoint, ...second.visible])].sort()).toEqual([...first.visible].sort());
    expect(new Set(second.visible).size).toBe(second.visible.length);
    expect(upToSavepoint.length).toBeGreaterThan(0);
    expect(second.visible.length).toBeGreaterThan(0);
  });

  test('state without a uid of its own is refused, with all such operators', async () => {
    const env = new StreamEnvironment();
    env
      .from(events)
      .keyBy((e) => e.key)
      .reduce((a) => a)
      .sinkTo(new Target<Event>().sink);
    expect(() => env.plan({ checkpoint: { storage: memoryStorage() } })).toThrow(/source#1, reduce#1, sink#1/);
  });

  test('a checkpoint of another job is refused with both lists', async () => {
    const storage = memoryStorage();
    await run([], {}, storage);
    const env = new StreamEnvironment();
    env.from(events, { uid: 'other' }).sinkTo(new Target<Event>().sink, { uid: 'target' });
    const start = env.execute('other', { logger: SILENT, checkpoint: { storage }, restore: 'latest' });
    await expect(start).rejects.toMatchObject({ code: 'checkpoint/unmatched' });
    await expect(start).rejects.toThrow(/events, fail, count.*other/s);
  });
});
