import { aggregate, type Aggregate, type AggregateShape } from '../state/aggregate.ts';

/** What a window makes of its elements one by one, holding accumulators in place of them. */
export interface WindowAggregate {
  readonly shape: AggregateShape<never>;
  /** The field that is the whole result; the results of all fields by their names when left out. */
  readonly only?: string;
  /** The function of a `reduce`: generated code calls it without the aggregate around it. */
  readonly reduce?: (a: never, b: never) => unknown;
}

/** Declared aggregates. */
export function aggregateOf(shape: AggregateShape<never>): WindowAggregate {
  return { shape };
}

/** A `reduce` as an aggregate whose accumulator is the value so far. `fn` must be associative. */
export function reduceOf(fn: (a: never, b: never) => unknown): WindowAggregate {
  const fold = fn as (a: unknown, b: unknown) => unknown;
  const either = (a: unknown, b: unknown): unknown => (a === undefined ? b : b === undefined ? a : fold(a, b));
  const reduced = aggregate<unknown, unknown, unknown>({ create: () => undefined, add: either, merge: either, result: (value) => value });
  return { shape: { reduced: reduced as Aggregate<never, unknown> }, only: 'reduced', reduce: fn };
}
