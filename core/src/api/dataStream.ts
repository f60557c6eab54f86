import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorOptions } from '../graph/builder.ts';
import type { ExchangeKind, NodeTraits } from '../graph/node.ts';
import { assignTimeOperator } from '../operators/assignTime.ts';
import { type AsyncMap, asyncMapOperator, type FailedCall } from '../operators/asyncMap.ts';
import type { Sink } from '../operators/connector.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import { filterOperator } from '../operators/filter.ts';
import { flatMapOperator } from '../operators/flatMap.ts';
import { type Iteration, type IterationOptions, iterateOperator } from '../operators/iterate.ts';
import { processOperator } from '../operators/keyedProcess.ts';
import { mapOperator } from '../operators/map.ts';
import type { OperatorDefinition } from '../operators/operator.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import type { Key } from '../state/key.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import type { EventTime } from '../time/watermark.ts';
import { declarationsOf, handlersOf, type PlainBehaviour } from './behaviour.ts';
import { BroadcastDataStreams } from './broadcastDataStreams.ts';
import { ConnectedDataStreams } from './connectedDataStreams.ts';
import type { KeyedStream } from './keyedStream.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';
import type { RunOptions } from './runOptions.ts';
import { WindowedStream, type WindowOptions, windowSpec } from './windowedStream.ts';

/** The element type of a stream. */
export type ElementOf<D> = D extends DataStream<infer T> ? T : never;

/** Options of `transform`. */
export interface TransformOptions extends OperatorOptions {
  /** What `explain()` calls the operator. */
  readonly kind?: string;
  /** Streams for the second and further inputs. */
  readonly with?: readonly DataStream<unknown>[];
  /** What the plan must know. */
  readonly traits?: NodeTraits;
  /** Shown by `explain()`. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * A stream of elements, bounded or not. Every verb adds an operator to the job and gives the stream of its results; nothing
 * runs until the job does.
 */
export class DataStream<out T> {
  /**
   * Where the stream comes from: what a verb adds its node to.
   *
   * @internal
   */
  readonly origin: StreamOrigin;

  /** @internal */
  constructor(origin: StreamOrigin) {
    this.origin = origin;
  }

  /**
   * One element out for each that comes in.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3]));
   * console.log(await numbers.map((n) => n * 2).collect()); // [ 2, 4, 6 ]
   */
  map<R>(fn: (value: T) => R, options?: OperatorOptions): DataStream<R> {
    return this.next('map', { operator: mapOperator(fn), options });
  }

  /**
   * Only the elements that the predicate says yes to; a type guard narrows.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3]));
   * console.log(await numbers.filter((n) => n > 1).collect()); // [ 2, 3 ]
   */
  filter<R extends T>(fn: (value: T) => value is R, options?: OperatorOptions): DataStream<R>;
  filter(fn: (value: T) => boolean, options?: OperatorOptions): DataStream<T>;
  filter(fn: (value: T) => boolean, options?: OperatorOptions): DataStream<T> {
    return this.next('filter', { operator: filterOperator(fn), options });
  }

  /**
   * Any number of elements out for each that comes in. An array is quickest, a generator graceful.
   *
   * @example
   * const lines = new StreamEnvironment().from(fromArray(['to be', 'or not']));
   * console.log(await lines.flatMap((line) => line.split(' ')).collect()); // [ 'to', 'be', 'or', 'not' ]
   */
  flatMap<R>(fn: (value: T) => Iterable<R> & object, options?: OperatorOptions): DataStream<R> {
    return this.next('flatMap', { operator: flatMapOperator(fn), options });
  }

  /**
   * Elements into promises and back: several calls under way at once, in order of input or of completion. What fails at its last try
   * goes to the side output `failed`; where nobody takes that, the operator's error policy decides.
   *
   * @throws MillraceError `graph/option` for a capacity or a number of attempts below 1; `duration/invalid`. When it runs: `async/failed`,
   * `async/timeout`.
   * @example
   * const ids = new StreamEnvironment().from(fromArray([1, 2]));
   * const users = ids.asyncMap({ run: async (id) => `user ${id}`, capacity: 10, timeout: { seconds: 1 }, retry: { attempts: 3 } });
   * console.log(await users.collect()); // [ 'user 1', 'user 2' ]
   */
  asyncMap<R, X = undefined>(definition: AsyncMap<T, R, X>, options?: OperatorOptions): OperatorStream<R, { failed: FailedCall<T> }> {
    const operator = asyncMapOperator(definition as AsyncMap<never, unknown, unknown>);
    const details = { order: definition.order ?? 'input' };
    return this.origin.factory.operator(
      this.origin.unkeyed().append({ kind: 'asyncMap', operator, options, details, traits: { head: true, stateful: true } }),
    );
  }

