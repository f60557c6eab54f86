import type { Duration } from '@millrace/core';
import type { ConditionContext, ExpressionCondition, Property } from './condition.ts';
import type { Both, Complete, Each, Fresh, Matched, Put, Retyped } from './matched.ts';

/** Options of a quantifier. */
export interface TimesOptions {
  /** Two neighbours in the loop are less than this apart. */
  readonly within?: Duration;
}

/** What becomes of other runs when a match was given out: nothing; or those that began at or before its first or its last event, or before the first or last event of a step, are dropped. */
export type AfterMatch<N> =
  | 'noSkip'
  | 'toNext'
  | 'pastLast'
  | { readonly toFirst: N; readonly throwOnMiss?: boolean }
  | { readonly toLast: N; readonly throwOnMiss?: boolean };

/** Whether an event is one to take. With a second parameter it is asked for each run; `soFar` holds what the run has taken. */
export type Test<T, M> = (event: T, soFar: Partial<M>, context: ConditionContext) => boolean;
/** The same, and it narrows the event's type. */
export type Guard<T, M, U extends T> = (event: T, soFar: Partial<M>, context: ConditionContext) => event is U;

/** What can follow in a pattern. */
export interface Links<T, M extends Matched> extends Finished<T, M> {
  /** The very next event. */
  next<const N extends string>(name: Fresh<N, M> & N): Step<T, Put<M, N, readonly [T]>, N>;
  next<M2 extends Matched>(group: Complete<T, M2>): GroupStep<T, Both<M, M2>, keyof M2>;
  /** The first later event that satisfies the step's condition. */
  followedBy<const N extends string>(name: Fresh<N, M> & N): Step<T, Put<M, N, readonly [T]>, N>;
  followedBy<M2 extends Matched>(group: Complete<T, M2>): GroupStep<T, Both<M, M2>, keyof M2>;
  /** Any later event that satisfies the step's condition. */
  followedByAny<const N extends string>(name: Fresh<N, M> & N): Step<T, Put<M, N, readonly [T]>, N>;
  followedByAny<M2 extends Matched>(group: Complete<T, M2>): GroupStep<T, Both<M, M2>, keyof M2>;
  /** The very next event must not satisfy the condition. */
  notNext<const N extends string>(name: Fresh<N, M> & N): NotStep<T, M, 'next'>;
  /** No event until the next step's may satisfy the condition. At the end of a pattern it needs a window. */
  notFollowedBy<const N extends string>(name: Fresh<N, M> & N): NotStep<T, M, 'followedBy'>;
  /** The last event is less than this after the first. */
  within(duration: Duration): Finished<T, M>;
}

/** A pattern whose steps are all said. */
export interface Finished<T, M extends Matched> extends Complete<T, M> {
  /** What becomes of other runs when a match was given out. Default: nothing (`noSkip`). */
  afterMatch(strategy: AfterMatch<keyof M & string>): Finished<T, M>;
}

/** Conditions of a step. */
interface Conditions<T, M, Self> {
  /** What an event must be; said twice, both. Data `{ expression }` in place of a function makes the pattern JSON. */
  where(test: Test<T, M> | ExpressionCondition): Self;
  /** The event's property equals that of an earlier step's first event. Faster than a `where` that says the same: runs are found by it. */
  whereEqual(of: PropertyOf<T>, step: keyof M & string, to?: Property): Self;
}

/** A field of the event, or a function of it. */
export type PropertyOf<T> = (T extends object ? keyof T & string : never) | ((event: T) => unknown);

/** An absence takes conditions and no quantifier. */
export interface NotStep<T, M extends Matched, Kind extends 'next' | 'followedBy'>
  extends Links<T, M>, Conditions<T, M, NotStep<T, M, Kind>> {
  readonly '~not': Kind;
  /** Or this. */
  or(test: Test<T, M> | ExpressionCondition): NotStep<T, M, Kind>;
  /** After `notFollowedBy`: no such event for this long after the event before; the next step begins after that. */
  absentFor(this: NotStep<T, M, 'followedBy'>, duration: Duration): Links<T, M>;
  /** At the end of a pattern, after `notFollowedBy`: it is decided this long after the event before. */
  withinPrevious(this: NotStep<T, M, 'followedBy'>, duration: Duration): Links<T, M>;
}

/** Quantifiers of a step or a group. `Many` says what it is once it is taken more than once. */
interface Quantified<Many, Maybe> {
  oneOrMore(options?: TimesOptions): Many;
  times(n: number, options?: TimesOptions): Many;
  times(from: number, to: number, options?: TimesOptions): Many;
  timesOrMore(n: number, options?: TimesOptions): Many;
  /** May be left out: then what follows is linked to what came before. */
  optional(): Maybe;
}

/** Ways of a loop. */
interface Looping<T, M, Self> {
  /** Inside the loop, each event directly follows the one before. */
  consecutive(): Self;
  /** Inside the loop, events that the step could take may be left out. */
  allowCombinations(): Self;
  /** What the loop can take is not for the step after it. */
  greedy(): Self;
  /** What the step after it can take is not for the loop, once it has taken enough. */
  reluctant(): Self;
  /** Ends the loop: neither this event nor a later one is taken by it. */
  until(test: Test<T, M> | ExpressionCondition): Self;
}

/** A step that takes events. */
export interface Step<T, M extends Matched, Last extends string>
  extends
    Links<T, M>,
    Quantified<Step<T, Each<M, Last, 'repeated'>, Last>, Step<T, Each<M, Last, 'optional'>, Last>>,
    Looping<T, M, Step<T, M, Last>> {
  where<U extends T>(guard: Guard<T, M, U>): Step<T, Put<M, Last, Retyped<M[Last], U>>, Last>;
  where(test: Test<T, M> | ExpressionCondition): Step<T, M, Last>;
  whereEqual(of: PropertyOf<T>, step: Exclude<keyof M & string, Last>, to?: Property): Step<T, M, Last>;
  /** Or this. */
  or(test: Test<T, M> | ExpressionCondition): Step<T, Put<M, Last, Retyped<M[Last], T>>, Last>;
  /** The step's first event is less than this after the event before it. */
  withinPrevious(duration: Duration): Step<T, M, Last>;
}

/** A pattern as a step of another. */
export interface GroupStep<T, M extends Matched, Names extends PropertyKey>
  extends
    Links<T, M>,
    Quantified<GroupStep<T, Each<M, Names, 'repeated'>, Names>, GroupStep<T, Each<M, Names, 'optional'>, Names>>,
    Looping<T, M, GroupStep<T, M, Names>> {
  withinPrevious(duration: Duration): GroupStep<T, M, Names>;
}

/** Where a pattern begins. */
export interface Beginning<T> {
  begin<const N extends string>(name: N): Step<T, { readonly [P in N]: readonly [T] }, N>;
  begin<M extends Matched>(group: Complete<T, M>): GroupStep<T, M, keyof M>;
}
