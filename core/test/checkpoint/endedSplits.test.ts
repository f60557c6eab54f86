import { describe, expect, test } from 'vitest';
import { defineSource, discard, fixedDelay, memoryStorage, type Source, StreamEnvironment, sequence } from '../../src/index.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What a source was told: the positions, and which splits have ended. */
type Told = readonly [positions: Readonly<Record<string, number>>, ended: readonly string[]];

interface Queue {
  readonly told: Told[];
  /** Splits that end when they have given so many numbers; others never do. */
  readonly ends: Readonly<Record<string, number>>;
  /** Called with what is told, before it is noted. */
  onTold?: (ended: readonly string[]) => void;
  isClosed?: boolean;
}

function source(queue: Queue, bounded = false): Source<number> {
  return defineSource<number, number>({
    name: 'queue',
    bounded,
    concurrentSplits: Infinity,
    open: () => ({
      splits: async () => Object.keys(queue.ends),
      async *read(split, from = 0, { later, signal }) {
        for (let n = from; n < queue.ends[split]! && !signal.aborted; n++) {
          yield { values: [n], position: n + 1 };
          await new Promise<void>((resolve) => later(resolve));
        }
      },
      async committed(positions, ended) {
        queue.onTold?.([...ended].sort());
        await new Promise((resolve) => setImmediate(resolve));
        expect(queue.isClosed).not.toBe(true);
        queue.told.push([Object.fromEntries(positions), [...ended].sort()]);
      },
      close: async () => void (queue.isClosed = true),
    }),
  });
}

function environment(input: Source<number>): StreamEnvironment {
  const env = new StreamEnvironment();
  env.from(input, { uid: 'queue' }).sinkTo(discard(), { uid: 'output' });
  return env;
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a split that was read to its end', () => {
  test('is told once, with its last position, when the checkpoint behind it is complete', async () => {
    const queue: Queue = { told: [], ends: { short: 3, empty: 0, endless: Infinity } };
    const job = await environment(source(queue)).start('ended', { logger: SILENT, checkpoint: { storage: memoryStorage() } });
    await turns();
    expect(queue.told).toEqual([]);
    await job.savepoint(memoryStorage());
    expect(queue.told).toEqual([]);
    await job.checkpoint();
    const at = queue.told[0]![0]['endless']!;
    expect(at).toBeGreaterThan(3);
    expect(queue.told).toEqual([[{ short: 3, endless: at }, ['empty', 'short']]]);
    await turns();
    await job.checkpoint();
    expect(queue.told[1]).toEqual([{ endless: expect.any(Number) }, []]);
    expect(queue.told[1]![0]['endless']).toBeGreaterThan(at);
    await job.cancel();
  });

  test('is told by the last checkpoint of a job, before the source is closed', async () => {
    for (const parallelism of [1, 2]) {
      const queue: Queue = { told: [], ends: { a: 3, b: 5 } };
      await environment(source(queue, true)).execute('ended', {
        logger: SILENT,
        mode: 'streaming',
        parallelism,
        checkpoint: { storage: memoryStorage() },
      });
      expect(Object.assign({}, ...queue.told.map(([positions]) => positions))).toEqual({ a: 3, b: 5 });
      expect(queue.told.flatMap(([, ended]) => ended).sort()).toEqual(['a', 'b']);
      expect(queue.isClosed).toBe(true);
    }
  });

  test('that is stopped, tells where its splits were left', async () => {
    const queue: Queue = { told: [], ends: { short: 2, endless: Infinity } };
    const job = await environment(source(queue)).start('stopped', { logger: SILENT, checkpoint: { storage: memoryStorage() } });
    await turns();
    await job.stop();
    expect(queue.told.at(-1)).toEqual([{ short: 2, endless: expect.any(Number) }, ['short']]);
  });

  test('is told again until the source has heard it, though nothing of it is read again', async () => {
    // The second time beside another that never ends, the first time when all is over.
    for (const ends of [
      { a: 3, b: 2 },
      { a: 3, endless: Infinity },
    ] as Queue['ends'][]) {
      const ended = Object.keys(ends).filter((split) => ends[split] !== Infinity);
      let failures = 2;
      const heard: (readonly string[])[] = [];
      const queue: Queue = {
        told: [],
        ends,
        onTold: (names) => {
          queue.isClosed = false;
          heard.push(names);
          if (names.length === ended.length && failures-- > 0) throw new Error('the queue is away');
        },
      };
      const job = await environment(source(queue)).start('again', {
        logger: SILENT,
        checkpoint: { storage: memoryStorage() },
        restart: fixedDelay({ delay: {} }),
      });
      await turns();
      while (queue.told.length === 0) {
        await job.checkpoint().catch(() => undefined);
        await turns();
      }
      expect(heard.filter((names) => names.length === ended.length)).toHaveLength(3);
      expect(queue.told[0]![1]).toEqual(ended);
      expect(queue.told[0]![0]).toMatchObject(Object.fromEntries(ended.map((split) => [split, ends[split]])));
      await job.cancel().catch(() => undefined);
    }
  });

  test('is told by a job that goes on with another number of subtasks', async () => {
    const ends = { a: 1, b: 2, c: 3, d: Infinity };
    const savepoint = memoryStorage();
    const before: Queue = { told: [], ends };
    const options = { logger: SILENT, checkpoint: { storage: memoryStorage() } };
    const job = await environment(source(before)).start('first', { ...options, parallelism: 3 });
    await turns();
    await job.savepoint(savepoint);
    await job.cancel();
    expect(before.told).toEqual([]);
    for (const parallelism of [1, 2]) {
      const after: Queue = { told: [], ends };
      const next = await environment(source(after)).start('first', {
        logger: SILENT,
        checkpoint: { storage: memoryStorage() },
        restore: { savepoint },
        parallelism,
      });
      await turns();
      await next.checkpoint();
      expect(after.told.flatMap(([, ended]) => ended).sort()).toEqual(['a', 'b', 'c']);
      expect(Object.assign({}, ...after.told.map(([positions]) => positions))).toMatchObject({ a: 1, b: 2, c: 3 });
      await next.cancel();
    }
  });

  test('of a sequence is told to its own source, by its own name', async () => {
    const first: Queue = { told: [], ends: { a: 2, none: 0 } };
    const second: Queue = { told: [], ends: { a: 4 } };
    await environment(sequence(source(first, true), source(second, true))).execute('ended', {
      logger: SILENT,
      mode: 'streaming',
      checkpoint: { storage: memoryStorage() },
    });
    expect(first.told).toEqual([[{ a: 2 }, ['a', 'none']]]);
    expect(second.told).toEqual([[{ a: 4 }, ['a']]]);
  });
});
