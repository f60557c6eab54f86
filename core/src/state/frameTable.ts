import type { Aggregate, AggregateShape } from './aggregate.ts';
import { formOfShape } from './aggregateTable.ts';
import type { StateEntry } from './backend.ts';
import type { Cells } from './cells.ts';
import { type Column, NumberColumn, ObjectColumn } from './column.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';

/** Aggregates of the current key over the rows of a frame that slides through time. */
export interface FrameState {
  /** Drops the key's rows before `from`, then adds one at `time`: not before any row that is held. */
  slide(from: number, time: number, value: unknown): void;
  /** The aggregates over the rows held, by field name. The key must hold one. */
  result(): Record<string, unknown>;
  /** The time of the key's last row; −Infinity if it holds none. */
  latest(): number;
  /** Forgets the current key's rows. */
  clear(): void;
}

/** No row: a slot number + 1 stands in the columns that refer to rows. */
const NONE = 0;
/** The row that results are put together in. */
const SCRATCH = 0;
const FIRST_CAPACITY = 16;
const LARGEST_STEP = 4096;

/** One field of the shape: accumulators per row and per key. */
interface FrameField {
  readonly name: string;
  readonly aggregate: Aggregate<never, unknown>;
  readonly rows: Cells;
  readonly keys: Cells;
  /** Folded anew for each result: see `AggregateDefinition.grows`. */
  readonly folded: boolean;
}

/** A key's rows outside of the table, oldest first: the first `front` of them hold the accumulators of all rows up to the last of these. */
interface StoredFrame {
  readonly times: readonly number[];
  readonly front: number;
  /** Accumulators by field, per row; and over the rows behind the front. */
  readonly rows: Readonly<Record<string, readonly unknown[]>>;
  readonly back: Readonly<Record<string, unknown>>;
  readonly values: readonly unknown[];
}

/**
 * Sliding frames per key, by two stacks. Rows go to the back, whose accumulator `add` folds; the oldest are taken from the front, where
 * each row's accumulator spans from it to the front's last row. When the front is used up the back becomes it: each row is merged
 * once in its life, and a result is one merge of front and back. What is merged with what depends on the rows alone, so a restored
 * table gives the same sums to the last bit. Everything lives in columns: a row is no object, and a key without rows costs nothing.
 */
export class FrameTable implements FrameState, StoredState {
  readonly name: string;
  readonly form: StateForm;
  private readonly table: KeyedTable;
  private readonly fields: readonly FrameField[];
  // Per key: the oldest row of the front, the newest of the back, and the times of the back's oldest and of the newest row.
  private readonly front: NumberColumn;
  private readonly back: NumberColumn;
  private readonly backSince: NumberColumn;
  private readonly newest: NumberColumn;
  // Per row: its time, the next newer row of the front or the next older one of the back, and the element where a field is folded.
  private readonly times = new NumberColumn();
  private readonly links = new NumberColumn();
  private readonly values: ObjectColumn<unknown> | undefined;
  private readonly inputs: unknown[];
  private readonly rowColumns: Column[];
  private capacity = FIRST_CAPACITY;
  private used = SCRATCH + 1;
  private free = NONE;

  constructor(name: string, shape: AggregateShape<never>, table: KeyedTable) {
    this.name = name;
    this.form = formOfShape('frames', shape);
    this.table = table;
    this.fields = Object.entries(shape).map(([field, aggregate]) => ({
      name: field,
      aggregate,
      rows: aggregate.cells(),
      keys: aggregate.cells(),
      folded: aggregate.definition.grows === true,
    }));
    this.inputs = this.fields.map(() => undefined);
    this.values = this.fields.some(({ folded }) => folded) ? new ObjectColumn() : undefined;
    this.front = table.attach(new NumberColumn());
    this.back = table.attach(new NumberColumn());
    this.backSince = table.attach(new NumberColumn());
    this.newest = table.attach(new NumberColumn());
    const sliding = this.fields.filter(({ folded }) => !folded);
    for (const { keys } of sliding) table.attach<Column>(keys);
    this.rowColumns = [this.times, this.links, ...sliding.map(({ rows }) => rows), ...(this.values === undefined ? [] : [this.values])];
    for (const column of this.rowColumns) column.reserve(this.capacity);
  }

