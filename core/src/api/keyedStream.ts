import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import { processOperator } from '../operators/keyedProcess.ts';
import { overOperator } from '../operators/over.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import { reduceOperator } from '../operators/reduce.ts';
import { rollingAggregateOperator } from '../operators/rollingAggregate.ts';
import { type Aggregate, type AggregateResult, type AggregateShape, max, min, sum } from '../state/aggregate.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import { type Duration, formatDuration, toNonNegativeMilliseconds } from '../time/duration.ts';
import { type AsOfJoinDefinition, asOfJoinNode } from './asOfJoin.ts';
import { declarationsOf, handlersOf, type KeyedBehaviour } from './behaviour.ts';
import { BroadcastStreams } from './broadcastStreams.ts';
import { ConnectedStreams } from './connectedStreams.ts';
import { DataStream } from './dataStream.ts';
import { type IntervalJoinDefinition, intervalJoinNode } from './intervalJoin.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';
import { type CoGroupDefinition, coGroupNode, type WindowJoinDefinition, windowJoinNode } from './windowJoin.ts';
import { WindowedStream, type WindowOptions, windowSpec } from './windowedStream.ts';

/** A key and a number over its elements. */
export interface KeyedNumber<K> {
  readonly key: K;
  readonly value: number;
}

/** An element with its key's aggregates over the time before it. */
export interface OverResult<out T, out R> {
  readonly value: T;
  readonly over: R;
}

/** A stream whose elements of one key meet in one place: state, timers, windows and joins are per key. */
export class KeyedStream<K, out T> extends DataStream<T> {
  /**
   * Filtering keeps the key.
   *
   * @example
   * const words = new StreamEnvironment().from(fromArray(['to', 'be', '', 'to'])).keyBy((word) => word);
   * console.log(await words.filter((word) => word !== '').sum(() => 1).map(({ key, value }) => `${key} ${value}`).collect()); // [ 'to 1', 'be 1', 'to 2' ]
   */
  override filter<R extends T>(fn: (value: T) => value is R, options?: OperatorOptions): KeyedStream<K, R>;
  override filter(fn: (value: T) => boolean, options?: OperatorOptions): KeyedStream<K, T>;
  override filter(fn: (value: T) => boolean, options?: OperatorOptions): KeyedStream<K, T> {
    const { factory, key } = this.origin;
    const filtered = factory.data<T>(this.origin.exchanged('forward')).filter(fn, options);
    return factory.keyed(filtered.origin.keyed(key!));
  }

  /**
   * Lets two streams of the same key meet in one operator, with the key's state and timers in common.
   *
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const orders = env.from(fromArray([{ id: 1, at: 1 }]), { time: { timestamp: (o) => o.at } });
   * const payments = env.from(fromArray([{ order: 1, cents: 300, at: 2 }]), { time: { timestamp: (p) => p.at } });
   * const paid = orders.keyBy((o) => o.id).connect(payments.keyBy((p) => p.order)).process({
   *   state: { known: valueState({ initial: false }) },
   *   onLeft: (_order, { state }) => state.known.update(true),
   *   onRight: ({ cents }, { key, state }) => [{ order: key, cents, known: state.known.value() }],
   * });
   * console.log(await paid.collect()); // [ { order: 1, cents: 300, known: true } ]
   */
  override connect<U>(other: KeyedStream<K, U>): ConnectedStreams<K, T, U> {
    return new ConnectedStreams(this.origin, keyedOrigin(other, 'connect'));
  }

  /**
   * Lets this stream, with the key's state and timers, meet one whose elements, such as rules, go to every subtask.
   *
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const limits = env.from(fromArray([{ country: 'FR', cents: 500 }]));
   * const payments = env.from(fromArray([{ card: 'a', country: 'FR', cents: 300 }, { card: 'a', country: 'FR', cents: 400 }]));
   * const alerts = payments.keyBy((p) => p.card).connectBroadcast(limits).process({
   *   broadcast: { limits: mapState<string, number>() },
   *   state: { spent: valueState({ initial: 0 }) },
   *   onBroadcast: ({ country, cents }, { broadcast }) => broadcast.limits.put(country, cents),
   *   onElement({ country, cents }, { key, state, broadcast }) {
   *     state.spent.update(state.spent.value() + cents);
   *     return state.spent.value() > (broadcast.limits.get(country) ?? Infinity) ? [key] : [];
   *   },
   * });
   * console.log(await alerts.collect()); // [ 'a' ]
   */
  override connectBroadcast<B>(rules: DataStream<B>): BroadcastStreams<K, T, B> {
    return new BroadcastStreams(this.origin, rules.origin);
  }

