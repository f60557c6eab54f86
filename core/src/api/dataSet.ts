import { MillraceError } from '../errors/millraceError.ts';
import { endlessSources } from '../graph/boundedness.ts';
import type { OperatorOptions } from '../graph/builder.ts';
import { atEndOperator } from '../operators/atEnd.ts';
import type { Context } from '../operators/operatorContext.ts';
import type { Sink } from '../operators/connector.ts';
import { type ListState, listState, valueState } from '../state/descriptor.ts';
import type { Key } from '../state/key.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import type { DataStream } from './dataStream.ts';
import type { KeyedStream } from './keyedStream.ts';
import type { RunOptions } from './runOptions.ts';

/** Which elements without a partner a join keeps. */
export type JoinKind = 'inner' | 'left' | 'right' | 'full';

/** The pairs of a join: on a side that may lack a partner, `undefined` stands for it. */
export type JoinPair<J extends JoinKind, L, R> = readonly [
  left: J extends 'right' | 'full' ? L | undefined : L,
  right: J extends 'left' | 'full' ? R | undefined : R,
];

/** Options of a join. */
export interface DataSetJoin<L, R, K extends Key, J extends JoinKind> extends OperatorOptions {
  readonly left: (value: L) => K;
  readonly right: (value: R) => K;
  /** Default `inner`. */
  readonly kind?: J;
}

/**
 * The verbs of bounded data, over the same graph: a thin facade on a {@link DataStream} whose sources end. Results come when the
 * input has ended; in batch mode what does not fit into memory goes to disk.
 *
 * @example
 * const numbers = dataSet(new StreamEnvironment().from(fromArray([3, 1, 2])));
 * console.log(await numbers.sortPartition((n) => n).collect()); // [ 1, 2, 3 ]
 */
export class DataSet<out T> {
  /** The same elements as a stream, with all of its verbs. */
  readonly stream: DataStream<T>;

  constructor(stream: DataStream<T>) {
    this.stream = stream;
  }

  /**
   * One element out for each that comes in.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2, 3])));
   * console.log(await numbers.map((n) => n * 2).collect()); // [ 2, 4, 6 ]
   */
  map<R>(fn: (value: T) => R, options?: OperatorOptions): DataSet<R> {
    return new DataSet(this.stream.map(fn, options));
  }

  /**
   * Only the elements that the predicate says yes to.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2, 3])));
   * console.log(await numbers.filter((n) => n > 1).collect()); // [ 2, 3 ]
   */
  filter(fn: (value: T) => boolean, options?: OperatorOptions): DataSet<T> {
    return new DataSet(this.stream.filter(fn, options));
  }

  /**
   * Any number of elements out for each that comes in.
   *
   * @example
   * const lines = dataSet(new StreamEnvironment().from(fromArray(['to be', 'or not'])));
   * console.log(await lines.flatMap((line) => line.split(' ')).collect()); // [ 'to', 'be', 'or', 'not' ]
   */
  flatMap<R>(fn: (value: T) => Iterable<R> & object, options?: OperatorOptions): DataSet<R> {
    return new DataSet(this.stream.flatMap(fn, options));
  }

  /**
   * The elements of both, in no order between them.
   *
   * @example
   * const env = new StreamEnvironment();
   * const both = dataSet(env.from(fromArray([1, 2]))).union(dataSet(env.from(fromArray([3]))));
   * console.log((await both.collect()).toSorted()); // [ 1, 2, 3 ]
   */
  union<U>(other: DataSet<U>): DataSet<T | U> {
    return new DataSet(this.stream.union(other.stream) as DataStream<T | U>);
  }

  /**
   * Calls a function once per subtask, with all of its elements.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2, 3])));
   * console.log(await numbers.mapPartition((all) => [[...all].length]).collect()); // [ 3 ]
   */
  mapPartition<R>(fn: (elements: Iterable<T>) => Iterable<R>, options?: OperatorOptions): DataSet<R> {
    const operator = atEndOperator({ results: fn as (elements: Iterable<unknown>) => Iterable<unknown> });
    return new DataSet(this.stream.transform<R>(operator, { ...options, kind: 'mapPartition', traits: AT_END }));
  }

