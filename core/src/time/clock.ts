import type { Timestamp } from './timestamp.ts';

/** The only door to processing time. The engine and its operators ask a clock, never `Date` or `setTimeout`. */
export interface Clock {
  /** Processing time in ms since the epoch. */
  now(): Timestamp;
  /** A monotone reading in ms with fractions, for measuring lengths of time. Its zero means nothing. */
  monotonic(): number;
  /** Calls back once, when `now()` is at `time` or later, never before this call returns. The result cancels it. */
  schedule(time: Timestamp, callback: () => void): () => void;
}
