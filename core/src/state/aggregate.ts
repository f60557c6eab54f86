import { MillraceError } from '../errors/millraceError.ts';
import type { AggregateDefinition } from './aggregateDefinition.ts';
import { type Cells, AverageCells, CountCells, ExtremeCells, ObjectCells, SumCells } from './cells.ts';

declare const aggregateTypes: unique symbol;

/** Elements in, one result out. Made by `count`, `sum`, … or {@link aggregate}. */
export interface Aggregate<in T, out R> {
  readonly [aggregateTypes]?: (value: T) => R;
  readonly name: string;
  readonly definition: AggregateDefinition<never, unknown, unknown>;
  /** What `cells` take of an element, where that is a number. */
  readonly of?: (value: never) => number;
  /**
   * The aggregate over columns.
   *
   * @internal
   */
  readonly cells: () => Cells;
}

/** Field names to aggregates: `{ orders: count(), total: sum((p) => p.cents) }`. */
export type AggregateShape<T> = Readonly<Record<string, Aggregate<T, unknown>>>;
/** The results of a shape, by the same names. */
export type AggregateResult<A> = { -readonly [P in keyof A]: A[P] extends Aggregate<never, infer R> ? R : never } & {};

/**
 * An aggregate of one's own, from plain functions.
 *
 * @example
 * const product = aggregate({ create: () => 1, add: (a, n: number) => a * n, merge: (a, b) => a * b, result: (a) => a });
 * const numbers = new StreamEnvironment({ mode: 'batch' }).from(fromArray([2, 3, 4]));
 * console.log(await numbers.keyBy(() => 'all').aggregate({ product }).collect()); // [ { key: 'all', value: { product: 24 } } ]
 */
export function aggregate<T, A, R>(definition: AggregateDefinition<T, A, R>): Aggregate<T, R> {
  return fromDefinition('aggregate', definition);
}

function fromDefinition<T, A, R>(name: string, definition: AggregateDefinition<T, A, R>): Aggregate<T, R> {
  const erased = definition as unknown as AggregateDefinition<never, unknown, unknown>;
  return { name, definition: erased, cells: () => new ObjectCells(erased) };
}

function numeric<T, A>(
  name: string,
  of: (value: T) => number,
  definition: AggregateDefinition<T, A, number>,
  cells: () => Cells,
): Aggregate<T, number> {
  return { name, of, definition: definition as unknown as AggregateDefinition<never, unknown, unknown>, cells };
}

/**
 * How many elements.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'oil', 'tea']));
 * console.log(await words.filter((w) => w === 'tea').keyBy((w) => w).aggregate({ n: count() }).collect()); // [ { key: 'tea', value: { n: 2 } } ]
 */
export function count(): Aggregate<unknown, number> {
  return {
    name: 'count',
    definition: { create: () => 0, add: (n) => (n as number) + 1, merge: (a, b) => (a as number) + (b as number), result: (n) => n },
    cells: () => new CountCells(),
  };
}

/**
 * The sum of a number per element.
 *
 * @example
 * const payments = new StreamEnvironment({ mode: 'batch' }).from(fromArray([{ card: 'a', cents: 1 }, { card: 'a', cents: 5 }]));
 * console.log(await payments.keyBy((p) => p.card).aggregate({ total: sum((p) => p.cents) }).collect()); // [ { key: 'a', value: { total: 6 } } ]
 */
export function sum<T>(of: (value: T) => number): Aggregate<T, number> {
  return numeric('sum', of, { create: () => 0, add: (a, v) => a + of(v), merge: (a, b) => a + b, result: (a) => a }, () => new SumCells());
}

/**
 * The arithmetic mean of a number per element.
 *
 * @example
 * const payments = new StreamEnvironment({ mode: 'batch' }).from(fromArray([{ card: 'a', cents: 1 }, { card: 'a', cents: 5 }]));
 * console.log(await payments.keyBy((p) => p.card).aggregate({ mean: avg((p) => p.cents) }).collect()); // [ { key: 'a', value: { mean: 3 } } ]
 */
export function avg<T>(of: (value: T) => number): Aggregate<T, number> {
  return numeric(
    'avg',
    of,
    {
      create: () => [0, 0] as readonly [total: number, n: number],
      add: ([total, n], value) => [total + of(value), n + 1] as const,
      merge: (a, b) => [a[0] + b[0], a[1] + b[1]] as const,
      result: ([total, n]) => total / n,
    },
    () => new AverageCells(),
  );
}

/**
 * The smallest of a number per element.
 *
 * @example
 * const payments = new StreamEnvironment({ mode: 'batch' }).from(fromArray([{ card: 'a', cents: 1 }, { card: 'a', cents: 5 }]));
 * console.log(await payments.keyBy((p) => p.card).aggregate({ least: min((p) => p.cents) }).collect()); // [ { key: 'a', value: { least: 1 } } ]
 */
export function min<T>(of: (value: T) => number): Aggregate<T, number> {
  return numeric(
    'min',
    of,
    extreme(of, (a, b) => b < a, Infinity),
    () => new ExtremeCells(-1),
  );
}

/**
 * The largest of a number per element.
 *
 * @example
 * const payments = new StreamEnvironment({ mode: 'batch' }).from(fromArray([{ card: 'a', cents: 1 }, { card: 'a', cents: 5 }]));
 * console.log(await payments.keyBy((p) => p.card).aggregate({ most: max((p) => p.cents) }).collect()); // [ { key: 'a', value: { most: 5 } } ]
 */
