import { runApart } from './apart.ts';
import type { PauseFigures } from './checkpointPauseRun.ts';
import { type BenchResult, median } from './measure.ts';

/** How much longer the longest pause may be than without checkpoints, in ms. */
const LONGER = 20;

/**
 * A checkpoint every second of state that changes in every way, against the same without: the longest pause (the baseline is that of the
 * other side and 20 ms) and the rate, each run in a process of its own. What the latest checkpoint holds is restored and compared.
 */
export async function checkpointPause(quick: boolean): Promise<BenchResult[]> {
  const million = await compareRuns('1m', 1_000_000, quick ? 3 : 10, quick ? 1 : 5);
  return quick ? million : [...million, ...(await compareRuns('10m', 10_000_000, 30, 3))];
}

async function compareRuns(size: string, keys: number, seconds: number, rounds: number): Promise<BenchResult[]> {
  const [ours, baseline]: PauseFigures[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const [figures, isCheckpointed] of [
      [ours!, 1],
      [baseline!, 0],
    ] as const) {
      figures.push(await runApart<PauseFigures>('checkpointPauseRun.ts', [keys, seconds, isCheckpointed]));
    }
  }
  const of = (runs: readonly PauseFigures[], figure: keyof PauseFigures): number => median(runs.map((run) => run[figure]));
  const ratioOf = (ratio: (ours: PauseFigures, baseline: PauseFigures) => number): number =>
    median(ours!.map((run, round) => ratio(run, baseline![round]!)));
  return [
    {
      id: `core/checkpoint-pause-${size}`,
      ours: of(ours!, 'pause'),
      baseline: of(baseline!, 'pause') + LONGER,
      unit: 'ms',
      ratio: ratioOf((a, b) => (b.pause + LONGER) / a.pause),
    },
    {
      id: `core/checkpoint-rate-${size}`,
      ours: of(ours!, 'rate'),
      baseline: of(baseline!, 'rate'),
      unit: 'M records/s',
      ratio: ratioOf((a, b) => a.rate / b.rate),
    },
  ];
}