  /**
   * Rounds over the whole input: see {@link Iteration}. The sources must be bounded.
   *
   * @throws MillraceError `graph/unbounded` when the job is started; `graph/option` for a number of shards or rounds below 1;
   * `operator/failed` when it is not done after `maxRounds`.
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3]));
   * const halved = numbers.iterate<number, number, number>({
   *   init: (elements) => elements.reduce((a, b) => a + b, 0),
   *   round: (total) => total / 2, combine: (_total, [half]) => half!, done: (total) => total < 1, result: (total) => [total],
   * });
   * console.log(await halved.collect()); // [ 0.75 ]
   */
  iterate<S, M, R>(iteration: Iteration<T, S, M, R>, options: OperatorOptions & IterationOptions = {}): DataStream<R> {
    const operator = iterateOperator(iteration as unknown as Iteration<never, unknown, unknown, unknown>, options);
    const traits = { stateful: true, needsBounded: true };
    const { factory } = this.origin;
    return factory.data(
      this.origin.exchanged('global').append({ kind: 'iterate', operator, options: { ...options, parallelism: 1 }, traits }),
    );
  }

  /**
   * Gives elements their time in the middle of a stream, where the source cannot know it. An element whose timestamp is no integer is
   * dealt with as the error policy says.
   *
   * @throws MillraceError `duration/invalid`, `watermark/invalid`
   * @example
   * const lines = new StreamEnvironment().from(fromArray(['12:ann', '47:bob']));
   * const logins = lines.map((line) => ({ second: Number(line.slice(0, 2)), user: line.slice(3) })).withTime({ timestamp: (l) => l.second * 1000 });
   * console.log((await logins.windowAll(tumbling({ minutes: 1 })).aggregate({ logins: count() }).collect())[0]!.value); // { logins: 2 }
   */
  withTime(time: EventTime<T>, options?: OperatorOptions): DataStream<T> {
    return this.next('withTime', { operator: assignTimeOperator(time), options, traits: { timestamped: true } });
  }

  /**
   * An operator of one's own: see {@link OperatorDefinition}. `with` gives it further inputs.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3]));
   * const double: OperatorDefinition = { create: (context) => ({ inputs: [(n: number) => context.emit(n * 2, context.time)] }) };
   * console.log(await numbers.transform<number>(double, { uid: 'doubled' }).collect()); // [ 2, 4, 6 ]
   */
  transform<R, O = {}>(operator: OperatorDefinition, options: TransformOptions = {}): OperatorStream<R, O> {
    const { kind = 'transform', traits = {}, details = {}, with: others = [] } = options;
    const spec = { kind, operator, options, traits, details };
    return this.origin.factory.operator(
      this.origin.append(
        spec,
        others.map((other) => other.origin),
      ),
    );
  }

  /**
   * A process function: a handler with clocks, counters and side outputs. State and timers belong to keys: `keyBy` first for these.
   *
   * @example
   * const numbers = new StreamEnvironment().from(fromArray([1, 2, 3]));
   * const odd = numbers.process({
   *   outputs: { even: output<number>() },
   *   onElement: (n: number, context) => (n % 2 === 1 ? [n] : context.output('even', n)),
   * });
   * console.log(await odd.side('even').collect()); // [ 2 ]
   */
  process<const OT extends OutputShape = {}, R extends Emits = void>(
    behaviour: PlainBehaviour<T, OT, R>,
  ): OperatorStream<Emitted<R>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onElement']), declarationsOf(behaviour));
    return this.origin.factory.operator(this.origin.append({ kind: 'process', operator, options: behaviour }));
  }

