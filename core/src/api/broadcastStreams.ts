import type { Emits, Emitted } from '../operators/emits.ts';
import type { Timer } from '../operators/operatorContext.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import type { Behaviour, BehaviourContext } from './behaviour.ts';
import { BroadcastDataStreams, type BroadcastReader, type BroadcastWriter } from './broadcastDataStreams.ts';
import type { OperatorStream } from './operatorStream.ts';

/** The context of the handler that writes broadcast state beside keyed state. */
export type KeyedBroadcastWriter<
  K,
  BC extends StateShape,
  S extends StateShape,
  TM extends TimerShape,
  OT extends OutputShape,
> = BroadcastWriter<BC, OT> & {
  /** Visits every key of this subtask that holds state or a timer, in no order. */
  readonly forEachKey: (visit: (context: BroadcastReader<BehaviourContext<K, S, TM, OT>, BC>) => void) => void;
};

/** A process function over a keyed stream and a broadcast one. */
export interface KeyedBroadcastBehaviour<
  K,
  T,
  B,
  BC extends StateShape,
  S extends StateShape,
  TM extends TimerShape,
  OT extends OutputShape,
  R extends Emits,
  RB extends Emits,
  RT extends Emits,
> extends Behaviour<S, TM, OT> {
  /** State that is the same in every subtask: written by `onBroadcast`, read by the other handlers. */
  readonly broadcast: BC;
  onElement(value: T, context: BroadcastReader<BehaviourContext<K, S, TM, OT>, BC>): R;
  /** Once per subtask for each element of the broadcast stream; it has no key. */
  onBroadcast(value: B, context: KeyedBroadcastWriter<K, BC, S, TM, OT>): RB;
  onTimer?(timer: Timer<keyof TM & string>, context: BroadcastReader<BehaviourContext<K, S, TM, OT>, BC>): RT;
}

/** A keyed stream, and another whose elements go to every subtask of the operator in which the two meet. */
export class BroadcastStreams<K, T, B> extends BroadcastDataStreams<T, B> {
  /**
   * A process function over the key's state and timers, and over broadcast state. In batch mode the broadcast stream is read first.
   *
   * @throws MillraceError `graph/option` for broadcast state with a time to live
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const limits = env.from(fromArray([{ country: 'FR', cents: 500 }]));
   * const payments = env.from(fromArray([{ card: 'a', country: 'FR', cents: 300 }, { card: 'a', country: 'FR', cents: 400 }]));
   * const alerts = payments.keyBy((p) => p.card).connectBroadcast(limits).process({
   *   uid: 'alerts',
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
  override process<
    const BC extends StateShape,
    const S extends StateShape = {},
    const TM extends TimerShape = {},
    const OT extends OutputShape = {},
    R extends Emits = void,
    RB extends Emits = void,
    RT extends Emits = void,
  >(
    behaviour: KeyedBroadcastBehaviour<K, T, B, BC, S, TM, OT, R, RB, RT>,
  ): OperatorStream<Emitted<R> | Emitted<RB> | Emitted<RT>, OutputStreams<OT>> {
    return this.stream.factory.operator(this.next(behaviour));
  }
}