  /**
   * Pairs each element with those of the other stream whose times lie in an interval around its own. A pair is given out when
   * its later element comes, with that one's time. Elements older than the watermark go to `lateLeft` and `lateRight`.
   *
   * @throws MillraceError `duration/invalid`; `graph/option` where no distance lies within the bounds.
   * @example
   * const env = new StreamEnvironment();
   * const orders = env.from(fromArray([{ id: 1, at: 0 }]), { time: { timestamp: (o) => o.at } });
   * const payments = env.from(fromArray([{ order: 1, cents: 300, at: 60_000 }]), { time: { timestamp: (p) => p.at } });
   * const confirmed = orders.keyBy((o) => o.id).intervalJoin(payments.keyBy((p) => p.order), {
   *   uid: 'confirmed', between: [{ minutes: 0 }, { minutes: 15 }], select: (order, payment) => ({ order: order.id, paid: payment.cents }),
   * });
   * console.log(await confirmed.collect()); // [ { order: 1, paid: 300 } ]
   */
  intervalJoin<U, R>(
    other: KeyedStream<K, U>,
    definition: IntervalJoinDefinition<T, U, R>,
  ): OperatorStream<R, { lateLeft: T; lateRight: U }> {
    const { origin } = this;
    return origin.factory.operator(origin.append(intervalJoinNode(definition), [keyedOrigin(other, 'intervalJoin')]));
  }

  /**
   * Joins each element with the version of its key that was valid at its time: the last one at or before it; of one time, the last
   * to arrive. Results have the time of their element and come in time order, when the watermark (less `wait`) has reached it.
   * Elements behind that clock go to `late`. A version behind it counts for elements still to come, unless there is a newer one,
   * and is told by `lateVersions`. The last version of each key is kept for ever.
   *
   * @throws MillraceError `duration/invalid`
   * @example
   * const env = new StreamEnvironment();
   * const prices = env.from(fromArray([{ item: 'tea', cents: 250, at: 0 }, { item: 'tea', cents: 300, at: 100 }]), { time: { timestamp: (p) => p.at } });
   * const orders = env.from(fromArray([{ item: 'tea', count: 2, at: 60 }]), { time: { timestamp: (o) => o.at } });
   * const priced = orders.keyBy((o) => o.item).joinAsOf(prices.keyBy((p) => p.item), {
   *   uid: 'priced', select: (order, price) => ({ item: order.item, cents: order.count * (price?.cents ?? 0) }),
   * });
   * console.log(await priced.collect()); // [ { item: 'tea', cents: 500 } ]
   */
  joinAsOf<V, R>(versions: KeyedStream<K, V>, definition: AsOfJoinDefinition<T, V, R>): OperatorStream<R, { late: T; lateVersions: V }> {
    const { origin } = this;
    return origin.factory.operator(origin.append(asOfJoinNode(definition), [keyedOrigin(versions, 'joinAsOf')]));
  }

  /**
   * The elements of each key by windows. Say what becomes of them with `aggregate`, `reduce` or `process`.
   *
   * @throws MillraceError `duration/invalid`
   * @example
   * const payments = new StreamEnvironment().from(fromArray([{ shop: 'a', cents: 300, at: 1_000 }, { shop: 'a', cents: 200, at: 2_000 }]), { time: { timestamp: (p) => p.at } });
   * const minutes = payments.keyBy((p) => p.shop).window(tumbling({ minutes: 1 }), { allowedLateness: { minutes: 5 } })
   *   .aggregate({ orders: count(), total: sum((p) => p.cents) }, { uid: 'minutes' });
   * console.log(await minutes.map(({ key, value }) => `${key}: ${value.orders} orders, ${value.total}`).collect()); // [ 'a: 2 orders, 500' ]
   */
  window(assigner: WindowAssigner<T>, options: WindowOptions<T> = {}): WindowedStream<K, T> {
    return new WindowedStream(this.origin, windowSpec(assigner, options, true));
  }

  /**
   * Pairs of elements of two streams that have the same key and are in the same window. An element without a partner gives nothing:
   * see {@link coGroup}. Elements too late for all of their windows go to `lateLeft` and `lateRight`.
   *
   * @throws MillraceError `trigger/no-merge`; `duration/invalid`
   * @example
   * const env = new StreamEnvironment();
   * const views = env.from(fromArray([{ ad: 'x', at: 1_000 }]), { time: { timestamp: (v) => v.at } });
   * const clicks = env.from(fromArray([{ ad: 'x', at: 4_000 }]), { time: { timestamp: (c) => c.at } });
   * const clicked = views.keyBy((v) => v.ad).join(clicks.keyBy((c) => c.ad), {
   *   uid: 'clicked', window: tumbling({ minutes: 10 }), select: (view, click) => ({ ad: view.ad, after: click.at - view.at }),
   * });
   * console.log(await clicked.collect()); // [ { ad: 'x', after: 3000 } ]
   */
  join<U, R>(other: KeyedStream<K, U>, definition: WindowJoinDefinition<T, U, R>): OperatorStream<R, { lateLeft: T; lateRight: U }> {
    const { origin } = this;
    return origin.factory.operator(origin.append(windowJoinNode(definition), [keyedOrigin(other, 'join')]));
  }

