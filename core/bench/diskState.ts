import { fork } from 'node:child_process';
import type { DiskStateFigures } from './diskStateRun.ts';
import type { BenchResult } from './measure.ts';

/** What is asked for: thousands of inserts and of updates a second, and MB of resident memory. */
const RATE = 50;
const RESIDENT = 1536;

/** State much larger than the heap: 10 M keys with values of 100 bytes in a process that may use 512 MB of heap. */
export async function diskState(quick: boolean): Promise<BenchResult[]> {
  const { inserts, updates, resident } = await run(quick ? [1_000_000, 500_000] : [10_000_000, 5_000_000]);
  return [
    { id: 'core/disk-state-inserts', ours: inserts, baseline: RATE, unit: 'k/s', ratio: inserts / RATE },
    { id: 'core/disk-state-updates', ours: updates, baseline: RATE, unit: 'k/s', ratio: updates / RATE },
    { id: 'core/disk-state-resident', ours: resident, baseline: RESIDENT, unit: 'MB', ratio: RESIDENT / resident },
  ];
}

function run(sizes: readonly number[]): Promise<DiskStateFigures> {
  const execArgv = [...process.execArgv, '--max-old-space-size=512'];
  const child = fork(new URL('diskStateRun.ts', import.meta.url), sizes.map(String), { execArgv });
  return new Promise((resolve, reject) => {
    child.on('message', (figures) => resolve(figures as DiskStateFigures));
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the run ended with exit code ${String(code)}`)));
  });
}
