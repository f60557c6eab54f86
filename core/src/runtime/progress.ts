import type { InputSize, SizeUnit } from './inputSize.ts';

/** How far a bounded source that knows its size has come. */
export interface SourceProgress {
  readonly uid: string;
  readonly unit: SizeUnit;
  readonly read: number;
  readonly total: number;
}

/** How far a job's bounded sources have come, of those that know their size. */
export interface Progress {
  /** From 0 to 1. Sources of the same unit count together; of the units the one that is furthest behind. */
  readonly fraction: number;
  readonly sources: readonly SourceProgress[];
}

/** A source, how much it holds and how much of it was read. */
export interface MeasuredSource {
  readonly uid: string;
  readonly size: InputSize;
  readonly read: (unit: SizeUnit) => number;
}

/** Progress of some sources; `undefined` when none of them knows its size. */
export function progressOf(measured: readonly MeasuredSource[]): Progress | undefined {
  const sources = measured.flatMap(({ uid, size, read }): SourceProgress[] => {
    const { known } = size;
    return known === undefined ? [] : [{ uid, ...known, read: read(known.unit) }];
  });
  if (sources.length === 0) return undefined;
  const fractions = (['bytes', 'records'] as const).flatMap((unit) => fractionOf(sources.filter((source) => source.unit === unit)));
  return { fraction: Math.min(1, ...fractions), sources };
}

function fractionOf(sources: readonly SourceProgress[]): number[] {
  const total = sources.reduce((sum, source) => sum + source.total, 0);
  // Empty files are read as soon as they are opened.
  if (total === 0) return [];
  return [sources.reduce((sum, source) => sum + Math.min(source.read, source.total), 0) / total];
}
