import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runApart } from './apart.ts';
import { type BenchResult, median } from './measure.ts';
import type { RecoveryFigures } from './recoveryRun.ts';

/** From the start of the process to its first correct output, in s, with a count and a sum for each of so many keys of text. */
export async function recovery(quick: boolean): Promise<BenchResult[]> {
  const million = await recover('core/recovery-1m', 1_000_000, 3, quick ? 1 : 5);
  return quick ? [million] : [million, await recover('core/recovery-10m', 10_000_000, 10, 3)];
}

/** `within`: what is asked for. */
async function recover(id: string, keys: number, within: number, rounds: number): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const times: number[] = [];
  try {
    await runApart<RecoveryFigures>('recoveryRun.ts', [folder, keys, 'fill']);
    for (let round = 0; round < rounds; round++) {
      const start = Date.now();
      const { at } = await runApart<RecoveryFigures>('recoveryRun.ts', [folder, keys, 'restart']);
      times.push((at - start) / 1000);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const ours = median(times);
  return { id, ours, baseline: within, unit: 's', ratio: within / ours };
}