  /**
   * Brings the elements of a key together: what keyed state, windows and joins are over. The function must be pure. What it gives back for
   * an element must be a {@link Key}, else the element is dealt with as the error policy says (`key/invalid`).
   *
   * @example
   * const words = new StreamEnvironment().from(fromArray(['to', 'be', 'to']));
   * console.log(await words.keyBy((word) => word).sum(() => 1).map(({ key, value }) => `${key} ${value}`).collect()); // [ 'to 1', 'be 1', 'to 2' ]
   */
  keyBy<const K extends Key>(key: (value: T) => K): KeyedStream<K, T> {
    return this.origin.factory.keyed(this.origin.keyed(key));
  }

  /**
   * All elements by windows, whatever their key: in one place, so that it does not scale. Results have the key `undefined`.
   *
   * @throws MillraceError `duration/invalid`
   * @example
   * const requests = new StreamEnvironment().from(fromArray([{ at: 1_000 }, { at: 2_000 }, { at: 61_000 }]), { time: { timestamp: (r) => r.at } });
   * const perMinute = requests.windowAll(tumbling({ minutes: 1 })).aggregate({ n: count() }, { uid: 'per-minute' });
   * console.log((await perMinute.collect()).map(({ value }) => value.n)); // [ 2, 1 ]
   */
  windowAll(assigner: WindowAssigner<T>, options: WindowOptions<T> = {}): WindowedStream<undefined, T> {
    return new WindowedStream(
      this.origin.keyed(() => 0),
      windowSpec(assigner, options, false),
    );
  }

  /**
   * The elements of several streams as one, in no order between them.
   *
   * @example
   * const env = new StreamEnvironment();
   * const either = env.from(fromArray([1, 2])).union(env.from(fromArray(['three'])));
   * console.log((await either.collect()).length); // 3
   */
  union<const U extends readonly DataStream<unknown>[]>(...others: U): DataStream<T | ElementOf<U[number]>> {
    return this.origin.factory.data(this.origin.joined(others.map((other) => other.origin)));
  }

  /**
   * Lets two streams of different elements meet in one operator.
   *
   * @example
   * const env = new StreamEnvironment();
   * const told = env.from(fromArray([1])).connect(env.from(fromArray(['two']))).map({ left: (n) => `number ${n}`, right: (s) => `word ${s}` });
   * console.log((await told.collect()).toSorted()); // [ 'number 1', 'word two' ]
   */
  connect<U>(other: DataStream<U>): ConnectedDataStreams<T, U> {
    return new ConnectedDataStreams(this.origin, other.origin.unkeyed());
  }

  /**
   * Lets this stream meet one whose elements, such as rules, go to every subtask.
   *
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const known = env.from(fromArray(['ann', 'eve'])).connectBroadcast(env.from(fromArray(['eve']))).process({
   *   broadcast: { blocked: mapState<string, boolean>() },
   *   onBroadcast: (name: string, { broadcast }) => broadcast.blocked.put(name, true),
   *   onElement: (name: string, { broadcast }) => (broadcast.blocked.has(name) ? [] : [name]),
   * });
   * console.log(await known.collect()); // [ 'ann' ]
   */
  connectBroadcast<B>(rules: DataStream<B>): BroadcastDataStreams<T, B> {
    return new BroadcastDataStreams(this.origin, rules.origin);
  }

  /**
   * Deals elements out evenly to the subtasks of the next operator.
   *
   * @example
   * const env = new StreamEnvironment({ parallelism: 2 });
   * env.from(fromArray([1, 2])).rebalance().map((n) => n * 2).sinkTo(print());
   * console.log(env.plan().edges.map(({ exchange }) => exchange)); // [ 'rebalance' ]
   */
  rebalance(): DataStream<T> {
    return this.exchanged('rebalance');
  }

  /**
   * Like `rebalance`, within groups of neighbouring subtasks.
   *
   * @example
   * const env = new StreamEnvironment();
   * env.from(fromArray([1, 2])).rescale().map((n) => n * 2, { parallelism: 4 }).sinkTo(print(), { parallelism: 4 });
   * console.log(env.plan().edges.map(({ exchange }) => exchange)); // [ 'rescale' ]
   */
  rescale(): DataStream<T> {
    return this.exchanged('rescale');
  }

