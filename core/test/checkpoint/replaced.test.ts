import { expect, test } from 'vitest';
import { Lease } from '../../src/checkpoint/lease.ts';
import { memoryStorage } from '../../src/checkpoint/memoryStorage.ts';
import type { CheckpointStorage } from '../../src/checkpoint/storage.ts';
import { defineSink, fixedDelay, generator, type Job, noRestart, type Sink, StreamEnvironment } from '../../src/index.ts';

/** Somebody else takes the location, as after a sleep that was longer than the lease. */
async function takeOver(storage: CheckpointStorage): Promise<void> {
  const now = Date.now() + 1e9;
  const clock = { now: () => now, monotonic: () => 0, schedule: () => () => undefined };
  expect(await Lease.acquire(storage, { owner: 'another', clock, duration: 1e9 })).toBeDefined();
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

interface Watched {
  readonly opened: boolean[];
  recover: () => Promise<void>;
}

function watched(watch: Watched): Sink<number> {
  return defineSink<number, number>({
    name: 'watched',
    open: ({ restored }) => {
      watch.opened.push(restored);
      return {
        write: () => undefined,
        prepare: async () => [],
        commit: async () => undefined,
        recover: async () => watch.recover(),
      };
    },
  });
}

async function start(storage: CheckpointStorage, watch: Watched, visit: (n: number) => number, isRestored = false): Promise<Job> {
  const env = new StreamEnvironment();
  env
    .from(generator({ create: (n) => n }), { uid: 'numbers' })
    .map(visit, { uid: 'visit' })
    .sinkTo(watched(watch), { uid: 'output' });
  return env.start('replaced', {
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    checkpoint: { storage, standby: false },
    restart: isRestored ? noRestart() : fixedDelay({ delay: { milliseconds: 1 }, attempts: 3 }),
    ...(isRestored && { restore: 'latest' }),
  });
}

test('a job that was replaced while it failed does not start again: nothing is made visible by what it would restore', async () => {
  const storage = memoryStorage();
  const watch: Watched = { opened: [], recover: async () => undefined };
  let fails = false;
  const job = await start(storage, watch, (n) => {
    if (fails) throw new Error('on purpose');
    return n;
  });
  await turns();
  await job.checkpoint();
  await takeOver(storage);
  fails = true;
  await expect(job.finished).rejects.toMatchObject({ code: 'checkpoint/fenced' });
  expect(watch.opened).toEqual([false]);
});

test('one that was replaced while it restored fails of that, whatever it misses', async () => {
  const storage = memoryStorage();
  const watch: Watched = { opened: [], recover: async () => undefined };
  const first = await start(storage, watch, (n) => n);
  await turns();
  await first.checkpoint();
  await first.cancel();
  watch.recover = async () => {
    await takeOver(storage);
    throw new Error('it is gone');
  };
  await expect(start(storage, watch, (n) => n, true)).rejects.toMatchObject({ code: 'checkpoint/fenced' });
  watch.recover = async () => {
    throw new Error('it is gone');
  };
  const other = memoryStorage();
  const second = await start(other, watch, (n) => n);
  await turns();
  await second.checkpoint();
  await second.cancel();
  await expect(start(other, watch, (n) => n, true)).rejects.toMatchObject({ code: 'sink/failed' });
});
