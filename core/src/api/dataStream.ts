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
  /** Where the stream comes from: for packages that add verbs of their own. */
  readonly origin: StreamOrigin;

  constructor(origin: StreamOrigin) {
    this.origin = origin;
  }

  /** One element out for each that comes in. */
  map<R>(fn: (value: T) => R, options?: OperatorOptions): DataStream<R> {
    return this.next('map', { operator: mapOperator(fn), options });
  }

  /** Only the elements that the predicate says yes to; a type guard narrows. */
  filter<R extends T>(fn: (value: T) => value is R, options?: OperatorOptions): DataStream<R>;
  filter(fn: (value: T) => boolean, options?: OperatorOptions): DataStream<T>;
  filter(fn: (value: T) => boolean, options?: OperatorOptions): DataStream<T> {
    return this.next('filter', { operator: filterOperator(fn), options });
  }

  /** Any number of elements out for each that comes in. An array is quickest, a generator graceful. */
  flatMap<R>(fn: (value: T) => Iterable<R> & object, options?: OperatorOptions): DataStream<R> {
    return this.next('flatMap', { operator: flatMapOperator(fn), options });
  }

  /** Elements into promises and back: several calls under way at once, in order of input or of completion. */
  asyncMap<R, X = undefined>(definition: AsyncMap<T, R, X>, options?: OperatorOptions): OperatorStream<R, { failed: FailedCall<T> }> {
    const operator = asyncMapOperator(definition as AsyncMap<never, unknown, unknown>);
    const details = { order: definition.order ?? 'input' };
    return this.origin.factory.operator(this.origin.append({ kind: 'asyncMap', operator, options, details, traits: { head: true, stateful: true } }));
  }

  /** Rounds over the whole input: see {@link Iteration}. The sources must be bounded. */
  iterate<S, M, R>(iteration: Iteration<T, S, M, R>, options: OperatorOptions & IterationOptions = {}): DataStream<R> {
    const operator = iterateOperator(iteration as unknown as Iteration<never, unknown, unknown, unknown>, options);
    const traits = { stateful: true, needsBounded: true };
    const { factory } = this.origin;
    return factory.data(this.origin.exchanged('global').append({ kind: 'iterate', operator, options: { ...options, parallelism: 1 }, traits }));
  }

  /** Gives elements their time in the middle of a stream, where the source cannot know it. */
  withTime(time: EventTime<T>, options?: OperatorOptions): DataStream<T> {
    return this.next('withTime', { operator: assignTimeOperator(time), options, traits: { timestamped: true } });
  }

  /** An operator of one's own: see {@link OperatorDefinition}. `with` gives it further inputs. */
  transform<R, O = {}>(operator: OperatorDefinition, options: TransformOptions = {}): OperatorStream<R, O> {
    const { kind = 'transform', traits = {}, details = {}, with: others = [] } = options;
    const spec = { kind, operator, options, traits, details };
    return this.origin.factory.operator(this.origin.append(spec, others.map((other) => other.origin)));
  }

  /** A process function: a handler with clocks, counters and side outputs. State and timers belong to keys: `keyBy` first for these. */
  process<const OT extends OutputShape = {}, R extends Emits = void>(
    behaviour: PlainBehaviour<T, OT, R>,
  ): OperatorStream<Emitted<R>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onElement']), declarationsOf(behaviour));
    return this.origin.factory.operator(this.origin.append({ kind: 'process', operator, options: behaviour }));
  }

  /** Brings the elements of a key together: what keyed state, windows and joins are over. The function must be pure. */
  keyBy<const K extends Key>(key: (value: T) => K): KeyedStream<K, T> {
    return this.origin.factory.keyed(this.origin.keyed(key));
  }

  /**
   * All elements by windows, whatever their key: in one place, so that it does not scale. Results have the key `undefined`.
   *
   * @throws MillraceError `duration/invalid`
   * @example
   * const perMinute = requests.windowAll(tumbling({ minutes: 1 })).aggregate({ n: count() }, { uid: 'per-minute' });
   */
  windowAll(assigner: WindowAssigner<T>, options: WindowOptions<T> = {}): WindowedStream<undefined, T> {
    return new WindowedStream(this.origin.keyed(() => 0), windowSpec(assigner, options, false));
  }

  /** The elements of several streams as one, in no order between them. */
  union<const U extends readonly DataStream<unknown>[]>(...others: U): DataStream<T | ElementOf<U[number]>> {
    return this.origin.factory.data(this.origin.joined(others.map((other) => other.origin)));
  }

  /** Lets two streams of different elements meet in one operator. */
  connect<U>(other: DataStream<U>): ConnectedDataStreams<T, U> {
    return new ConnectedDataStreams(this.origin, other.origin.unkeyed());
  }

  /** Lets this stream meet one whose elements, such as rules, go to every subtask. */
  connectBroadcast<B>(rules: DataStream<B>): BroadcastDataStreams<T, B> {
    return new BroadcastDataStreams(this.origin, rules.origin);
  }

  /** Deals elements out evenly to the subtasks of the next operator. */
  rebalance(): DataStream<T> {
    return this.exchanged('rebalance');
  }

  /** Like `rebalance`, within groups of neighbouring subtasks. */
  rescale(): DataStream<T> {
    return this.exchanged('rescale');
  }

  /** Every element to every subtask of the next operator. */
  broadcast(): DataStream<T> {
    return this.exchanged('broadcast');
  }

  /** Every element to the first subtask of the next operator. */
  global(): DataStream<T> {
    return this.exchanged('global');
  }

  /** From each subtask to the one of the same number: what happens anyway between operators of the same parallelism. */
  forward(): DataStream<T> {
    return this.exchanged('forward');
  }

  /** To the subtask that `partition` names, modulo their number. */
  partitionCustom(partition: (value: T, subtasks: number) => number): DataStream<T> {
    return this.origin.factory.data(this.origin.exchanged('custom', partition));
  }

  /** Applies a function of streams. `scope` prefixes the uids inside, so that one function can be used twice in a job. */
  pipe<R>(fn: (stream: this) => R, options?: { readonly scope: string }): R {
    return options === undefined ? fn(this) : this.origin.builder.inScope(options.scope, () => fn(this));
  }

  /** Sends the elements to a sink. */
  sinkTo(sink: Sink<T>, options?: OperatorOptions): void {
    const definition = sink.definition as never;
    this.origin.append({ kind: 'sink', sink: definition, options, details: { connector: sink.definition.name }, traits: { stateful: true } });
  }

  /**
   * Runs the job up to here and gathers the elements: for scripts, notebooks and tests. With `limit` it ends the job when there
   * are that many; without it the sources must be bounded.
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
    return this.origin.factory.data(this.origin.append({ kind, ...spec }));
  }
}
