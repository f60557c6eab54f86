import type { Key, KeyedStream, OperatorOptions, OperatorStream, TimeDomain } from '@millrace/core';
import type { AnyStateMachine, EmittedFrom, EventFromLogic, EventObject, InputFrom, OutputFrom } from 'xstate';
import { chartState, type Migration } from './chart.ts';
import { refuseActors } from './refusals.ts';
import { statechartOperator } from './statechartOperator.ts';

/** Options of `statechart`. */
export interface StatechartOptions<T, M extends AnyStateMachine, V> extends OperatorOptions {
  readonly uid: string;
  /** The version of the machine, from 1 on. Raise it when the machine changes; `migrate` reads the snapshots of older versions. */
  readonly version: number;
  /** The machine's event for an element; `undefined` where it has none. */
  readonly event: (value: T) => V;
  /** The input of a machine that starts: from the first element of its key. */
  readonly input?: (value: T, key: Key) => InputFrom<M>;
  /**
   * The clock of `after` and other delays. `eventTime` (default): elements are taken in the order of their times, when the watermark
   * has reached them, and delays count from these times. `processingTime`: elements are taken as they come.
   */
  readonly delays?: TimeDomain;
  /** A snapshot of today's machine for one of an older version: JSON, or what the machine's `resolveState` gives. */
  readonly migrate?: Migration;
}

/** The side outputs of a statechart. */
export interface StatechartOutputs<T, M extends AnyStateMachine, K> {
  /** A machine has reached its final state, and was cleared: the next element of its key starts another. */
  readonly done: { readonly key: K; readonly output: OutputFrom<M> };
  /** Elements for which the machine had no transition. */
  readonly unhandled: T;
  /** Elements behind the watermark, in event time. */
  readonly late: T;
}

/**
 * A durable XState machine per key, for `pipe`: elements become its events, delays become timers, what it emits is the stream. Its
 * snapshot is keyed state: it survives failures and rescaling. A machine starts with the first event of its key. Where it throws, the
 * element goes the way of the error policy, and the machine stays as it was before. After the end of the input, delays that are still to
 * come are over at once, in their order; a machine that goes round and round by delays alone goes round once.
 *
 * @throws MillraceError `cep/statechart` for a machine that invokes or spawns actors: what is asynchronous belongs into `asyncMap`.
 * `state/incompatible`, `state/invalid` on restore, for snapshots that no version of it can read.
 * @example
 * const machine = setup({ types: { events: {} as { type: 'knock' }, emitted: {} as { type: 'opened' } } }).createMachine({
 *   initial: 'closed',
 *   states: { closed: { on: { knock: { target: 'open', actions: emit({ type: 'opened' }) } } }, open: { after: { 60_000: 'closed' } } },
 * });
 * const knocks = new StreamEnvironment().from(fromArray([{ door: 'a', at: 0 }, { door: 'a', at: 30_000 }, { door: 'a', at: 90_000 }]), { time: { timestamp: (k) => k.at } });
 * const opened = knocks.keyBy((k) => k.door).pipe(statechart(machine, { uid: 'doors', version: 1, event: () => ({ type: 'knock' }) }));
 * console.log(await opened.collect()); // [ { type: 'opened' }, { type: 'opened' } ]
 */
export function statechart<T, M extends AnyStateMachine, K extends Key, const V extends EventFromLogic<M> | undefined>(
  machine: M,
  options: StatechartOptions<T, M, V>,
): (stream: KeyedStream<K, T>) => OperatorStream<EmittedFrom<M>, StatechartOutputs<T, M, K>> {
  const { event, input, delays = 'eventTime', version, migrate } = options;
  refuseActors(machine);
  const operator = statechartOperator({
    machine,
    chart: chartState(machine, { version, migrate }),
    event: event as (value: unknown) => EventObject | undefined,
    input: input as ((value: unknown, key: Key) => unknown) | undefined,
    delays,
  });
  return (stream) =>
    stream.transform(operator, {
      ...options,
      kind: 'statechart',
      traits: { stateful: true, ...(delays === 'eventTime' && { needsEventTime: true }) },
      details: { machine: machine.id, version, delays },
    });
}
