import type { Key, Timestamp } from '@millrace/core';
import type { DeathReason } from '../executors/runObserver.ts';

/** What became of one partial match. */
export interface TraceStep<M> {
  /** When it happened: the time of an event, or that at which time alone decided it, in ms. */
  readonly at: Timestamp;
  /** It took an event (or an absence has lasted), was given out as a match, or has died. */
  readonly what: 'took' | 'matched' | 'died';
  /**
   * Why it died: an event came that must not come (`condition`); the very next event was not the one that must come (`contiguity`); a window
   * was over (`window`); a match that was given out drops it (`skip`); there were too many (`cap`).
   */
  readonly why?: DeathReason;
  /** Its events so far. */
  readonly match: Partial<M>;
  /** All of that for people, on one line. Events are told by their steps and times. */
  readonly text: string;
}

/** Which keys `detect` traces, and where to. */
export interface TraceOptions<M> {
  readonly keys: readonly Key[];
  /** Takes each step. Default: prints the key and the step's text to the console. */
  readonly log?: (step: TraceStep<M>, key: Key) => void;
}
