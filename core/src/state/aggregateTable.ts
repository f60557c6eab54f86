import type { Aggregate, AggregateShape } from './aggregate.ts';
import type { StateEntry } from './backend.ts';
import type { Cells } from './cells.ts';
import { type Column, NumberColumn } from './column.ts';
import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';

/** One field of a shape over columns. */
export interface AggregateField {
  readonly name: string;
  readonly aggregate: Aggregate<never, unknown>;
  readonly cells: Cells;
}

/** Columns for every field of a shape. */
export function fieldsOf(shape: AggregateShape<never>): AggregateField[] {
  return Object.entries(shape).map(([name, aggregate]) => ({ name, aggregate, cells: aggregate.cells() }));
}

/** Tells which aggregate each field of a shape is. */
export function formOfShape(kind: string, shape: AggregateShape<never>): StateForm {
  return { kind, fields: Object.fromEntries(Object.entries(shape).map(([field, { name }]) => [field, name])) };
}

/** The results of a slot by field name. */
export function resultOfFields(fields: readonly AggregateField[], slot: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { name, cells } of fields) result[name] = cells.result(slot);
  return result;
}

/** The accumulators of a slot by field name, as plain data. */
export function readFields(fields: readonly AggregateField[], slot: number): Record<string, unknown> {
  const accumulators: Record<string, unknown> = {};
  for (const { name, cells } of fields) accumulators[name] = cells.read(slot);
  return accumulators;
}

/** Takes accumulators back. A field that the shape gained starts empty; one that it lost is left out. */
export function writeFields(fields: readonly AggregateField[], slot: number, accumulators: Readonly<Record<string, unknown>>): void {
  for (const { name, cells } of fields) {
    cells.reset(slot);
    if (Object.hasOwn(accumulators, name)) cells.write(slot, accumulators[name]);
  }
}

/** Declared aggregates per key: numbers in columns, no object per key. */
export class AggregateTable implements StoredState {
  readonly name: string;
  readonly form: StateForm;
  readonly fields: readonly AggregateField[];
  private readonly table: KeyedTable;
  /** 1 where a key has a row. */
  private readonly present: NumberColumn;
  private readonly inputs: unknown[];

  constructor(name: string, shape: AggregateShape<never>, table: KeyedTable) {
    this.name = name;
    this.form = formOfShape('aggregates', shape);
    this.table = table;
    this.fields = fieldsOf(shape);
    this.inputs = this.fields.map(() => undefined);
    this.present = table.attach(new NumberColumn());
    for (const { cells } of this.fields) table.attach<Column>(cells);
  }

  /** The current key's row, an empty one if it had none. */
  row(): number {
    const slot = this.table.claim();
    if (this.present.get(slot) === 0) this.begin(slot);
    return slot;
  }

  /** The same for any key, which does not become the current one. */
  rowOf(key: Key): number {
    const slot = this.table.slotOf(key);
    if (this.present.get(slot) === 0) this.begin(slot);
    return slot;
  }

  /**
   * Adds an element. What the fields take of it is asked first, so that an element for which one throws is in none. Generated drivers
   * write this out; both must do the same.
   */
  add(value: unknown): void {
    const { fields, inputs } = this;
    for (let i = 0; i < fields.length; i++) {
      const { of } = fields[i]!.aggregate;
      inputs[i] = of === undefined ? value : of(value as never);
    }
    const row = this.row();
    for (let i = 0; i < fields.length; i++) fields[i]!.cells.add(row, inputs[i]);
  }

  /** The current key's results, or `undefined` if nothing was added for it. */
  result(): Record<string, unknown> | undefined {
    const slot = this.table.find();
    return slot < 0 || this.present.get(slot) === 0 ? undefined : resultOfFields(this.fields, slot);
  }

  clear(): void {
    const slot = this.table.find();
    if (slot < 0 || this.present.get(slot) === 0) return;
    this.table.touch(slot);
    this.present.set(slot, 0);
    this.table.release(slot);
  }

  writeEntries(slot: number, sink: EntrySink): void {
    if (this.present.get(slot) !== 0) sink.entry(this.name, undefined, readFields(this.fields, slot), undefined);
  }

  restore(entry: StateEntry): void {
    writeFields(this.fields, this.row(), entry.value as Readonly<Record<string, unknown>>);
  }

  private begin(slot: number): void {
    this.present.set(slot, 1);
    this.table.retain(slot);
    for (const { cells } of this.fields) cells.reset(slot);
  }
}
