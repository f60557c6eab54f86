import { MillraceError } from '../errors/millraceError.ts';
import type { Clock } from '../time/clock.ts';
import type { AggregateShape } from './aggregate.ts';
import { AggregateTable } from './aggregateTable.ts';
import type { KeyedBackend, StateEntry } from './backend.ts';
import { type Cell, ExpiringCell, PlainCell } from './cell.ts';
import type { StateDescriptor } from './descriptor.ts';
import { ChangeLog } from './changeLog.ts';
import { FrameTable } from './frameTable.ts';
import type { Key } from './key.ts';
import { KeyedTable } from './keyedTable.ts';
import { KeyedTimers, type TimerShape } from './keyedTimers.ts';
import { ExpiringListState, MemoryListState } from './listHandles.ts';
import { ExpiringMapState, MemoryMapState } from './mapHandles.ts';
import type { CutSink, EntrySink, KeyedCut } from './recordSink.ts';
import { checkForm, type StateForm } from './stateForm.ts';
import { entriesOf, type StoredState } from './storedState.ts';
import { MemoryTimeBuffers, type TimeBuffers } from './timeBuffer.ts';
import { type Expiry, expiryOf } from './ttl.ts';
import { ValueForm } from './valueForm.ts';
import { MemoryAggregatingState, MemoryReducingState, MemoryValueState } from './valueHandles.ts';

/** Keyed state on the heap. */
export class MemoryBackend implements KeyedBackend {
  readonly table: KeyedTable;
  protected readonly clock: Clock;
  protected readonly states: Map<string, StoredState> = new Map();
  /** The same: an array is quicker to go through for each key of a snapshot. */
  private readonly inOrder: StoredState[] = [];
  /** The form in which the last restored entry of a state was written. */
  private readonly checked = new Map<StoredState, StateForm>();

  constructor(clock: Clock, table: KeyedTable = new KeyedTable()) {
    this.clock = clock;
    this.table = table;
  }

  get key(): Key {
    return this.table.key;
  }

  enter(key: Key): void {
    this.table.enter(key);
  }

  open<H>(name: string, descriptor: StateDescriptor<H>): H {
    const values = new ValueForm(name, descriptor.kind, descriptor.options);
    const state = createState(values, descriptor, this.table, expiryOf(descriptor.options, this.clock));
    this.register(state);
    return state as H;
  }

  openAggregates(name: string, shape: AggregateShape<never>): AggregateTable {
    const table = new AggregateTable(name, shape, this.table);
    this.register(table);
    return table;
  }

  openFrames(name: string, shape: AggregateShape<never>): FrameTable {
    const table = new FrameTable(name, shape, this.table);
    this.register(table);
    return table;
  }

  openTimeBuffers<V>(name: string): TimeBuffers<V> {
    const buffers = new MemoryTimeBuffers<V>(name, this.table);
    this.register(buffers);
    return buffers;
  }

  adopt(state: StoredState): KeyedTable {
    this.register(state);
    return this.table;
  }

  openTimers(shape: TimerShape, onEarlier: (at: number) => void): KeyedTimers {
    const timers = new KeyedTimers(this.table, shape, onEarlier);
    this.register(timers);
    return timers;
  }

  listKeys(): void {}

  *keys(): Iterable<Key> {
    for (const [, key] of this.table.index.entries()) yield key;
  }

  clear(): void {
    for (const state of this.states.values()) state.clear();
  }

  protected register(state: StoredState): void {
    if (this.states.has(state.name)) {
      throw new MillraceError('state/duplicate', `Two states are named "${state.name}".`, {
        remedy: 'Give every state of an operator a name of its own.',
      });
    }
    this.states.set(state.name, state);
    this.inOrder.push(state);
  }

  track(): void {
    this.table.changes = new ChangeLog(this.table, (slot, sink) => this.writeSlot(slot, sink));
  }

  cut(sink: CutSink, { whole, apart }: { readonly whole: boolean; readonly apart: boolean }): KeyedCut {
    return this.table.changes!.begin(sink, whole, apart);
  }

  protected writeSlot(slot: number, sink: EntrySink): void {
    for (let i = 0; i < this.inOrder.length; i++) this.inOrder[i]!.writeEntries(slot, sink);
  }

  *entries(): Iterable<StateEntry> {
    for (const [slot, key] of this.table.index.entries()) {
      for (const state of this.states.values()) {
        for (const entry of entriesOf(state, slot)) yield { ...entry, key };
      }
    }
  }

  restore(entry: StateEntry): void {
    const state = this.states.get(entry.state);
    if (state === undefined) {
      throw new MillraceError('state/restore', `The snapshot holds a state "${entry.state}" that the operator does not declare.`, {
        remedy: 'Declare it again, or allow state that is not restored.',
      });
    }
    if (entry.form !== undefined && state.form !== undefined && entry.form !== this.checked.get(state)) {
      checkForm(state.name, entry.form, state.form);
      this.checked.set(state, entry.form);
    }
    this.table.enter(entry.key);
    state.restore(entry);
  }

  formOf(state: string): StateForm | undefined {
    return this.states.get(state)?.form;
  }
}

function createState(
  values: ValueForm<unknown>,
  descriptor: StateDescriptor<unknown>,
  table: KeyedTable,
  expiry: Expiry | undefined,
): StoredState {
  const cell = <V>(): Cell<V> => (expiry === undefined ? new PlainCell<V>(table) : new ExpiringCell<V>(table, expiry));
  switch (descriptor.kind) {
    case 'value':
      return new MemoryValueState(values, cell(), descriptor.initial);
    case 'list':
      return expiry === undefined ? new MemoryListState(values, table) : new ExpiringListState(values, table, expiry);
    case 'map':
      return expiry === undefined ? new MemoryMapState(values, table) : new ExpiringMapState(values, table, expiry);
    case 'reducing':
      return new MemoryReducingState(values, cell(), descriptor.reduce as (a: unknown, b: unknown) => unknown);
    case 'aggregating':
      return new MemoryAggregatingState(values, cell(), descriptor.aggregate!.definition);
  }
}
