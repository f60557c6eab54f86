import type { Codec } from '@millrace/core';
import type { Executor, LiveKey, MatchSink } from './executor.ts';
import type { RunObserver } from './runObserver.ts';

/** Whoever uses an executor: takes what it finds. */
export interface ExecutorUser extends MatchSink {
  /** Whether anybody wants to know of runs whose time is over. */
  readonly tellsTimedOut: () => boolean;
  /** A step has taken an event; for runs that are followed as sets, once for the set. */
  readonly reached?: (step: number) => void;
  /** A run whose last step that was ends without having matched, and not for want of time; for runs that are followed as sets, once for the set. */
  readonly died?: (step: number) => void;
  /** So many runs are dropped by a match that was given out. */
  readonly skipped?: (runs: number) => void;
  /** Is told what becomes of every run, by the executor that follows them one by one. */
  readonly observer?: RunObserver | undefined;
}

/** A kind of executor, chosen for a pattern. */
export interface ExecutorForm<L extends LiveKey> {
  readonly name: 'runs' | 'compact';
  /** Why this one. */
  readonly reason: string;
  readonly create: (user: ExecutorUser) => Executor<L>;
  /** How a key's state leaves memory. */
  readonly codec: Codec<L>;
}
