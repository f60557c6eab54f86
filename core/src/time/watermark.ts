import type { Duration } from './duration.ts';
import type { Timestamp } from './timestamp.ts';

/**
 * Sources that drift apart wait for each other: a split is not read while it is more than `maxDrift` ahead of the slowest of its `group`, which may be
 * of another source and on another thread. Threads and processes tell each other every 20 ms: let `maxDrift` be more than is read in such a time.
 */
export interface WatermarkAlignment {
  readonly group: string;
  readonly maxDrift: Duration;
}

/**
 * How a stream gets its time. `timestamp` reads it from the element (an integer in ms; anything else rejects the element).
 * Each split of a source has a watermark of its own; the source's is the smallest of them.
 */
export interface EventTime<in T> {
  readonly timestamp: (value: T) => Timestamp;
  /** How late an element may be without being late: the watermark is the largest timestamp seen − this − 1 ms. Default 0. */
  readonly outOfOrder?: Duration;
  /** The watermark as an element carries it, in place of the largest timestamp: `undefined` where it carries none. */
  readonly punctuated?: (value: T, timestamp: Timestamp) => Timestamp | undefined;
  /** A split that is silent for this long no longer holds the watermark back. Default: it always does. */
  readonly idleAfter?: Duration;
  readonly alignment?: WatermarkAlignment;
}

/** The watermark of one split. Its state survives a restore, else closed windows would open again. */
export interface WatermarkGenerator<in T> {
  /** Called once per batch with its largest timestamp. */
  onMaxTimestamp(timestamp: Timestamp): void;
  /** Called per element, for punctuated watermarks only; true when the watermark moved and should be emitted at once. */
  onElement?(value: T, timestamp: Timestamp): boolean;
  /** `MIN_TIMESTAMP` before the first element. Never goes back. */
  current(): Timestamp;
  /** The watermark's state as one number, and its return. */
  snapshot(): Timestamp;
  restore(state: Timestamp): void;
}