  /**
   * Every element to every subtask of the next operator.
   *
   * @example
   * const env = new StreamEnvironment();
   * env.from(fromArray(['refresh'])).broadcast().sinkTo(print(), { parallelism: 4 });
   * console.log(env.plan().edges.map(({ exchange }) => exchange)); // [ 'broadcast' ]
   */
  broadcast(): DataStream<T> {
    return this.exchanged('broadcast');
  }

  /**
   * Every element to the first subtask of the next operator.
   *
   * @example
   * const env = new StreamEnvironment({ parallelism: 4 });
   * env.from(fromArray([1, 2])).global().sinkTo(print(), { parallelism: 1 });
   * console.log(env.plan().edges.map(({ exchange }) => exchange)); // [ 'global' ]
   */
  global(): DataStream<T> {
    return this.exchanged('global');
  }

  /**
   * From each subtask to the one of the same number: what happens anyway between operators of the same parallelism.
   *
   * @example
   * const env = new StreamEnvironment({ parallelism: 2 });
   * env.from(fromArray([1, 2])).forward().map((n) => n * 2).sinkTo(print());
   * console.log(env.plan().edges.length); // 0
   */
  forward(): DataStream<T> {
    return this.exchanged('forward');
  }

  /**
   * To the subtask that `partition` names, modulo their number.
   *
   * @example
   * const env = new StreamEnvironment({ parallelism: 2 });
   * env.from(fromArray([1, 2])).partitionCustom((n, subtasks) => n % subtasks).map((n) => n * 2).sinkTo(print());
   * console.log(env.plan().edges.map(({ exchange }) => exchange)); // [ 'custom' ]
   */
  partitionCustom(partition: (value: T, subtasks: number) => number): DataStream<T> {
    return this.origin.factory.data(this.origin.exchanged('custom', partition));
  }

  /**
   * Applies a function of streams. `scope` prefixes the uids inside, so that one function can be used twice in a job.
   *
   * @example
   * const double = (numbers: DataStream<number>) => numbers.map((n) => n * 2, { uid: 'double' });
   * const one = new StreamEnvironment().from(fromArray([1]));
   * console.log(await one.pipe(double, { scope: 'once' }).pipe(double, { scope: 'again' }).collect()); // [ 4 ]
   */
  pipe<R>(fn: (stream: this) => R, options?: { readonly scope: string }): R {
    return options === undefined ? fn(this) : this.origin.builder.inScope(options.scope, () => fn(this));
  }

  /**
   * Sends the elements to a sink.
   *
   * @example
   * const env = new StreamEnvironment();
   * env.from(fromArray([1, 2, 3])).map((n) => n * 2).sinkTo(print({ label: 'doubled' }), { uid: 'output' });
   * await env.execute('double');
   * // doubled> 2
   * // doubled> 4
   * // doubled> 6
   */
  sinkTo(sink: Sink<T>, options?: OperatorOptions): void {
    const definition = sink.definition as never;
    this.origin.unkeyed().append({
      kind: 'sink',
      sink: definition,
      options,
      details: { connector: sink.definition.name },
      traits: { stateful: true },
    });
  }

  /**
   * Runs the job up to here and gathers the elements: for scripts, notebooks and tests. With `limit` it ends the job when there
   * are that many; without it the sources must be bounded.
   *
   * @throws MillraceError `graph/unbounded`, `graph/option` for a limit that is no whole number; and what the job fails with.
   * @example
   * const squares = new StreamEnvironment().from(generator({ create: (i) => i * i }));
   * console.log(await squares.collect({ limit: 5 })); // [ 0, 1, 4, 9, 16 ]
   */
  collect(options: RunOptions & { readonly limit?: number } = {}): Promise<T[]> {
    const { limit } = options;
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
      throw new MillraceError('graph/option', `limit is ${limit}.`, { remedy: 'Give a whole number, 0 or more.' });
    }
    return this.origin.factory.collect<T>(this.origin, options);
  }

  private exchanged(exchange: ExchangeKind): DataStream<T> {
    return this.origin.factory.data(this.origin.exchanged(exchange));
  }

  private next<R>(kind: string, spec: Omit<Parameters<StreamOrigin['append']>[0], 'kind'>): DataStream<R> {
    return this.origin.factory.data(this.origin.unkeyed().append({ kind, ...spec }));
  }
}
