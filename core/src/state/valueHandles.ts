import type { AggregatingState, ReducingState, ValueState } from './descriptor.ts';
import type { AggregateDefinition } from './aggregateDefinition.ts';
import { type Cell, PlainCell } from './cell.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';
import type { ValueForm } from './valueForm.ts';
import type { StateEntry } from './backend.ts';

/** A state of one cell per key: how it is snapshotted and restored, whatever its handle looks like. */
abstract class CellState<C, V> implements StoredState {
  readonly name: string;
  readonly form: StateForm;
  readonly cell: Cell<C>;
  protected readonly valueForm: ValueForm<V>;

  constructor(values: ValueForm<V>, cell: Cell<C>) {
    this.name = values.name;
    this.form = values.form;
    this.valueForm = values;
    this.cell = cell;
  }

  clear(): void {
    this.cell.clear();
  }

  writeEntries(slot: number, sink: EntrySink): void {
    const value = this.cell.read(slot);
    if (value !== undefined) sink.entry(this.name, undefined, this.stored(value), this.cell.renewed(slot));
  }

  restore(entry: StateEntry): void {
    this.cell.restore(this.content(entry.value, entry.form), entry.renewed as number | undefined);
  }

  /** A cell's content as plain data, and back. */
  protected abstract stored(content: C): unknown;
  protected abstract content(stored: unknown, form: StateForm | undefined): C;
}

/** A state whose cells hold its values. */
abstract class ValueCellState<V> extends CellState<V, V> {
  protected stored(value: V): unknown {
    return this.valueForm.encode(value);
  }

  protected content(stored: unknown, form: StateForm | undefined): V {
    return this.valueForm.decode(stored, form);
  }
}

export class MemoryValueState<V> extends ValueCellState<V> implements ValueState<V> {
  private readonly initial: V;

  constructor(values: ValueForm<V>, cell: Cell<V>, initial: V) {
    super(values, cell);
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

export class MemoryReducingState<V> extends ValueCellState<V> implements ReducingState<V> {
  private readonly reduce: (a: V, b: V) => V;

  constructor(values: ValueForm<V>, cell: Cell<V>, reduce: (a: V, b: V) => V) {
    super(values, cell);
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

export class MemoryAggregatingState<T, R> extends CellState<Box, unknown> implements AggregatingState<T, R> {
  private readonly definition: AggregateDefinition<T, unknown, R>;

  constructor(values: ValueForm<unknown>, cell: Cell<Box>, definition: AggregateDefinition<T, unknown, R>) {
    super(values, cell);
    this.definition = definition;
  }

  get(): R | undefined {
    const box = this.cell.get();
    return box === undefined ? undefined : this.definition.result(box.accumulator);
  }

  add(value: T): void {
    // The accumulator may be changed in place.
    const before = this.cell.getToChange();
    const accumulator = this.definition.add(before === undefined ? this.definition.create() : before.accumulator, value);
    // If it was, its box stays as well.
    this.cell.set(before !== undefined && before.accumulator === accumulator ? before : { accumulator });
  }

  protected stored(box: Box): unknown {
    return this.valueForm.isPlain ? box : { accumulator: this.valueForm.encode(box.accumulator) };
  }

  protected content(stored: unknown, form: StateForm | undefined): Box {
    return { accumulator: this.valueForm.decode((stored as Box).accumulator, form) };
  }
}
