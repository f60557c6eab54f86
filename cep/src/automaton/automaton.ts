import type { Equality } from '../expression/term.ts';
import type { ConditionFunction } from '../pattern/condition.ts';

/** Whose answers are wanted where Flink differs from the plain reading of a pattern. */
export type Compat = 'flink';

/** How an event may be taken along a transition, or how it is taken without one. */
export const STRICT = 0;
export const RELAXED = 1;
export const ANY = 2;
/** Decided by the next event, which is not taken: a trailing notNext. */
export const NEXT_EVENT = 3;
/** Taken by time: an absence, a trailing notFollowedBy. */
export const TIMED = 4;
export type TransitionKind = typeof STRICT | typeof RELAXED | typeof ANY | typeof NEXT_EVENT | typeof TIMED;

export const KIND_NAMES: readonly string[] = ['next', 'followedBy', 'followedByAny', 'at the next event', 'after a time'];

/**
 * A condition as the executors ask it: a predicate of the event alone, known by its number in the mask, and what is left to be asked of each
 * run. −1: nothing.
 */
export interface Guard {
  readonly unary: number;
  readonly residual: number;
  /** Part of the residual: equality with an earlier event, by which runs can be found. −1: it says none. */
  readonly correlation: number;
  /** What is left to be asked of the runs that were found. */
  readonly rest: number;
}

/** From one state to another, by an event. A run waits in each transition that leads out of its state. */
export interface Transition {
  readonly id: number;
  /** −1: the start. */
  readonly from: number;
  readonly to: number;
  readonly kind: TransitionKind;
  readonly take: Guard;
  /** What no event after the one before may satisfy, up to and including the one that is taken. */
  readonly kills: readonly Guard[];
  /** What the very next event must not, and must, satisfy. */
  readonly firstNot: readonly Guard[];
  readonly firstMust: readonly Guard[];
  /** Takes only what is less than so many ms after the state was entered. Infinity: no limit. */
  readonly gap: number;
  /** A run whose gap is over is not told of. */
  readonly isQuiet: boolean;
  /** For timed ones: so many ms after the event before. Infinity: when the window of the pattern ends. */
  readonly after: number;
  /** Here a run waits for no event, but for being confirmed by time. */
  readonly confirms: boolean;
  /** It is confirmed even when the window of the pattern has ended before. */
  readonly outlasts: boolean;
  /** The correlation by whose earlier side the runs that wait here can be found. −1: they are looked through. */
  readonly index: number;
  /** Where there is an index: the bit by which a run tells that it has left. Else 0. */
  readonly bit: number;
}

/** Where a run stands after it took an event. */
export interface State {
  readonly id: number;
  /** The step that took the event: an index into `steps`; −1 for a state that is entered by time. */
  readonly step: number;
  /** What people call it: the step's name, and how often it was taken. */
  readonly label: string;
  /** The run is a match. */
  readonly accepts: boolean;
  /** Transitions that lead out. */
  readonly out: readonly number[];
}

/** A predicate of the event alone. */
export interface UnaryPredicate {
  readonly text: string;
  readonly test: (event: never, timestamp: number) => boolean;
  /** What every event has that satisfies it, where that can be told. */
  readonly equality?: Equality | undefined;
}

/** What is asked of a run. */
export interface ResidualPredicate {
  readonly text: string;
  readonly test: ConditionFunction;
}

/** An event agrees with an earlier one: a property of the event equals that of the first event of a step. */
export interface Correlation {
  readonly text: string;
  readonly of: (event: never) => unknown;
  readonly step: number;
  readonly to: (event: never) => unknown;
  /** Equal for those with the same earlier side. */
  readonly side: string;
}

/** A pattern compiled: states and transitions without ε, in which everything is a number. */
export interface Automaton {
  /** Names of the steps that take events. */
  readonly steps: readonly string[];
  readonly states: readonly State[];
  readonly transitions: readonly Transition[];
  /** Transitions from the start. */
  readonly starts: readonly number[];
  readonly unary: readonly UnaryPredicate[];
  readonly residual: readonly ResidualPredicate[];
  readonly correlations: readonly Correlation[];
  /** Of the whole pattern, in ms. Infinity: none. */
  readonly within: number;
  /** Different runs can be the same match: groups. */
  readonly isAmbiguous: boolean;
  /** Names the pattern's shape, for snapshots: equal where runs of one can go on in the other. */
  readonly signature: string;
}