  /**
   * Sorts the elements of each subtask by a key (all elements, with parallelism 1). Equal ones keep their order.
   *
   * @example
   * const words = dataSet(new StreamEnvironment().from(fromArray(['tea', 'milk', 'oil'])));
   * console.log(await words.sortPartition((word) => word.length, { order: 'descending' }).collect()); // [ 'milk', 'tea', 'oil' ]
   */
  sortPartition(by: (value: T) => Key, options: OperatorOptions & { readonly order?: 'ascending' | 'descending' } = {}): DataSet<T> {
    const { order = 'ascending' } = options;
    const operator = atEndOperator({ by: { key: by as (value: never) => Key, order }, results: (elements) => elements });
    return new DataSet(this.stream.transform<T>(operator, { ...options, kind: 'sortPartition', traits: AT_END }));
  }

  /**
   * Brings the elements of a key together.
   *
   * @example
   * const words = dataSet(new StreamEnvironment().from(fromArray(['tea', 'oil', 'milk'])));
   * const byLength = words.groupBy((word) => word.length).reduceGroup((group, length) => [`${length}: ${group.join(' ')}`]);
   * console.log((await byLength.collect()).toSorted()); // [ '3: tea oil', '4: milk' ]
   */
  groupBy<const K extends Key>(key: (value: T) => K): GroupedDataSet<K, T> {
    return new GroupedDataSet(this.stream.keyBy(key));
  }

  /**
   * One element per key: the first.
   *
   * @example
   * const words = dataSet(new StreamEnvironment().from(fromArray(['to', 'be', 'to'])));
   * console.log((await words.distinct((word) => word).collect()).toSorted()); // [ 'be', 'to' ]
   */
  distinct(key: (value: T) => Key, options?: OperatorOptions): DataSet<T> {
    const distinct = this.stream.keyBy(key).process({
      ...options,
      name: options?.name ?? 'distinct',
      state: { seen: valueState({ initial: false }) },
      onElement(value: T, { state }): readonly T[] {
        if (state.seen.value()) return [];
        state.seen.update(true);
        return [value];
      },
    });
    return new DataSet(distinct as DataStream<T>);
  }

  /**
   * The first `n` elements to arrive.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2, 3])));
   * console.log(await numbers.first(2).collect()); // [ 1, 2 ]
   */
  first(n: number, options?: OperatorOptions): DataSet<T> {
    let results = (elements: Iterable<T>): Iterable<T> => takeFirst(elements, n);
    if (n <= 0) results = () => [];
    const operator = atEndOperator({ results: results as (elements: Iterable<unknown>) => Iterable<unknown> });
    return new DataSet(
      this.stream.global().transform<T>(operator, { ...options, kind: 'first', parallelism: 1, traits: AT_END, details: { n } }),
    );
  }

  /**
   * Pairs of elements with equal keys.
   *
   * @example
   * const env = new StreamEnvironment();
   * const orders = dataSet(env.from(fromArray([{ id: 1, item: 'tea' }, { id: 2, item: 'oil' }])));
   * const payments = dataSet(env.from(fromArray([{ order: 1, cents: 300 }])));
   * const paid = orders.join(payments, { left: (o) => o.id, right: (p) => p.order, kind: 'left' });
   * console.log((await paid.map(([order, payment]) => `${order.item} ${payment?.cents ?? 'unpaid'}`).collect()).toSorted()); // [ 'oil unpaid', 'tea 300' ]
   */
  join<U, K extends Key, J extends JoinKind = 'inner'>(
    other: DataSet<U>,
    { left, right, kind, ...options }: DataSetJoin<T, U, K, J>,
  ): DataSet<JoinPair<J, T, U>> {
    const pairs = this.coGroup(other, { left, right, ...options, name: options.name ?? `${kind ?? 'inner'} join` }, (lefts, rights) =>
      joinPairs(lefts, rights, kind ?? 'inner'),
    );
    return pairs as unknown as DataSet<JoinPair<J, T, U>>;
  }

