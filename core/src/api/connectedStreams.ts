import type { Emits, Emitted } from '../operators/emits.ts';
import { processOperator } from '../operators/keyedProcess.ts';
import type { Timer } from '../operators/operatorContext.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import { type Behaviour, type BehaviourContext, declarationsOf, handlersOf } from './behaviour.ts';
import { ConnectedDataStreams } from './connectedDataStreams.ts';
import type { OperatorStream } from './operatorStream.ts';

/** A process function over two keyed inputs that share the key's state and timers. */
export interface KeyedCoBehaviour<
  K,
  L,
  RI,
  S extends StateShape,
  TM extends TimerShape,
  OT extends OutputShape,
  RL extends Emits,
  RR extends Emits,
  RT extends Emits,
> extends Behaviour<S, TM, OT> {
  onLeft(value: L, context: BehaviourContext<K, S, TM, OT>): RL;
  onRight(value: RI, context: BehaviourContext<K, S, TM, OT>): RR;
  onTimer?(timer: Timer<keyof TM & string>, context: BehaviourContext<K, S, TM, OT>): RT;
}

/** Two keyed streams that meet in one operator: elements of one key come to the same place, and share state and timers. */
export class ConnectedStreams<K, L, RI> extends ConnectedDataStreams<L, RI> {
  /**
   * A process function with a handler per side, over the key's state, timers and side outputs, all declared beside them.
   *
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const orders = env.from(fromArray([{ id: 1, item: 'tea', at: 1 }]), { time: { timestamp: (o) => o.at } });
   * const payments = env.from(fromArray([{ order: 1, cents: 300, at: 2 }]), { time: { timestamp: (p) => p.at } });
   * const matched = orders.keyBy((o) => o.id).connect(payments.keyBy((p) => p.order)).process({
   *   uid: 'matched',
   *   state: { item: valueState<string>() },
   *   onLeft: ({ item }, { state }) => state.item.update(item),
   *   onRight: ({ cents }, { state }) => [{ item: state.item.value(), cents }],
   * });
   * console.log(await matched.collect()); // [ { item: 'tea', cents: 300 } ]
   */
  override process<
    const S extends StateShape = {},
    const TM extends TimerShape = {},
    const OT extends OutputShape = {},
    RL extends Emits = void,
    RR extends Emits = void,
    RT extends Emits = void,
  >(
    behaviour: KeyedCoBehaviour<K, L, RI, S, TM, OT, RL, RR, RT>,
  ): OperatorStream<Emitted<RL> | Emitted<RR> | Emitted<RT>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onLeft', 'onRight']), declarationsOf(behaviour));
    return this.left.factory.operator(this.next('process', behaviour, operator));
  }
}
