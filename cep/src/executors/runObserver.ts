import type { Guard, Transition } from '../automaton/automaton.ts';
import type { Run } from './run.ts';

/** Why a partial match has come to its end: an event that must not come, the very next event, a window, a match of others, a limit. */
export type DeathReason = 'condition' | 'contiguity' | 'window' | 'skip' | 'cap';

/** Why a run waits for nothing any more: it has died, or has gone on. */
export type RunEnd = DeathReason | 'taken';

/** Is told what becomes of every run: for traces. */
export interface RunObserver {
  /** An event was taken, or an absence has lasted; a run without a parent has begun. */
  took(run: Run): void;
  /** A run waits for nothing any more. `transition`: where it waited last; `guard`: what has ended it there. */
  ended(run: Run, end: RunEnd, transition?: Transition, guard?: Guard): void;
  /** A complete match was dropped before it could be given out. */
  spoiled(run: Run): void;
}
