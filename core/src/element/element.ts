import type { Timestamp } from '../time/timestamp.ts';

/**
 * What flows on an edge. Everything is in band and nothing overtakes: a watermark, a barrier or the end of input stands in the
 * sequence where it was emitted. Records travel in batches, so that a batch, not a record, pays for the journey.
 */
export type Element<T = unknown> = RecordBatch<T> | Watermark | WatermarkStatus | Barrier | EndOfInput;

/** Records in order, each with its timestamp (`NO_TIMESTAMP` where it has none). Immutable once emitted. */
export interface RecordBatch<out T = unknown> {
  readonly kind: 'records';
  readonly values: readonly T[];
  readonly timestamps: readonly Timestamp[];
  /** The key group of each record, on the way of a hash exchange to another host. */
  readonly keyGroups?: readonly number[];
}

/** No further element with a timestamp up to this one is expected. */
export interface Watermark {
  readonly kind: 'watermark';
  readonly timestamp: Timestamp;
}

/** An idle channel sends nothing for a while and must not hold back time. */
export interface WatermarkStatus {
  readonly kind: 'status';
  readonly idle: boolean;
}

/** Separates the records of checkpoint `checkpoint` from those after it. */
export interface Barrier {
  readonly kind: 'barrier';
  readonly checkpoint: number;
  /** A savepoint is whole in itself: no part of it is shared with another. */
  readonly savepoint: boolean;
  /** Sources stop behind this barrier. */
  readonly last: boolean;
}

/** The channel ends here. */
export interface EndOfInput {
  readonly kind: 'end';
  /** False when the job is stopped before its input is over: time does not go to its end then, and nothing fires. */
  readonly drained: boolean;
}
