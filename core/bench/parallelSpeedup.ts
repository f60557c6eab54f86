import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BareWorkerData } from './bareWorker.ts';
import crossing from './crossing/job.ts';
import { type BenchResult, compare, median } from './measure.ts';
import speedup from './speedup/job.ts';
import { stepsFor } from './work.ts';

const THREADS = 2;
const KEYS = 1000;
/** Work on an element, in µs. */
const WORK = 1.5;
/** What is asked for: half of the elements cross from a thread to another within this many µs. */
const CROSSING = 50;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What two threads reach with a keyed pipeline against two loops that share nothing, and how long an element is on its way between them. */
export async function parallelSpeedup(quick: boolean): Promise<BenchResult[]> {
  const seconds = quick ? 1.5 : 5;
  const data: BareWorkerData = { steps: stepsFor(WORK), keys: KEYS };
  const rates = await compare('core/parallel-speedup', 'M records/s', {
    rounds: quick ? 1 : 5,
    ours: () => jobRate(data, seconds),
    baseline: () => bareRate(data, seconds),
  });
  return [rates, await crossingTime(quick ? 2000 : 20_000)];
}

/** How far something that tells its count now and then has come in a time: from one word of it to another. */
async function rateOf(count: () => number, seconds: number): Promise<number> {
  const first = await change(count);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const last = await change(count);
  return (last.count - first.count) / (last.at - first.at) / 1000;
}

async function change(count: () => number): Promise<{ readonly count: number; readonly at: number }> {
  const before = count();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = count();
    if (now !== before) return { count: now, at: performance.now() };
  }
}

async function jobRate(config: BareWorkerData, seconds: number): Promise<number> {
  const job = await speedup.start(config, { driver: 'workers', parallelism: THREADS, logger: SILENT });
  const done = (): number =>
    job
      .metrics()
      .operators.filter(({ uid }) => uid === 'work')
      .reduce((sum, { recordsIn }) => sum + recordsIn, 0);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const rate = await rateOf(done, seconds);
  await job.cancel();
  return rate;
}

async function bareRate(workerData: BareWorkerData, seconds: number): Promise<number> {
  const counts = Array.from({ length: THREADS }, () => 0);
  const workers = counts.map((_, thread) => {
    const worker = new Worker(new URL('./bareWorker.js', import.meta.url), { workerData });
    worker.on('message', (count: number) => void (counts[thread] = count));
    return worker;
  });
  while (counts.includes(0)) await new Promise((resolve) => setTimeout(resolve, 10));
  const rate = await rateOf(() => counts.reduce((sum, count) => sum + count), seconds);
  await Promise.all(workers.map((worker) => worker.terminate()));
  return rate;
}

async function crossingTime(elements: number): Promise<BenchResult> {
  const output = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  await crossing.run({ elements, rate: 1000, output }, { driver: 'workers', parallelism: THREADS, logger: SILENT });
  const files = await Promise.all((await readdir(output)).map((name) => readFile(join(output, name), 'utf8')));
  await rm(output, { recursive: true });
  const took = median(files.flatMap((file) => JSON.parse(file) as number[]));
  return { id: 'core/crossing', ours: took, baseline: CROSSING, unit: 'µs p50', ratio: CROSSING / took };
}
