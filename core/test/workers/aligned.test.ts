import { describe, expect, test } from 'vitest';
import { fixedDelay, memoryStorage } from '../../src/index.ts';
import aligned, { type AlignedConfig } from './fixtures/aligned/job.ts';

const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** How far each split was ahead of the slowest, in seconds of event time. */
async function furthest(splits: AlignedConfig['splits'], maxDrift: number | undefined, parallelism: number): Promise<number[]> {
  const names = Object.keys(splits);
  const seen = new SharedArrayBuffer(names.length * 8);
  await aligned.run({ splits, seen, ...(maxDrift !== undefined && { maxDrift }) }, { logger, driver: 'workers', parallelism });
  return [...new Int32Array(seen, names.length * 4)];
}

describe('splits on several workers', { timeout: 60_000 }, () => {
  const BATCH = 50;

  test('wait for the slowest, wherever it is', async () => {
    for (const [slow, parallelism] of [
      [0, 2],
      [1, 3],
    ] as const) {
      const splits = Object.fromEntries([0, 1, 2].map((i) => [`split ${i}`, { seconds: 10_000, batch: i === slow ? 5 : BATCH }]));
      const ahead = await furthest(splits, 1_500, parallelism);
      // What was read before the drift was too large may be a batch more.
      expect(Math.max(...ahead)).toBeLessThanOrEqual(1_500 + BATCH);
      expect(Math.max(...ahead)).toBeGreaterThan(1_000);
    }
  });

  test('that are no group do not', async () => {
    const splits = { slow: { seconds: 10_000, batch: 1 }, fast: { seconds: 10_000, batch: BATCH } };
    expect(Math.max(...(await furthest(splits, undefined, 2)))).toBeGreaterThan(5_000);
  });

  test('do not wait for who has ended, or was never there', async () => {
    // The one ends long before the other; then there is a worker without any.
    const both = { short: { seconds: 100, batch: 10 }, long: { seconds: 5_000, batch: BATCH } };
    await furthest(both, 10, 2);
    await furthest({ short: both.short }, 10, 2);
  });

  test('tell each other in child processes too', async () => {
    const splits = { slow: { seconds: 500, batch: 5 }, fast: { seconds: 500, batch: BATCH } };
    const job = await aligned.start({ splits, maxDrift: 100 }, { logger, driver: 'processes', parallelism: 2 });
    await job.finished;
    const read = job.metrics().operators.filter(({ uid }) => uid === 'look');
    expect(read.map(({ recordsIn }) => recordsIn)).toEqual([500, 500]);
  });

  test('go on from a checkpoint as a group', async () => {
    const splits = Object.fromEntries(
      [0, 1].map((i) => [`split ${i}`, { seconds: i === 0 ? 10_000_000 : 6_000, batch: i === 0 ? 5 : BATCH }]),
    );
    const checkpoint = { storage: memoryStorage() };
    const seen = new SharedArrayBuffer(16);
    const at = new Int32Array(seen, 0, 2);
    const options = { logger, driver: 'workers', parallelism: 2, checkpoint, restart: fixedDelay({ delay: {} }) } as const;
    for (const restore of [undefined, 'latest'] as const) {
      const job = await aligned.start({ splits, seen, maxDrift: 1_500 }, { ...options, ...(restore !== undefined && { restore }) });
      while (Atomics.load(at, 0) < (restore === undefined ? 2_000 : 4_000)) await new Promise((resolve) => setImmediate(resolve));
      await job.stop();
    }
    expect(Math.max(...new Int32Array(seen, 8))).toBeLessThanOrEqual(1_500 + BATCH);
  });
});
