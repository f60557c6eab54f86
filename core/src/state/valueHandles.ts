import type { AggregatingState, ReducingState, ValueState } from './descriptor.ts';
import type { AggregateDefinition } from './aggregateDefinition.ts';
import { type Cell, PlainCell } from './cell.ts';
import type { RecordSink } from './recordSink.ts';
import type { StoredState } from './storedState.ts';
import type { StateEntry } from './backend.ts';

/** A state of one cell per key: how it is snapshotted and restored, whatever its handle looks like. */
abstract class CellState<V> implements StoredState {
  readonly name: string;
  readonly cell: Cell<V>;

  constructor(name: string, cell: Cell<V>) {
    this.name = name;
    this.cell = cell;
  }

  clear(): void {
    this.cell.clear();
  }

  writeEntries(slot: number, sink: RecordSink): void {
    const value = this.cell.read(slot);
    if (value !== undefined) sink.entry(this.name, undefined, value, this.cell.renewed(slot));
  }

  *entriesOf(slot: number): Iterable<Pick<StateEntry, 'userKey' | 'value' | 'renewed'>> {
    const value = this.cell.read(slot);
    if (value !== undefined) yield { value, renewed: this.cell.renewed(slot) };
  }

  restore(entry: StateEntry): void {
    this.cell.restore(entry.value as V, entry.renewed as number | undefined);
  }
}

export class MemoryValueState<V> extends CellState<V> implements ValueState<V> {
  private readonly initial: V;

  constructor(name: string, cell: Cell<V>, initial: V) {
    super(name, cell);
    this.initial = initial;
  }

  value(): V {
    const value = this.cell.get();
    return value === undefined ? this.initial : value;
  }

  update(value: V): void {
    this.cell.set(value);
  }
}

export class MemoryReducingState<V> extends CellState<V> implements ReducingState<V> {
  private readonly reduce: (a: V, b: V) => V;

  constructor(name: string, cell: Cell<V>, reduce: (a: V, b: V) => V) {
    super(name, cell);
    this.reduce = reduce;
  }

  get(): V | undefined {
    return this.cell.get();
  }

  add(value: V): void {
    const before = this.cell.get();
    this.cell.set(before === undefined ? value : this.reduce(before, value));
  }
}

/** The cell of a value that lives on the heap and never expires: what generated drivers may reach into. */
export function plainCellOf<V>(state: ValueState<V>): PlainCell<V> | undefined {
  return state instanceof MemoryValueState && state.cell instanceof PlainCell ? state.cell : undefined;
}

/** The accumulator is boxed, since `undefined` is a legal one. */
interface Box {
  readonly accumulator: unknown;
}

export class MemoryAggregatingState<T, R> extends CellState<Box> implements AggregatingState<T, R> {
  private readonly definition: AggregateDefinition<T, unknown, R>;

  constructor(name: string, cell: Cell<Box>, definition: AggregateDefinition<T, unknown, R>) {
    super(name, cell);
    this.definition = definition;
  }

  get(): R | undefined {
    const box = this.cell.get();
    return box === undefined ? undefined : this.definition.result(box.accumulator);
  }

  add(value: T): void {
    // The accumulator may be changed in place.
    const before = this.cell.getToChange();
    const accumulator = before === undefined ? this.definition.create() : before.accumulator;
    this.cell.set({ accumulator: this.definition.add(accumulator, value) });
  }
}
