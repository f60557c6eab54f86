import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../time/duration.ts';
import type { Aggregate } from './aggregate.ts';
import type { Key } from './key.ts';
import type { Codec } from './valueCodec.ts';

/** When state expires, and what happens then. Time to live is counted in processing time. */
export interface TimeToLive {
  readonly after: Duration;
  /** What renews the time: writing (default), or reading too. */
  readonly update?: 'onCreateAndWrite' | 'onReadAndWrite';
  /** Whether a read may still see what has expired but was not cleaned up. Default: never. */
  readonly visibility?: 'neverReturnExpired' | 'returnExpiredIfNotCleanedUp';
  /** `incremental` (default): each write also looks at a few other keys; `onAccess`: only what is read is cleaned up. What has expired stays gone after a restore. */
  readonly cleanup?: 'incremental' | 'onAccess';
}

/** Options of every kind of state. */
export interface StateOptions<V> {
  readonly ttl?: Duration | TimeToLive;
  /** Checks what is restored, and may transform it. */
  readonly schema?: StandardSchemaV1<unknown, V>;
  /** The version of the values' form, raised when it changes; `migrate` then reads older ones. A whole number, default 1. */
  readonly version?: number;
  /** Reads a value of an older version: from any of them by a function, or step by step, `{ 1: toVersion2, 2: toVersion3 }`. */
  readonly migrate?: ((old: unknown, fromVersion: number) => V) | Readonly<Record<number, (old: never) => unknown>>;
  /** How values become bytes (of a list its items, of an aggregate its accumulators). Default: any plain data. */
  readonly codec?: Codec<V>;
}

/** One value per key. What `value` returns must not be changed in place: `update` with a new one. */
export interface ValueState<V> {
  value(): V;
  update(value: V): void;
  clear(): void;
}

/** A list per key. */
export interface ListState<V> {
  get(): Iterable<V>;
  add(value: V): void;
  /** Replaces the whole list. */
  update(values: readonly V[]): void;
  clear(): void;
}

/** A map per key, in insertion order. */
export interface MapState<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  put(key: K, value: V): void;
  remove(key: K): void;
  entries(): Iterable<[K, V]>;
  keys(): Iterable<K>;
  values(): Iterable<V>;
  isEmpty(): boolean;
  clear(): void;
}

/** One value per key that `add` folds into. */
export interface ReducingState<V> {
  get(): V | undefined;
  add(value: V): void;
  clear(): void;
}

/** An aggregate per key: what goes in and what comes out have types of their own. */
export interface AggregatingState<T, R> {
  get(): R | undefined;
  add(value: T): void;
  clear(): void;
}

declare const handle: unique symbol;

/** A state, declared beside the handlers that use it. `H` is the handle that they get. */
export interface StateDescriptor<out H> {
  readonly [handle]?: H;
  readonly kind: 'value' | 'list' | 'map' | 'reducing' | 'aggregating';
  readonly options: StateOptions<unknown>;
  readonly initial?: unknown;
  readonly reduce?: (a: never, b: never) => unknown;
  readonly aggregate?: Aggregate<never, unknown>;
}

/** Names to descriptors, as a behaviour declares them. */
export type StateShape = Readonly<Record<string, StateDescriptor<unknown>>>;
/** Names to handles, as its handlers get them. */
export type StateHandles<S> = { readonly [P in keyof S]: S[P] extends StateDescriptor<infer H> ? H : never };

/**
 * One value per key.
 *
 * @example
 * const numbers = new StreamEnvironment().from(fromArray([5, 7]));
 * const sums = numbers.keyBy(() => 'all').process({
 *   state: { sum: valueState({ initial: 0, ttl: { days: 1 } }) }, // ValueState<number>; valueState<number>() is ValueState<number | undefined>
 *   onElement(n: number, { state }) { state.sum.update(state.sum.value() + n); return [state.sum.value()]; },
 * });
 * const collected = await sums.collect(); // [5, 12]
 */
export function valueState<V>(options: StateOptions<V> & { readonly initial: V }): StateDescriptor<ValueState<V>>;
export function valueState<V = never>(options?: StateOptions<V>): StateDescriptor<ValueState<V | undefined>>;
export function valueState<V>(options: StateOptions<V> & { readonly initial?: V } = {}): StateDescriptor<ValueState<V>> {
  const { initial, ...rest } = options;
  return { kind: 'value', options: rest as StateOptions<unknown>, initial };
}

/**
 * A list per key.
 *
 * @example
 * const words = new StreamEnvironment().from(fromArray(['a', 'b']));
 * const soFar = words.keyBy(() => 'all').process({
 *   state: { words: listState<string>() },
 *   onElement(word: string, { state }) { state.words.add(word); return [[...state.words.get()].join(' ')]; },
 * });
 * console.log(await soFar.collect()); // [ 'a', 'a b' ]
 */
export function listState<V = never>(options: StateOptions<V> = {}): StateDescriptor<ListState<V>> {
  return { kind: 'list', options: options as StateOptions<unknown> };
}

/**
 * A map per key; its own keys may be anything that a stream can be keyed by.
 *
 * @example
 * const words = new StreamEnvironment().from(fromArray(['tea', 'oil', 'tea']));
 * const repeated = words.keyBy(() => 'all').process({
 *   state: { counts: mapState<string, number>() },
 *   onElement(word: string, { state }) { state.counts.put(word, (state.counts.get(word) ?? 0) + 1); return state.counts.get(word) === 2 ? [word] : []; },
 * });
 * console.log(await repeated.collect()); // [ 'tea' ]
 */
export function mapState<K extends Key = never, V = never>(options: StateOptions<V> = {}): StateDescriptor<MapState<K, V>> {
  return { kind: 'map', options: options as StateOptions<unknown> };
}

/**
 * One value per key that `add` folds into with `reduce`.
 *
 * @example
 * const numbers = new StreamEnvironment().from(fromArray([3, 9, 5]));
 * const largest = numbers.keyBy(() => 'all').process({
 *   state: { largest: reducingState<number>({ reduce: Math.max }) },
 *   onElement(n: number, { state }) { state.largest.add(n); return [state.largest.get()]; },
 * });
 * console.log(await largest.collect()); // [ 3, 9, 9 ]
 */
export function reducingState<V>(options: StateOptions<V> & { readonly reduce: (a: V, b: V) => V }): StateDescriptor<ReducingState<V>> {
  const { reduce, ...rest } = options;
  return { kind: 'reducing', options: rest as StateOptions<unknown>, reduce: reduce as (a: never, b: never) => unknown };
}

/**
 * An aggregate per key: what goes in and what comes out have types of their own.
 *
 * @example
 * const numbers = new StreamEnvironment().from(fromArray([3, 9]));
 * const means = numbers.keyBy(() => 'all').process({
 *   state: { mean: aggregatingState({ aggregate: avg((n: number) => n) }) },
 *   onElement(n: number, { state }) { state.mean.add(n); return [state.mean.get()]; },
 * });
 * console.log(await means.collect()); // [ 3, 6 ]
 */
export function aggregatingState<T, R>(
  options: StateOptions<unknown> & { readonly aggregate: Aggregate<T, R> },
): StateDescriptor<AggregatingState<T, R>> {
  const { aggregate, ...rest } = options;
  return { kind: 'aggregating', options: rest, aggregate: aggregate as Aggregate<never, unknown> };
}
