import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits } from '../operators/emits.ts';
import type { Declarations, ProcessHandlers } from '../operators/keyedProcess.ts';
import type { Context, Timer } from '../operators/operatorContext.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';

/** What a behaviour declares beside its handlers: state, timers and outputs, from which everything else is inferred. */
export interface Behaviour<S, TM, OT> extends OperatorOptions {
  readonly state?: S;
  readonly timers?: TM;
  readonly outputs?: OT;
}

/** The context of a behaviour's handlers. */
export type BehaviourContext<K, S extends StateShape, TM extends TimerShape, OT extends OutputShape> = Context<
  K,
  S,
  keyof TM & string,
  OutputStreams<OT>
>;

/** The context of handlers without a key, and so without state and timers. */
export type PlainContext<OT extends OutputShape> = Omit<Context<never, {}, never, OutputStreams<OT>>, 'key' | 'state' | 'timers'>;

/** A process function over one input without a key. */
export interface PlainBehaviour<T, OT extends OutputShape, R extends Emits> extends Behaviour<never, never, OT> {
  onElement(value: T, context: PlainContext<OT>): R;
}

/** A process function over one keyed input. */
export interface KeyedBehaviour<
  K,
  T,
  S extends StateShape,
  TM extends TimerShape,
  OT extends OutputShape,
  R extends Emits,
  RT extends Emits,
> extends Behaviour<S, TM, OT> {
  onElement(value: T, context: BehaviourContext<K, S, TM, OT>): R;
  onTimer?(timer: Timer<keyof TM & string>, context: BehaviourContext<K, S, TM, OT>): RT;
}

/** Splits a behaviour into its parts: what it declares, and options of the node. */
export function declarationsOf(behaviour: Behaviour<StateShape, TimerShape, OutputShape>): Declarations {
  const { state, timers, outputs } = behaviour;
  return { state, timers, outputs };
}

/** Handlers as the operator takes them. They keep their `this`, which is the behaviour. */
export function handlersOf(behaviour: object, elements: readonly string[]): ProcessHandlers {
  const methods = behaviour as Readonly<Record<string, ((...args: never[]) => Emits) | undefined>>;
  const bound = (name: string): ((value: never, context: never) => Emits) => methods[name]!.bind(behaviour);
  return { elements: elements.map(bound), timer: methods['onTimer'] === undefined ? undefined : bound('onTimer') };
}
