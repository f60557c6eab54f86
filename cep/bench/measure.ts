/** One line of a benchmark's report. `ratio` is above 1 when ours is better, whatever the unit. */
export interface BenchResult {
  readonly id: string;
  readonly ours: number;
  readonly baseline: number;
  readonly unit: string;
  readonly ratio: number;
}

/** A side of a comparison: runs once and says its figure. */
export type Side = () => number | Promise<number>;

/**
 * Runs both sides in turn, so that a machine that slows down slows both, and takes the median of each and of the ratios round by
 * round. The first round of each warms up and is not counted.
 */
export async function compare(
  id: string,
  unit: string,
  sides: { readonly ours: Side; readonly baseline: Side; readonly rounds: number; readonly higherIsBetter?: boolean },
): Promise<BenchResult> {
  const { ours, baseline, rounds, higherIsBetter = true } = sides;
  const figures: { ours: number; baseline: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const figure = { ours: await ours(), baseline: await baseline() };
    if (round > 0) figures.push(figure);
  }
  const ratios = figures.map((figure) => (higherIsBetter ? figure.ours / figure.baseline : figure.baseline / figure.ours));
  return {
    id,
    ours: median(figures.map((figure) => figure.ours)),
    baseline: median(figures.map((figure) => figure.baseline)),
    unit,
    ratio: median(ratios),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Millions of records a second. */
export function rate(records: number, milliseconds: number): number {
  return records / milliseconds / 1000;
}

/** Collects garbage between the sides, where the process was started with `--expose-gc`. */
export function collectGarbage(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
