import type { Key, OperatorOptions, Timestamp } from '@millrace/core';
import type { Compat } from '../automaton/automaton.ts';
import type { AfterMatch } from '../pattern/language.ts';
import type { EmitMode, MaxPartials } from '../pattern/pattern.ts';
import type { TraceOptions } from '../trace/traceStep.ts';

/** Options of `detect`. `M` is the pattern's match, `T` the event. */
export interface DetectOptions<T, M> extends OperatorOptions {
  /** What becomes of other runs when a match was given out; overrides the pattern's own. Default: nothing (`noSkip`). */
  readonly afterMatch?: AfterMatch<keyof M & string>;
  /**
   * What an event that completes matches gives: all of them (default), the first (the longest, then that with the earliest events), one
   * output for the event itself (`exists`), or a number of them.
   */
  readonly emit?: EmitMode;
  /** How many partial matches a key may have, and what happens to more. Default: any number. */
  readonly maxPartials?: MaxPartials;
  /** Whose clock windows and absences go by. Default: `eventTime`. */
  readonly time?: 'eventTime' | 'processingTime';
  /** The order of events of one time. Default: that in which they come. */
  readonly compare?: (a: T, b: T) => number;
  /** Flink's answers, as far as they are to be had, where it differs from the plain reading of a pattern. */
  readonly compat?: Compat;
  /** Tells of a few keys what becomes of each of their partial matches, and why each died. */
  readonly trace?: TraceOptions<M>;
}

/** What `select` is told beside the match. */
export interface MatchContext<K extends Key = Key> {
  readonly key: K;
  /** The times of the match's first and last event, in ms. */
  readonly start: Timestamp;
  readonly end: Timestamp;
}