  /**
   * Calls a function once per key that occurs on either side, with the elements of both.
   *
   * @example
   * const env = new StreamEnvironment();
   * const seen = dataSet(env.from(fromArray(['x', 'x', 'y'])));
   * const clicked = dataSet(env.from(fromArray(['x'])));
   * const rates = seen.coGroup(clicked, { left: (ad) => ad, right: (ad) => ad }, (views, clicks, ad) => [`${ad} ${clicks.length / views.length}`]);
   * console.log((await rates.collect()).toSorted()); // [ 'x 0.5', 'y 0' ]
   */
  coGroup<U, R, K extends Key>(
    other: DataSet<U>,
    { left, right, ...options }: Omit<DataSetJoin<T, U, K, 'full'>, 'kind'>,
    fn: (lefts: readonly T[], rights: readonly U[], key: K) => Iterable<R> & object,
  ): DataSet<R> {
    const grouped = this.stream
      .keyBy(left)
      .connect(other.stream.keyBy(right))
      .process({
        ...options,
        name: options.name ?? 'coGroup',
        state: { lefts: listState<T>(), rights: listState<U>() },
        timers: { end: 'eventTime' },
        onLeft(value: T, { state, timers }): void {
          state.lefts.add(value);
          timers.set('end', MAX_TIMESTAMP);
        },
        onRight(value: U, { state, timers }): void {
          state.rights.add(value);
          timers.set('end', MAX_TIMESTAMP);
        },
        onTimer(_timer, { state, key }): Iterable<R> & object {
          const groups = [[...state.lefts.get()], [...state.rights.get()]] as const;
          state.lefts.clear();
          state.rights.clear();
          return fn(groups[0], groups[1], key);
        },
      });
    return new DataSet(grouped as DataStream<R>);
  }

  /**
   * Every element with every element of the other side. Both sides are held in memory until the input ends.
   *
   * @example
   * const env = new StreamEnvironment();
   * const pairs = dataSet(env.from(fromArray([1, 2]))).cross(dataSet(env.from(fromArray(['a', 'b']))));
   * console.log((await pairs.collect()).length); // 4
   */
  cross<U>(other: DataSet<U>, options?: OperatorOptions): DataSet<readonly [T, U]> {
    const tagged = this.stream
      .map((value): Tagged<T, U> => ({ left: value }))
      .union(other.stream.map((value): Tagged<T, U> => ({ right: value })));
    const operator = atEndOperator({ results: crossProduct as (elements: Iterable<unknown>) => Iterable<unknown> });
    return new DataSet(tagged.global().transform<readonly [T, U]>(operator, { ...options, kind: 'cross', parallelism: 1, traits: AT_END }));
  }

  /**
   * Sends the elements to a sink.
   *
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * dataSet(env.from(fromArray([2, 1]))).sortPartition((n) => n).sinkTo(print());
   * await env.execute('sorted');
   * // 1
   * // 2
   */
  sinkTo(sink: Sink<T>, options?: OperatorOptions): void {
    this.stream.sinkTo(sink, options);
  }

  /**
   * Runs the job up to here, in batch mode unless told otherwise, and gathers the elements.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2])));
   * console.log(await numbers.map((n) => n * 2).collect()); // [ 2, 4 ]
   */
  collect(options: RunOptions = {}): Promise<T[]> {
    return this.stream.collect({ mode: 'batch', ...options });
  }
}

/** Bounded data by key. */
export class GroupedDataSet<K extends Key, out T> {
  private readonly keyed: KeyedStream<K, T>;

  /** @internal */
  constructor(keyed: KeyedStream<K, T>) {
    this.keyed = keyed;
  }