  /**
   * The elements of two streams that have the same key and are in the same window, all together; also where one side has none. Elements
   * too late for all of their windows go to `lateLeft` and `lateRight`.
   *
   * @throws MillraceError `trigger/no-merge`; `duration/invalid`
   * @example
   * const env = new StreamEnvironment();
   * const views = env.from(fromArray([{ ad: 'x', at: 1_000 }, { ad: 'x', at: 2_000 }]), { time: { timestamp: (v) => v.at } });
   * const clicks = env.from(fromArray([{ ad: 'x', at: 4_000 }]), { time: { timestamp: (c) => c.at } });
   * const rates = views.keyBy((v) => v.ad).coGroup(clicks.keyBy((c) => c.ad), {
   *   uid: 'rates', window: tumbling({ minutes: 10 }), select: (seen, clicked, { key }) => [{ ad: key, rate: clicked.length / seen.length }],
   * });
   * console.log(await rates.collect()); // [ { ad: 'x', rate: 0.5 } ]
   */
  coGroup<U, R extends Emits>(
    other: KeyedStream<K, U>,
    definition: CoGroupDefinition<K, T, U, R>,
  ): OperatorStream<Emitted<R>, { lateLeft: T; lateRight: U }> {
    const { origin } = this;
    return origin.factory.operator(origin.append(coGroupNode(definition), [keyedOrigin(other, 'coGroup')]));
  }

  /**
   * Each element with its key's aggregates over the elements whose times lie in `[t − last, t]`, `t` being its own: itself, its
   * peers of the same time, and what came before (SQL's `OVER (… RANGE BETWEEN last PRECEDING AND CURRENT ROW)`). Results come in
   * time order, when the watermark has reached them. Elements behind the watermark go to `late`.
   *
   * @throws MillraceError `duration/invalid`
   * @example
   * const payments = new StreamEnvironment().from(fromArray([{ card: 'a', at: 0 }, { card: 'a', at: 60_000 }, { card: 'a', at: 600_000 }]), { time: { timestamp: (p) => p.at } });
   * const velocity = payments.keyBy((p) => p.card).over({ last: { minutes: 5 } }, { n: count() }, { uid: 'velocity' });
   * console.log((await velocity.collect()).map(({ over }) => over.n)); // [ 1, 2, 1 ]
   */
  over<const A extends AggregateShape<T>>(
    frame: { readonly last: Duration },
    aggregates: A,
    options?: OperatorOptions,
  ): OperatorStream<OverResult<T, AggregateResult<A>>, { late: T }> {
    const last = toNonNegativeMilliseconds(frame.last, 'last');
    const operator = overOperator(last, aggregates as AggregateShape<never>);
    const traits = { needsEventTime: true, stateful: true };
    const details = { last: formatDuration(last), ...shapeDetails(aggregates) };
    return this.origin.factory.operator(this.origin.append({ kind: 'over', operator, options, traits, details }));
  }

