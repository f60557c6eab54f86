import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import { aggregateOf, reduceOf } from '../operators/windowAggregate.ts';
import {
  chooseWindowOperator,
  needsEventTime,
  type PlannedWindow,
  processWindowOperator,
  type WindowSpec,
} from '../operators/windowPlan.ts';
import type { WindowContext } from '../operators/windowProcess.ts';
import type { WindowResult } from '../operators/windowResult.ts';
import type { AggregateResult, AggregateShape } from '../state/aggregate.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import { type Duration, formatDuration, toNonNegativeMilliseconds } from '../time/duration.ts';
import type { Evictor } from '../time/evictor.ts';
import type { Trigger } from '../time/trigger.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';

/** Options of a window. */
export interface WindowOptions<in T> {
  /**
   * How long after its end an event-time window still takes elements. Each of them fires the window at once, with a late pane that corrects
   * those before. What comes later still goes to the side output `late`. Default: none.
   */
  readonly allowedLateness?: Duration;
  /** When results are emitted. Default: the assigner's own, for windows of time once at their end. */
  readonly trigger?: Trigger<T>;
  /** Removes elements whenever a window fires. The window then holds its elements, not their aggregate. */
  readonly evictor?: Evictor<T>;
}

/** A function over all elements of a window. */
export interface WindowBehaviour<K, T, S extends StateShape, OT extends OutputShape, R extends Emits> extends OperatorOptions {
  /** State of the key, over all its windows. */
  readonly state?: S;
  readonly outputs?: OT;
  /** Called when the window fires, with its elements in the order in which they came; what it gives back is emitted. */
  onWindow(elements: readonly T[], context: WindowContext<K, S, OutputStreams<OT>>): R;
}

/**
 * The elements of each key by windows: made by `window` and `windowAll`, and made a stream of results by one of the verbs here. A result
 * has the window's last ms as its timestamp. An element too late for all of its windows goes to the side output `late`; one
 * that belongs to no window, as in a gap between sliding ones, is counted as dropped.
 */
export class WindowedStream<K, out T> {
  private readonly origin: StreamOrigin;
  private readonly spec: WindowSpec;

  /** @internal */
  constructor(origin: StreamOrigin, spec: WindowSpec) {
    this.origin = origin;
    this.spec = spec;
  }

  /**
   * The aggregates of each window. Elements are added as they come and not kept, unless there is an evictor.
   *
   * @throws MillraceError `trigger/no-merge` where session windows get a trigger that cannot merge.
   * @example
   * const orders = new StreamEnvironment().from(fromArray([{ shop: 'a', at: 1_000 }, { shop: 'a', at: 2_000 }]), { time: { timestamp: (o) => o.at } });
   * const minutes = orders.keyBy((o) => o.shop).window(tumbling({ minutes: 1 })).aggregate({ orders: count() }, { uid: 'minutes' });
   * console.log((await minutes.collect()).map(({ key, value }) => [key, value.orders])); // [ [ 'a', 2 ] ]
   */
  aggregate<const A extends AggregateShape<T>>(
    aggregates: A,
    options?: OperatorOptions,
  ): OperatorStream<WindowResult<K, AggregateResult<A>>, { late: T }> {
    const shape = aggregates as AggregateShape<never>;
    return this.append('window aggregate', chooseWindowOperator(this.spec, aggregateOf(shape)), options);
  }

  /**
   * Folds the elements of each window into one. `fn` must be associative and must not change what it is given.
   *
   * @throws MillraceError `trigger/no-merge`
   * @example
   * const bids = new StreamEnvironment().from(fromArray([{ item: 'x', cents: 5, at: 1 }, { item: 'x', cents: 7, at: 2 }]), { time: { timestamp: (b) => b.at } });
   * const largest = bids.keyBy((b) => b.item).window(tumbling({ hours: 1 })).reduce((a, b) => (b.cents > a.cents ? b : a), { uid: 'largest' });
   * console.log((await largest.collect()).map(({ value }) => value.cents)); // [ 7 ]
   */
  reduce(fn: (a: T, b: T) => T, options?: OperatorOptions): OperatorStream<WindowResult<K, T>, { late: T }> {
    return this.append('window reduce', chooseWindowOperator(this.spec, reduceOf(fn)), options);
  }

  /**
   * A function over all elements of each window. The elements are kept until the window goes.
   *
   * @throws MillraceError `trigger/no-merge`
   * @example
   * const samples = new StreamEnvironment().from(fromArray([{ c: 21, at: 1 }, { c: 25, at: 2 }, { c: 22, at: 3 }]), { time: { timestamp: (s) => s.at } });
   * const medians = samples.windowAll(tumbling({ minutes: 1 })).process({
   *   uid: 'medians',
   *   onWindow: (elements) => [elements.map((s) => s.c).sort((a, b) => a - b)[elements.length >> 1]],
   * });
   * console.log((await medians.collect()).map(({ value }) => value)); // [ 22 ]
   */
  process<const S extends StateShape = {}, const OT extends OutputShape = {}, R extends Emits = void>(
    behaviour: WindowBehaviour<K, T, S, OT, R>,
  ): OperatorStream<WindowResult<K, Emitted<R>>, { late: T } & OutputStreams<OT>> {
    const { state, outputs = {} } = behaviour;
    const onWindow = behaviour.onWindow.bind(behaviour);
    const planned = processWindowOperator(this.spec, { onWindow: onWindow as never, state, outputs: Object.keys(outputs) });
    return this.append('window process', planned, behaviour);
  }

  private append<R, O>(kind: string, { operator, kind: chosen }: PlannedWindow, options: OperatorOptions = {}): OperatorStream<R, O> {
    const traits = { stateful: true, ...(needsEventTime(this.spec) && { needsEventTime: true }) };
    const details = { ...windowDetails(this.spec), operator: chosen };
    const { factory } = this.origin;
    return factory.operator(this.origin.append({ kind, operator, options: this.spec.keyed ? options : alone(options), traits, details }));
  }
}

/**
 * A window as the planner takes it.
 *
 * @throws MillraceError `duration/invalid`
 */
export function windowSpec<T>(assigner: WindowAssigner<T>, options: WindowOptions<T>, keyed: boolean): WindowSpec {
  const { allowedLateness = {}, trigger = assigner.trigger, evictor = assigner.evictor } = options;
  return { assigner, trigger, evictor, lateness: toNonNegativeMilliseconds(allowedLateness, 'allowedLateness'), keyed };
}

/** What `explain()` shows of a window. */
export function windowDetails({ assigner, trigger, evictor, lateness }: WindowSpec): Record<string, string> {
  return {
    window: assigner.name,
    ...(trigger !== assigner.trigger && { trigger: trigger.definition.name }),
    ...(evictor !== undefined && { evictor: evictor.name }),
    ...(lateness > 0 && { allowedLateness: formatDuration(lateness) }),
  };
}

/** The windows of a stream without keys are in one place. */
function alone(options: OperatorOptions): OperatorOptions {
  const { parallelism = 1, uid } = options;
  if (parallelism === 1) return { ...options, parallelism };
  throw new MillraceError('graph/option', `windowAll with parallelism ${parallelism}: windows over all elements are in one place.`, {
    uid,
    remedy: 'Leave parallelism out, or key the stream first.',
  });
}
