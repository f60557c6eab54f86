import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import fires from './fixtures/fires/job.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const MB = 2 ** 20;
/** More than this would be the results of 1 M windows waiting somewhere. */
const MOST_GROWTH = 100 * MB;

let root: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'millrace-fires-'))));
afterAll(async () => rm(root, { recursive: true, force: true }));

/** Runs the job on two workers; what it says in the end, and by how much memory has grown while the windows fired. */
async function run(windows: number, credit: number): Promise<{ readonly totals: readonly number[]; readonly growth: number }> {
  const output = join(root, `${windows}`);
  const job = await fires.start({ windows, output }, { driver: 'workers', parallelism: 2, mode: 'streaming', credit, logger: SILENT });
  let before: number | undefined;
  let most = 0;
  const looks = setInterval(() => {
    const isFiring = job.metrics().operators.some(({ uid, recordsOut }) => uid === 'windows' && recordsOut > 0);
    const { rss } = process.memoryUsage();
    if (isFiring) before ??= rss;
    if (before !== undefined) most = Math.max(most, rss - before);
  }, 50);
  await job.finished.finally(() => clearInterval(looks));
  const totals = JSON.parse(await readFile(output, 'utf8')) as [number, { windows: number; elements: number }][];
  const add = (of: 'windows' | 'elements'): number => totals.reduce((sum, [, total]) => sum + total[of], 0);
  return { totals: [add('windows'), add('elements')], growth: most };
}

test('one watermark fires far more windows than there is credit for', { timeout: 180_000 }, async () => {
  expect((await run(3_000, 1)).totals).toEqual([3_000, 3_000]);
  expect((await run(20_000, 64)).totals).toEqual([20_000, 20_000]);
});

test.runIf(process.env['MILLRACE_LONG'] === '1')('a million windows, in flat memory', { timeout: 600_000 }, async () => {
  const { totals, growth } = await run(1_000_000, 1024);
  expect(totals).toEqual([1_000_000, 1_000_000]);
  expect(growth).toBeLessThan(MOST_GROWTH);
});