export function max<T>(of: (value: T) => number): Aggregate<T, number> {
  return numeric(
    'max',
    of,
    extreme(of, (a, b) => b > a, -Infinity),
    () => new ExtremeCells(1),
  );
}

function extreme<T>(
  of: (value: T) => number,
  beats: (a: number, b: number) => boolean,
  start: number,
): AggregateDefinition<T, number, number> {
  const better = (a: number, b: number): number => (beats(a, b) ? b : a);
  return { create: () => start, add: (a, value) => better(a, of(value)), merge: better, result: (a) => a };
}

/**
 * The element with the smallest number; the first of equals.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'milk', 'oil']));
 * console.log(await words.keyBy(() => 0).aggregate({ shortest: minBy((w) => w.length) }).collect()); // [ { key: 0, value: { shortest: 'tea' } } ]
 */
export function minBy<T>(of: (value: T) => number): Aggregate<T, T> {
  return best('minBy', of, (a, b) => b < a);
}

/**
 * The element with the largest number; the first of equals.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'milk', 'oil']));
 * console.log(await words.keyBy(() => 0).aggregate({ longest: maxBy((w) => w.length) }).collect()); // [ { key: 0, value: { longest: 'milk' } } ]
 */
export function maxBy<T>(of: (value: T) => number): Aggregate<T, T> {
  return best('maxBy', of, (a, b) => b > a);
}

function best<T>(name: string, of: (value: T) => number, beats: (a: number, b: number) => boolean): Aggregate<T, T> {
  const better = (a: T | undefined, b: T): T => (a === undefined || beats(of(a), of(b)) ? b : a);
  return fromDefinition<T, T | undefined, T>(name, {
    create: () => undefined,
    add: better,
    merge: (a, b) => (b === undefined ? a : better(a, b)),
    result: (a) => a as T,
  });
}

/**
 * The first element to arrive.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'milk', 'oil']));
 * console.log(await words.keyBy(() => 0).aggregate({ first: first<string>() }).collect()); // [ { key: 0, value: { first: 'tea' } } ]
 */
export function first<T>(): Aggregate<T, T> {
  return best<T>(
    'first',
    () => 0,
    () => false,
  );
}

/**
 * The last element to arrive.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'milk', 'oil']));
 * console.log(await words.keyBy(() => 0).aggregate({ last: last<string>() }).collect()); // [ { key: 0, value: { last: 'oil' } } ]
 */
export function last<T>(): Aggregate<T, T> {
  return best<T>(
    'last',
    () => 0,
    () => true,
  );
}

/**
 * All elements, in order of arrival. Holds them all in state: for small groups.
 *
 * @example
 * const words = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['tea', 'milk']));
 * console.log((await words.keyBy(() => 0).aggregate({ all: list<string>() }).collect())[0]!.value); // { all: [ 'tea', 'milk' ] }
 */
export function list<T>(): Aggregate<T, T[]> {
  return fromDefinition<T, readonly T[], T[]>('list', {
    create: () => [],
    add: (items, value) => {
      (items as T[]).push(value);
      return items;
    },
    merge: (a, b) => [...a, ...b],
    result: (items) => [...items],
    copy: (items) => [...items],
    grows: true,
  });
}

/**
 * How many different values, exactly. Holds each value in state.
 *
 * @example
 * const visits = new StreamEnvironment({ mode: 'batch' }).from(fromArray(['ann', 'bob', 'ann']));
 * console.log((await visits.keyBy(() => 0).aggregate({ visitors: distinct((name) => name) }).collect())[0]!.value); // { visitors: 2 }
 */
export function distinct<T>(of: (value: T) => string | number | bigint | boolean): Aggregate<T, number> {
  return fromDefinition<T, Set<unknown>, number>('distinct', {
    create: () => new Set(),
    add: (seen, value) => seen.add(of(value)),
    merge: (a, b) => new Set([...a, ...b]),
    result: (seen) => seen.size,
    copy: (seen) => new Set(seen),
    grows: true,
  });
}

/**
 * The `k` elements with the largest numbers, largest first; of equals, the one that came first.
 *
 * @throws MillraceError `aggregate/invalid` unless `k` is whole and positive.
 * @example
 * const scores = new StreamEnvironment({ mode: 'batch' }).from(fromArray([3, 9, 5]));
 * console.log((await scores.keyBy(() => 0).aggregate({ best: topK(2, (n) => n) }).collect())[0]!.value); // { best: [ 9, 5 ] }
 */
export function topK<T>(k: number, by: (value: T) => number): Aggregate<T, T[]> {
  if (!Number.isSafeInteger(k) || k < 1) {
    throw new MillraceError('aggregate/invalid', `topK of ${k}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  const insert = (top: readonly T[], value: T): readonly T[] => {
    const rank = by(value);
    let at = top.length;
    while (at > 0 && by(top[at - 1]!) < rank) at--;
    return at >= k ? top : [...top.slice(0, at), value, ...top.slice(at, k - 1)];
  };
  return fromDefinition<T, readonly T[], T[]>('topK', {
    create: () => [],
    add: insert,
    merge: (a, b) => b.reduce(insert, a),
    result: (top) => [...top],
  });
}
