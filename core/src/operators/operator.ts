import type { OperatorStateEntry } from '../state/operatorState.ts';
import type { StateEntry } from '../state/backend.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { CodeSite } from './codeSite.ts';
import type { OperatorContext } from './operatorContext.ts';

/**
 * *The* contract: one subtask's instance of an operator. Elements, watermarks and timers of one subtask come one after the other,
 * never two at a time; handlers are synchronous. Before a handler runs, the context holds the element's timestamp and key. What
 * the operator has to say goes through `context.emit` and `context.output`.
 */
export interface Operator {
  /** A handler per input, for each of its elements. */
  readonly inputs: readonly ((value: never) => void)[];
  /** True for an operator that gives out watermarks of its own (`context.advance`) in place of those that come in. */
  readonly ownsTime?: boolean;
  /** True for an operator that neither sets timers nor looks at the watermark: batch mode then spares it the moves of its keys' clocks. */
  readonly ignoresTime?: boolean;
  /** Optional: writes the element handler into the chain's generated driver. It must do exactly what the handler does. */
  inline?(site: CodeSite, input: number): void;
  /** A timer is due: `context.dueName` and `context.dueTime`, with its key entered. */
  onTimer?(): void;
  /**
   * Time has advanced, due timers have fired, the watermark has not been passed on yet. Return `false` to be called again
   * when there is credit: `context.hasCredit()` tells. Timers that are set here and are due fire before the watermark is passed on.
   */
  onWatermark?(watermark: Timestamp): boolean | void;
  /** An input has ended. Return `false` to be called again when there is credit. */
  onEnd?(input: number): boolean | void;
  /** Batch mode, keyed input: the last element of the current key was delivered, its timers have fired, its state goes next. */
  onKeyEnd?(): void;
  /** A run of elements is over and the engine looks elsewhere: pass on what was buffered for efficiency. */
  onPause?(): void;
  /** False while no further element can be taken; `context.wake()` makes the engine ask again. */
  isReady?(): boolean;
  /** Before the first element, after a restore. */
  open?(): void | Promise<void>;
  /**
   * A checkpoint's barrier has come, and the state is about to be taken: bring what is under way outside of the engine into it. While
   * a returned promise is pending no element comes. `isLast`: no element will come after it either.
   */
  prepareBarrier?(checkpoint: number, isLast: boolean): void | Promise<void>;
  /** A checkpoint is complete everywhere, and with it all before it. May be told of an older one late, or never of some. */
  onCheckpointComplete?(checkpoint: number): void | Promise<void>;
  /** A checkpoint will not be complete. What it held belongs to the next. */
  onCheckpointAborted?(checkpoint: number): void;
  /** All inputs have ended and everything was emitted: make it durable. */
  finish?(): Promise<void>;
  /** Always called, last, also after a failure, which it is given. */
  close?(failure?: unknown): void | Promise<void>;
  /** State that the operator keeps in structures of its own: keyed entries, and lists that belong to no key. */
  entries?(): Iterable<StateEntry>;
  restoreEntry?(entry: StateEntry): void;
  operatorEntries?(): Iterable<OperatorStateEntry>;
  restoreOperatorEntry?(entry: OperatorStateEntry): void;
}

/** What an operator declares beside its code: the graph knows it before any instance exists. */
export interface OperatorDefinition {
  readonly create: (context: OperatorContext) => Operator;
  readonly state?: StateShape | undefined;
  readonly timers?: TimerShape | undefined;
  /** Names of side outputs. */
  readonly outputs?: readonly string[] | undefined;
}
