import type { PatternNode } from './pattern.ts';

/** The events of a match by step name, each in the order in which it was taken. */
export type Matched = Readonly<Record<string, readonly unknown[]>>;

/** A step name that is not taken yet; else an error type that says so. */
export type Fresh<N extends string, M> = N extends keyof M ? { readonly '~millrace': `step '${N}' is already named` } : N;

/** `M` with the events of a step put in. */
export type Put<M, N extends string, V> = {
  readonly [P in keyof M | N]: P extends N ? V : P extends keyof M ? M[P] : never;
} & {};

/** Two matches in one. */
export type Both<M, M2> = { readonly [P in keyof M | keyof M2]: P extends keyof M2 ? M2[P] : P extends keyof M ? M[P] : never } & {};

/** The same number of events, of another type. */
export type Retyped<A, U> = A extends readonly unknown[] ? { readonly [I in keyof A]: U } : never;

/** Events of a step that is taken more than once. */
export type Repeated<A> = A extends readonly unknown[] ? RepeatedArray<A> : never;
type RepeatedArray<A extends readonly unknown[]> = readonly [] extends A ? readonly A[number][] : readonly [A[number], ...A[number][]];

/** The match with the steps `N` changed, all in the same way. */
export type Each<M, N extends PropertyKey, How extends 'repeated' | 'optional' | 'absent'> = {
  readonly [P in keyof M]: P extends N ? Changed<M[P], How> : M[P];
} & {};
type Changed<A, How> = How extends 'repeated' ? Repeated<A> : How extends 'optional' ? readonly [] | A : readonly [];

/** A pattern that can be looked for, or be a part of another. */
export interface Complete<in T, out M extends Matched> {
  readonly '~match': M;
  readonly '~event': (event: T) => void;
  /** The plain tree of the pattern, checked. */
  readonly node: PatternNode;
  /** The pattern as JSON. Functions stand in it by their names. */
  toJSON(): unknown;
}

/** What a pattern's matches look like. */
export type MatchOf<P> = P extends Complete<never, infer M> ? M : never;