  slide(from: number, time: number, value: unknown): void {
    const row = this.newRow(time, value);
    const slot = this.table.claim();
    const held = this.holds(slot);
    if (held) this.dropBefore(slot, from);
    else this.table.retain(slot);
    this.push(slot, row, time);
  }

  result(): Record<string, unknown> {
    const slot = this.table.find();
    const front = this.front.get(slot) - 1;
    const back = this.back.get(slot) !== NONE;
    const result: Record<string, unknown> = {};
    for (const { name, aggregate, rows, keys, folded } of this.fields) {
      if (folded) result[name] = this.fold(slot, aggregate);
      else if (front < 0) result[name] = keys.result(slot);
      else if (!back) result[name] = rows.result(front);
      else {
        rows.reset(SCRATCH);
        rows.merge(SCRATCH, rows, front);
        rows.merge(SCRATCH, keys, slot);
        result[name] = rows.result(SCRATCH);
      }
    }
    return result;
  }

  latest(): number {
    const slot = this.table.find();
    return slot < 0 || !this.holds(slot) ? -Infinity : this.newest.get(slot);
  }

  clear(): void {
    const slot = this.table.find();
    if (slot < 0 || !this.holds(slot)) return;
    this.table.touch(slot);
    for (const row of this.rowsOf(slot)) this.freeRow(row);
    this.front.set(slot, NONE);
    this.back.set(slot, NONE);
    this.table.release(slot);
  }

  writeEntries(slot: number, sink: EntrySink): void {
    if (!this.holds(slot)) return;
    const held = this.rowsOf(slot);
    const rows: Record<string, unknown[]> = {};
    const back: Record<string, unknown> = {};
    for (const { name, rows: cells, keys, folded } of this.fields) {
      if (folded) continue;
      rows[name] = held.map((row) => cells.read(row));
      if (this.back.get(slot) !== NONE) back[name] = keys.read(slot);
    }
    const times = held.map((row) => this.times.get(row));
    const { values } = this;
    const stored: StoredFrame = {
      times,
      front: this.frontSize(slot),
      rows,
      back,
      values: values === undefined ? [] : held.map((row) => values.get(row)),
    };
    sink.entry(this.name, undefined, stored, undefined);
  }

  restore(entry: StateEntry): void {
    const stored = entry.value as StoredFrame;
    const slot = this.table.claim();
    this.table.retain(slot);
    this.newest.set(slot, stored.times.at(-1)!);
    let before = NONE;
    for (const [i, time] of stored.times.entries()) {
      const row = this.restoreRow(stored, i, time);
      if (i < stored.front) {
        if (i === 0) this.front.set(slot, row + 1);
        else this.links.set(before - 1, row + 1);
        before = row + 1;
      } else {
        if (i === stored.front) this.beginBack(slot, time);
        this.links.set(row, this.back.get(slot));
        this.back.set(slot, row + 1);
      }
    }
    for (const { name, keys, folded } of this.fields) if (!folded && name in stored.back) keys.write(slot, stored.back[name]);
  }

  /** A row that no key holds yet, with the accumulators of its element alone. User code runs here, before anything has changed. */
  private newRow(time: number, value: unknown): number {
    const { fields, inputs } = this;
    const row = this.allocate();
    try {
      for (let i = 0; i < fields.length; i++) {
        const { aggregate, rows, folded } = fields[i]!;
        const input = (inputs[i] = aggregate.of === undefined ? value : aggregate.of(value as never));
        if (folded) continue;
        rows.reset(row);
        rows.add(row, input);
      }
    } catch (error) {
      this.freeRow(row);
      throw error;
    }
    this.times.set(row, time);
    this.values?.set(row, value);
    return row;
  }

