import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';

/** `[start, end)` in ms. */
export interface TimeWindow {
  readonly start: Timestamp;
  readonly end: Timestamp;
}

/** The one window that holds everything: what `global()` and `countWindow()` assign. */
export const GLOBAL_WINDOW: TimeWindow = Object.freeze({ start: MIN_TIMESTAMP, end: MAX_TIMESTAMP });

/** The last timestamp inside a window. A window fires when the watermark reaches it. */
export function maxTimestamp(window: TimeWindow): Timestamp {
  return window.end === MAX_TIMESTAMP ? MAX_TIMESTAMP : window.end - 1;
}

/**
 * The start of the window of length `size` ms that holds `at`, windows being shifted by `offset` ms, which may be larger than
 * `size`. Right for negative times too, and exact while `at - offset - size` is a safe integer.
 *
 * @example
 * windowStart(-1, 1_000); // -1000
 */
export function windowStart(at: Timestamp, size: number, offset = 0): Timestamp {
  // Half the cost of `%`, which is a call outside the range of int32. The quotient of two integers below 2^53 never rounds up to
  // an integer that it does not reach.
  return Math.floor((at - offset) / size) * size + offset;
}

/**
 * Which firing of its window a result is. A late firing corrects what was said before: without this, a correction would be
 * taken for a second alert. `final` says that no other firing of the window follows.
 */
export interface Pane {
  readonly timing: 'early' | 'onTime' | 'late';
  /** Counts the firings of the window from 0. */
  readonly index: number;
  readonly final: boolean;
}
