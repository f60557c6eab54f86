import type { TimeWindow } from './window.ts';

/** Windows that became one. */
export interface MergedWindow {
  readonly result: TimeWindow;
  /** The different windows it is made of, at least two, by their start. */
  readonly sources: readonly TimeWindow[];
}

/**
 * Joins the windows that overlap or touch. Windows that touch no other are not mentioned.
 *
 * @example
 * mergeWindows([{ start: 0, end: 2 }, { start: 2, end: 3 }, { start: 7, end: 8 }]);
 * // [{ result: { start: 0, end: 3 }, sources: [{ start: 0, end: 2 }, { start: 2, end: 3 }] }]
 */
export function mergeWindows(windows: readonly TimeWindow[]): readonly MergedWindow[] {
  const sorted = windows.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const merged: MergedWindow[] = [];
  for (let i = 0; i < sorted.length;) {
    const first = sorted[i] as TimeWindow;
    const sources = [first];
    let end = first.end;
    for (i++; i < sorted.length; i++) {
      const next = sorted[i] as TimeWindow;
      if (next.start > end) break;
      const previous = sorted[i - 1] as TimeWindow;
      if (next.start !== previous.start || next.end !== previous.end) sources.push(next);
      end = Math.max(end, next.end);
    }
    if (sources.length > 1) merged.push({ result: { start: first.start, end }, sources });
  }
  return merged;
}