  /**
   * Calls a function once per key, with all of its elements in order of arrival (of time, where they have one, in batch mode).
   *
   * @example
   * const payments = dataSet(new StreamEnvironment().from(fromArray([{ card: 'a', cents: 1 }, { card: 'a', cents: 5 }])));
   * const spread = payments.groupBy((p) => p.card).reduceGroup((group, card) => [`${card} ${group.at(-1)!.cents - group[0]!.cents}`]);
   * console.log(await spread.collect()); // [ 'a 4' ]
   */
  reduceGroup<R>(fn: (elements: readonly T[], key: K) => Iterable<R> & object, options?: OperatorOptions): DataSet<R> {
    const grouped = this.keyed.process({
      ...options,
      name: options?.name ?? 'reduceGroup',
      state: { elements: listState<T>() },
      timers: { end: 'eventTime' },
      onElement(value: T, { state, timers }): void {
        state.elements.add(value);
        timers.set('end', MAX_TIMESTAMP);
      },
      onTimer(_timer, { state, key }: Context<K, { elements: ReturnType<typeof listState<T>> }, 'end', {}>): Iterable<R> & object {
        const elements = [...(state.elements as ListState<T>).get()];
        state.elements.clear();
        return fn(elements, key);
      },
    });
    return new DataSet(grouped as DataStream<R>);
  }

  /**
   * Folds the elements of each key into one, associatively.
   *
   * @example
   * const numbers = dataSet(new StreamEnvironment().from(fromArray([1, 2, 3, 4])));
   * console.log((await numbers.groupBy((n) => n % 2).reduce((a, b) => a + b).collect()).toSorted()); // [ 4, 6 ]
   */
  reduce(fn: (a: T, b: T) => T, options?: OperatorOptions): DataSet<T> {
    return this.reduceGroup((elements) => [elements.reduce(fn)], options);
  }
}

/**
 * The verbs of bounded data on a stream whose sources end.
 *
 * @throws MillraceError `graph/unbounded` naming a source that does not.
 * @example
 * const payments = dataSet(new StreamEnvironment().from(fromArray([{ card: 'a', cents: 1 }, { card: 'b', cents: 5 }])));
 * console.log(await payments.first(1).collect()); // [ { card: 'a', cents: 1 } ]
 */
export function dataSet<T>(stream: DataStream<T>): DataSet<T> {
  const { builder, parts } = stream.origin;
  const endless = endlessSources(builder.graph());
  const source = parts.map(({ from }) => endless.get(from)).find((found) => found !== undefined);
  if (source === undefined) return new DataSet(stream);
  throw new MillraceError('graph/unbounded', 'A data set ends, and this source never does.', {
    uid: source.uid,
    remedy: 'Use a bounded source, or the verbs of streams.',
  });
}

const AT_END = { needsBounded: true, stateful: true } as const;

type Tagged<L, R> = { readonly left: L } | { readonly right: R };

function* takeFirst<T>(elements: Iterable<T>, n: number): Iterable<T> {
  let left = n;
  for (const element of elements) {
    yield element;
    if (--left === 0) return;
  }
}

function* joinPairs<L, R>(lefts: readonly L[], rights: readonly R[], kind: JoinKind): Iterable<readonly [L | undefined, R | undefined]> {
  for (const left of lefts) for (const right of rights) yield [left, right];
  if (rights.length === 0 && (kind === 'left' || kind === 'full')) for (const left of lefts) yield [left, undefined];
  if (lefts.length === 0 && (kind === 'right' || kind === 'full')) for (const right of rights) yield [undefined, right];
}

function* crossProduct<L, R>(elements: Iterable<Tagged<L, R>>): Iterable<readonly [L, R]> {
  const lefts: L[] = [];
  const rights: R[] = [];
  for (const element of elements) {
    if ('left' in element) lefts.push(element.left);
    else rights.push(element.right);
  }
  for (const left of lefts) for (const right of rights) yield [left, right];
}
