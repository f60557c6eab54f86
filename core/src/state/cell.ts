import { NumberColumn, ObjectColumn } from './column.ts';
import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import { Sweep } from './sweep.ts';
import { type Expiry, isExpired } from './ttl.ts';

/** One cell per key: what value, reducing and aggregating state are made of. `undefined` is an empty cell. */
export interface Cell<V> {
  get(): V | undefined;
  /** The content, which the caller is about to change in place. */
  getToChange(): V | undefined;
  set(value: V): void;
  clear(): void;
  /** For snapshots: the content of a slot as it is, and when it was renewed where that is kept. */
  read(slot: number): V | undefined;
  renewed(slot: number): number | undefined;
  /** For restoring: fills the current key's cell. */
  restore(value: V, renewed: number | undefined): void;
}

/** A cell that never expires. */
export class PlainCell<V> implements Cell<V> {
  private readonly table: KeyedTable;
  private readonly column: ObjectColumn<V>;

  constructor(table: KeyedTable) {
    this.table = table;
    this.column = table.attach(new ObjectColumn<V>());
  }

  get(): V | undefined {
    const slot = this.table.find();
    return slot < 0 ? undefined : this.column.get(slot);
  }

  getToChange(): V | undefined {
    const slot = this.table.find();
    if (slot < 0) return undefined;
    this.table.touch(slot);
    return this.column.get(slot);
  }

  set(value: V): void {
    if (value === undefined) return this.clear();
    const slot = this.table.claim();
    if (this.column.get(slot) === undefined) this.table.retain(slot);
    this.column.set(slot, value);
  }

  clear(): void {
    const slot = this.table.find();
    if (slot >= 0 && this.column.get(slot) !== undefined) this.empty(slot);
  }

  /** A key's slot for {@link read} and {@link write}, without making the key the current one. */
  slotOf(key: Key): number {
    return this.table.slotOf(key);
  }

  read(slot: number): V | undefined {
    return this.column.get(slot);
  }

  write(slot: number, value: V): void {
    if (this.column.get(slot) === undefined) this.table.retain(slot);
    this.column.set(slot, value);
  }

  /** Says that the content of a slot is about to change in place. */
  touch(slot: number): void {
    this.table.touch(slot);
  }

  /** Empties a cell that has content, whatever the current key is. */
  empty(slot: number): void {
    this.table.touch(slot);
    this.column.set(slot, undefined);
    this.table.release(slot);
  }

  renewed(_slot: number): undefined {
    return undefined;
  }

  restore(value: V): void {
    this.set(value);
  }
}

/** A cell that expires. */
export class ExpiringCell<V> implements Cell<V> {
  private readonly table: KeyedTable;
  private readonly expiry: Expiry;
  private readonly column: ObjectColumn<V>;
  private readonly times: NumberColumn;
  private readonly sweep: Sweep;

  constructor(table: KeyedTable, expiry: Expiry) {
    this.table = table;
    this.expiry = expiry;
    this.column = table.attach(new ObjectColumn<V>());
    this.times = table.attach(new NumberColumn());
    this.sweep = new Sweep(table, (slot) => {
      if (this.column.get(slot) !== undefined && isExpired(expiry, this.times.get(slot))) this.empty(slot);
    });
  }

  get(): V | undefined {
    const slot = this.table.find();
    const value = slot < 0 ? undefined : this.column.get(slot);
    if (value === undefined) return undefined;
    if (isExpired(this.expiry, this.times.get(slot))) {
      this.empty(slot);
      return this.expiry.returnExpired ? value : undefined;
    }
    if (this.expiry.renewOnRead) {
      this.table.touch(slot);
      this.times.set(slot, this.expiry.clock.now());
    }
    return value;
  }

  getToChange(): V | undefined {
    const slot = this.table.find();
    if (slot >= 0) this.table.touch(slot);
    return this.get();
  }

  set(value: V): void {
    if (value === undefined) return this.clear();
    this.put(value, this.expiry.clock.now());
    if (this.expiry.sweep) this.sweep.step();
  }

  clear(): void {
    const slot = this.table.find();
    if (slot >= 0 && this.column.get(slot) !== undefined) this.empty(slot);
  }

  read(slot: number): V | undefined {
    const value = this.column.get(slot);
    return value === undefined || isExpired(this.expiry, this.times.get(slot)) ? undefined : value;
  }

  renewed(slot: number): number {
    return this.times.get(slot);
  }

  /** Restoring does not renew; what comes from state without a time to live counts from now. */
  restore(value: V, renewed: number | undefined): void {
    this.put(value, renewed ?? this.expiry.clock.now());
  }

  private put(value: V, renewed: number): void {
    const slot = this.table.claim();
    if (this.column.get(slot) === undefined) this.table.retain(slot);
    this.column.set(slot, value);
    this.times.set(slot, renewed);
  }

  private empty(slot: number): void {
    this.table.touch(slot);
    this.column.set(slot, undefined);
    this.table.release(slot);
  }
}
