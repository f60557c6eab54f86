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
export declare function compare(id: string, unit: string, sides: {
    readonly ours: Side;
    readonly baseline: Side;
    readonly rounds: number;
    readonly higherIsBetter?: boolean;
}): Promise<BenchResult>;
export declare function median(values: readonly number[]): number;
/** Millions of records a second. */
export declare function rate(records: number, milliseconds: number): number;
/** Collects garbage between the sides, where the process was started with `--expose-gc`. */
export declare function collectGarbage(): void;
