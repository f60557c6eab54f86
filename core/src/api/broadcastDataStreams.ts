import { broadcastProcessOperator } from '../operators/broadcastProcess.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import type { StateHandles, StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import type { ReadOnlyHandles } from '../state/readOnly.ts';
import { type Behaviour, declarationsOf, handlersOf, type PlainContext } from './behaviour.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';

/** The context of a handler that reads broadcast state. */
export type BroadcastReader<C, BC extends StateShape> = C & { readonly broadcast: ReadOnlyHandles<StateHandles<BC>> };
/** The context of the handler that writes broadcast state: it runs in every subtask, and must do the same in each. */
export type BroadcastWriter<BC extends StateShape, OT extends OutputShape> = PlainContext<OT> & { readonly broadcast: StateHandles<BC> };

/** A process function over a stream without a key and a broadcast one. */
export interface BroadcastBehaviour<
  T,
  B,
  BC extends StateShape,
  OT extends OutputShape,
  R extends Emits,
  RB extends Emits,
> extends Behaviour<never, never, OT> {
  /** State that is the same in every subtask: written by `onBroadcast`, read by `onElement`. */
  readonly broadcast: BC;
  onElement(value: T, context: BroadcastReader<PlainContext<OT>, BC>): R;
  /** Once per subtask for each element of the broadcast stream. */
  onBroadcast(value: B, context: BroadcastWriter<BC, OT>): RB;
}

/** A stream, and another whose elements go to every subtask of the operator in which the two meet. */
export class BroadcastDataStreams<T, B> {
  protected readonly stream: StreamOrigin;
  protected readonly rules: StreamOrigin;

  /** @internal */
  constructor(stream: StreamOrigin, rules: StreamOrigin) {
    this.stream = stream;
    this.rules = rules.exchanged('broadcast');
  }

  /**
   * A process function over broadcast state. In batch mode the broadcast stream is read first.
   *
   * @throws MillraceError `graph/option` for broadcast state with a time to live
   * @example
   * const env = new StreamEnvironment({ mode: 'batch' });
   * const known = env.from(fromArray(['ann', 'eve'])).connectBroadcast(env.from(fromArray(['eve']))).process({
   *   uid: 'known',
   *   broadcast: { blocked: mapState<string, boolean>() },
   *   onBroadcast: (name: string, { broadcast }) => broadcast.blocked.put(name, true),
   *   onElement: (name: string, { broadcast }) => (broadcast.blocked.has(name) ? [] : [name]),
   * });
   * console.log(await known.collect()); // [ 'ann' ]
   */
  process<const BC extends StateShape, const OT extends OutputShape = {}, R extends Emits = void, RB extends Emits = void>(
    behaviour: BroadcastBehaviour<T, B, BC, OT, R, RB>,
  ): OperatorStream<Emitted<R> | Emitted<RB>, OutputStreams<OT>> {
    return this.stream.factory.operator(this.next(behaviour));
  }

  protected next(behaviour: Behaviour<StateShape, TimerShape, OutputShape> & { readonly broadcast: StateShape }): StreamOrigin {
    const declared = { ...declarationsOf(behaviour), broadcast: behaviour.broadcast };
    const operator = broadcastProcessOperator(handlersOf(behaviour, ['onElement', 'onBroadcast']), declared);
    const details = { broadcast: Object.keys(behaviour.broadcast).join(', ') };
    const traits = { stateful: true, firstInput: 1 };
    return this.stream.append({ kind: 'process', operator, options: behaviour, traits, details }, [this.rules]);
  }
}
