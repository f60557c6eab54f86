import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defineSink, generator, type Job, memoryStorage, type RunOptions, type Sink, StreamEnvironment } from '../../src/index.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const CREDIT = 64;
/** Two ways into the map, two times two into the sink. */
const WAYS = 6;
/** What a subtask has at hand beside what waits in its ways: a batch of the sink's that is being written. */
const AT_HAND = 2 * 256;
const MB = 2 ** 20;

/** How many elements have left the source, and arrived. */
interface Flow {
  sent: number;
  written: number;
  most: number;
}

/** An endless source, two shuffles, and a sink that takes an element after the other when `turn` says so. */
async function start(flow: Flow, turn: () => Promise<void>, options: RunOptions): Promise<Job> {
  const slow: Sink<number> = defineSink<number>({
    name: 'slow',
    open: () => ({
      write: () => undefined,
      async writeOne() {
        await turn();
        flow.written++;
        flow.most = Math.max(flow.most, flow.sent - flow.written);
      },
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });
  const env = new StreamEnvironment();
  env
    .from(generator({ create: (i) => i }), { uid: 'numbers', parallelism: 1 })
    .map(
      (n) => {
        flow.sent++;
        return n;
      },
      { uid: 'sent', parallelism: 1 },
    )
    .rebalance()
    .map((n) => n, { uid: 'between' })
    .keyBy((n) => n % 10)
    .reduce((a, b) => a + b, { uid: 'sums' })
    .sinkTo(slow, { uid: 'slow' });
  return env.start('slow', { parallelism: 2, logger: SILENT, credit: CREDIT, ...options });
}

describe('a slow sink on a source without end', () => {
  test('holds the source back: what is under way stays within the credit', async () => {
    const flow: Flow = { sent: 0, written: 0, most: 0 };
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const job = await start(flow, turn, {});
    while (flow.written < 5000) await pause(1);
    await job.cancel();
    expect(flow.most).toBeLessThanOrEqual(WAYS * CREDIT + AT_HAND);
  });

  test.runIf(process.env['MILLRACE_LONG'] === '1')(
    'for a minute: memory is flat, and a checkpoint takes at most three seconds',
    { timeout: 180_000 },
    async () => {
      const flow: Flow = { sent: 0, written: 0, most: 0 };
      // A thousand a second altogether, whatever a timeout takes: as many at once as are due.
      const began = performance.now();
      const turn = async (): Promise<void> => {
        while (flow.written >= performance.now() - began) await pause(1);
      };
      const storage = memoryStorage();
      const job = await start(flow, turn, { credit: 8192, checkpoint: { storage, every: { seconds: 1 } } });
      const held: number[] = [];
      let slowest = 0;
      for (let second = 0; second < 60; second++) {
        await pause(1000);
        held.push(process.memoryUsage().rss);
        slowest = Math.max(slowest, ...job.checkpoints()!.recent.map(({ took }) => took));
      }
      const { completed } = job.checkpoints()!;
      await job.cancel();
      expect(flow.written).toBeGreaterThan(30_000);
      expect(completed).toBeGreaterThan(10);
      expect(slowest).toBeLessThanOrEqual(3000);
      // The least of ten seconds near the beginning, and at the end.
      expect(Math.min(...held.slice(50)) - Math.min(...held.slice(10, 20))).toBeLessThan(30 * MB);
    },
  );
});