  private push(slot: number, row: number, time: number): void {
    const { fields, inputs } = this;
    if (this.back.get(slot) === NONE) this.beginBack(slot, time);
    for (let i = 0; i < fields.length; i++) if (!fields[i]!.folded) fields[i]!.keys.add(slot, inputs[i]);
    this.links.set(row, this.back.get(slot));
    this.back.set(slot, row + 1);
    this.newest.set(slot, time);
  }

  private beginBack(slot: number, since: number): void {
    this.backSince.set(slot, since);
    for (const { keys, folded } of this.fields) if (!folded) keys.reset(slot);
  }

  private dropBefore(slot: number, from: number): void {
    this.dropFront(slot, from);
    if (this.front.get(slot) !== NONE || this.back.get(slot) === NONE || this.backSince.get(slot) >= from) return;
    this.turn(slot, from);
  }

  private dropFront(slot: number, from: number): void {
    let front = this.front.get(slot);
    while (front !== NONE && this.times.get(front - 1) < from) {
      const next = this.links.get(front - 1);
      this.freeRow(front - 1);
      front = next;
    }
    this.front.set(slot, front);
  }

  /** The back becomes the front, from the newest row to the oldest that is not dropped: each takes in what the newer ones have. */
  private turn(slot: number, from: number): void {
    let newer = NONE;
    let row = this.back.get(slot);
    while (row !== NONE) {
      const older = this.links.get(row - 1);
      if (this.times.get(row - 1) < from) this.freeRow(row - 1);
      else {
        if (newer !== NONE) for (const { rows, folded } of this.fields) if (!folded) rows.merge(row - 1, rows, newer - 1);
        this.links.set(row - 1, newer);
        newer = row;
      }
      row = older;
    }
    this.front.set(slot, newer);
    this.back.set(slot, NONE);
  }

  private fold(slot: number, { definition }: Aggregate<never, unknown>): unknown {
    let accumulator = definition.create();
    for (const row of this.rowsOf(slot)) accumulator = definition.add(accumulator, this.values!.get(row) as never);
    return definition.result(accumulator);
  }

  /** A key's rows, oldest first. */
  private rowsOf(slot: number): number[] {
    const rows: number[] = [];
    for (let row = this.front.get(slot); row !== NONE; row = this.links.get(row - 1)) rows.push(row - 1);
    const front = rows.length;
    for (let row = this.back.get(slot); row !== NONE; row = this.links.get(row - 1)) rows.push(row - 1);
    return rows.length - front < 2 ? rows : [...rows.slice(0, front), ...rows.slice(front).reverse()];
  }

  private frontSize(slot: number): number {
    let size = 0;
    for (let row = this.front.get(slot); row !== NONE; row = this.links.get(row - 1)) size++;
    return size;
  }

  private holds(slot: number): boolean {
    return this.front.get(slot) !== NONE || this.back.get(slot) !== NONE;
  }

  private restoreRow(stored: StoredFrame, position: number, time: number): number {
    const row = this.allocate();
    for (const { name, rows, folded } of this.fields) {
      if (folded) continue;
      rows.reset(row);
      const accumulators = stored.rows[name];
      if (accumulators !== undefined) rows.write(row, accumulators[position]);
    }
    this.times.set(row, time);
    this.links.set(row, NONE);
    this.values?.set(row, stored.values[position]);
    return row;
  }

  private allocate(): number {
    if (this.free !== NONE) {
      const row = this.free - 1;
      this.free = this.links.get(row);
      return row;
    }
    if (this.used === this.capacity) {
      this.capacity += Math.min(this.capacity, LARGEST_STEP);
      for (const column of this.rowColumns) column.reserve(this.capacity);
    }
    return this.used++;
  }

  private freeRow(row: number): void {
    this.values?.set(row, undefined);
    this.links.set(row, this.free);
    this.free = row + 1;
  }
}