  /**
   * A process function: handlers over the key's state, timers and side outputs, all declared beside them.
   *
   * @example
   * const payments = new StreamEnvironment().from(fromArray([{ card: 'a', cents: 300 }, { card: 'a', cents: 400 }]));
   * const totals = payments.keyBy((p) => p.card).process({
   *   uid: 'totals',
   *   state: { spent: valueState({ initial: 0 }) },
   *   onElement({ cents }, { key, state }) {
   *     state.spent.update(state.spent.value() + cents);
   *     return [`${key} ${state.spent.value()}`];
   *   },
   * });
   * console.log(await totals.collect()); // [ 'a 300', 'a 700' ]
   */
  override process<
    const S extends StateShape = {},
    const TM extends TimerShape = {},
    const OT extends OutputShape = {},
    R extends Emits = void,
    RT extends Emits = void,
  >(behaviour: KeyedBehaviour<K, T, S, TM, OT, R, RT>): OperatorStream<Emitted<R> | Emitted<RT>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onElement']), declarationsOf(behaviour));
    return this.origin.factory.operator(this.origin.append({ kind: 'process', operator, options: behaviour }));
  }

  /**
   * The aggregates of each key over everything so far: with every element, or once per key at the end in batch mode.
   *
   * @example
   * const payments = new StreamEnvironment({ mode: 'batch' }).from(fromArray([{ card: 'a', cents: 300 }, { card: 'a', cents: 400 }]));
   * const totals = payments.keyBy((p) => p.card).aggregate({ n: count(), mean: avg((p) => p.cents) });
   * console.log(await totals.collect()); // [ { key: 'a', value: { n: 2, mean: 350 } } ]
   */
  aggregate<const A extends AggregateShape<T>>(
    aggregates: A,
    options?: OperatorOptions,
  ): DataStream<{ readonly key: K; readonly value: AggregateResult<A> }> {
    const operator = rollingAggregateOperator(aggregates as AggregateShape<never>);
    return this.origin.factory.data(
      this.origin.append({ kind: 'aggregate', operator, options, traits: { stateful: true }, details: shapeDetails(aggregates) }),
    );
  }

  /**
   * Folds the elements of a key into one, associatively: with every element, or once per key at the end in batch mode.
   *
   * @example
   * const numbers = new StreamEnvironment({ mode: 'batch' }).from(fromArray([1, 2, 3, 4]));
   * console.log((await numbers.keyBy((n) => n % 2 === 0).reduce((a, b) => a + b).collect()).toSorted()); // [ 4, 6 ]
   */
  reduce(fn: (a: T, b: T) => T, options?: OperatorOptions): DataStream<T> {
    return this.rolling('reduce', fn, options);
  }

  /**
   * The running sum of a number per element; once per key at the end in batch mode.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3])).keyBy(() => 'all');
   * console.log((await numbers.sum((n) => n).collect()).map(({ value }) => value)); // [ 1, 3, 6 ]
   */
  sum(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('sum', sum(of), options);
  }

  /**
   * The smallest number so far.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([2, 1, 3])).keyBy(() => 'all');
   * console.log((await numbers.min((n) => n).collect()).map(({ value }) => value)); // [ 2, 1, 1 ]
   */
  min(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('min', min(of), options);
  }

  /**
   * The largest number so far.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([2, 1, 3])).keyBy(() => 'all');
   * console.log((await numbers.max((n) => n).collect()).map(({ value }) => value)); // [ 2, 2, 3 ]
   */
  max(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('max', max(of), options);
  }

  /**
   * The element with the smallest number so far; the first of equals.
   *
   * @example
   * const words = new StreamEnvironment().from(fromArray(['tea', 'milk', 'oil'])).keyBy(() => 'all');
   * console.log(await words.minBy((word) => word.length).collect()); // [ 'tea', 'tea', 'tea' ]
   */
  minBy(of: (value: T) => number, options?: OperatorOptions): DataStream<T> {
    return this.rolling('minBy', (a, b) => (of(b) < of(a) ? b : a), options);
  }

  /**
   * The element with the largest number so far; the first of equals.
   *
   * @example
   * const words = new StreamEnvironment().from(fromArray(['tea', 'milk', 'oil'])).keyBy(() => 'all');
   * console.log(await words.maxBy((word) => word.length).collect()); // [ 'tea', 'milk', 'milk' ]
   */
  maxBy(of: (value: T) => number, options?: OperatorOptions): DataStream<T> {
    return this.rolling('maxBy', (a, b) => (of(b) > of(a) ? b : a), options);
  }

  private rolling(kind: string, fn: (a: T, b: T) => T, options: OperatorOptions | undefined): DataStream<T> {
    return this.origin.factory.data(this.origin.append({ kind, operator: reduceOperator(fn), options, traits: { stateful: true } }));
  }

  private single(kind: string, aggregate: Aggregate<T, number>, options: OperatorOptions | undefined): DataStream<KeyedNumber<K>> {
    const operator = rollingAggregateOperator({ value: aggregate } as AggregateShape<never>, 'value');
    return this.origin.factory.data(this.origin.append({ kind, operator, options, traits: { stateful: true } }));
  }
}

function shapeDetails(aggregates: AggregateShape<never>): Record<string, string> {
  return {
    aggregates: Object.entries(aggregates)
      .map(([name, { name: kind }]) => `${name}: ${kind}`)
      .join(', '),
  };
}

/** Also for those whom no types stop: a side without a key would read the state of whatever key came before. */
function keyedOrigin(other: DataStream<unknown>, verb: string): StreamOrigin {
  if (other.origin.key !== undefined) return other.origin;
  throw new MillraceError('graph/option', `${verb}: the other stream has no key.`, {
    remedy: 'Key both by the same thing: other.keyBy(…).',
  });
}
