import type { AggregateShape } from './aggregate.ts';
import type { StateDescriptor } from './descriptor.ts';
import type { FrameState } from './frameTable.ts';
import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { KeyedTimers, TimerShape } from './keyedTimers.ts';
import type { CutSink, KeyedCut } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';
import type { TimeBuffers } from './timeBuffer.ts';

/** A piece of keyed state outside its table. Together with the operator's uid and the key group this is its address and content. */
export interface StateEntry {
  readonly state: string;
  readonly key: Key;
  /** The key inside a map state, or the name of a timer. */
  readonly userKey?: Key | undefined;
  readonly value: unknown;
  /** Processing time of the last renewal, for state that expires; of each item, for a list. */
  readonly renewed?: number | readonly number[] | undefined;
  /** How the value was written, where it comes from a checkpoint. */
  readonly form?: StateForm | undefined;
}

/** Declared aggregates of the current key. */
export interface AggregateState {
  add(value: unknown): void;
  /** By field name; `undefined` if nothing was added. */
  result(): Record<string, unknown> | undefined;
  clear(): void;
}

/**
 * Keyed state and timers of one operator subtask, behind one contract for every place that state can live in. Handles read and
 * write the state of the key entered last.
 */
export interface KeyedBackend {
  readonly key: Key;
  enter(key: Key): void;
  /** Declares a state and gives its handle. Once per name. */
  open<H>(name: string, descriptor: StateDescriptor<H>): H;
  /** Declares aggregates per key. Once per name. */
  openAggregates(name: string, shape: AggregateShape<never>): AggregateState;
  /** Declares aggregates per key over rows that a frame slides over. Once per name. */
  openFrames(name: string, shape: AggregateShape<never>): FrameState;
  /** Declares time-ordered buffers per key. Once per name. */
  openTimeBuffers<V>(name: string): TimeBuffers<V>;
  /**
   * Takes in keyed state that an operator keeps in a structure of its own, by the slots of the keys: gives the table that hands them out.
   * Whoever writes to a slot must ask for it by `claim` or `slotOf`, or `touch` it before. Once per name.
   */
  adopt(state: StoredState): KeyedTable;
  /** Declares the operator's timers. Once. */
  openTimers(shape: TimerShape, onEarlier: (at: number) => void): KeyedTimers;
  /** Says that `keys` and `entries` will be asked for: where state is not all in memory, the keys then are. Before the first key. */
  listKeys(): void;
  /** All keys that hold something. See `listKeys`. */
  keys(): Iterable<Key>;
  /** Forgets everything about the current key. */
  clear(): void;
  /** All entries, timers included; what has expired is left out. See `listKeys`. */
  entries(): Iterable<StateEntry>;
  /** How the values of a state are written. */
  formOf(state: string): StateForm | undefined;
  /** From now on keeps note of what changes, so that cuts can be taken. */
  track(): void;
  /**
   * The state at this moment, to be written to `sink` by and by while the operator goes on: `whole`, or what has changed since the last
   * cut. `apart`: for a savepoint, after which changes still count from the cut before it.
   */
  cut(sink: CutSink, options: { readonly whole: boolean; readonly apart: boolean }): KeyedCut;
  /** Takes an entry back, before the first element. */
  restore(entry: StateEntry): void;
  /** A promise while so much is on its way out of memory that nothing more should be restored. */
  settling?(): Promise<void> | undefined;
}
