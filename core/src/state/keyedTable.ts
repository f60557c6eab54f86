import type { Column } from './column.ts';
import { checkKey, type Key } from './key.ts';
import { KeyIndex } from './keyIndex.ts';
import type { ChangeLog } from './changeLog.ts';

/** The current key has not been looked up. */
export const UNKNOWN: number = -2;
const FIRST_CAPACITY = 16;
const LARGEST_STEP = 4096;

/**
 * The keys of one operator subtask and the columns over them. A key holds a slot as long as something refers to it: a cell with
 * content or a timer. A key that nothing refers to costs nothing.
 */
export class KeyedTable {
  readonly index: KeyIndex = new KeyIndex();
  /** Kept while snapshots are taken of what has changed. */
  changes: ChangeLog | undefined;
  private readonly columns: Column[] = [];
  protected references: Int32Array = new Int32Array(FIRST_CAPACITY);
  protected capacity: number = FIRST_CAPACITY;
  protected currentKey: Key = '';
  protected currentSlot: number = UNKNOWN;

  /** The key that cells are read and written for. */
  get key(): Key {
    return this.currentKey;
  }

  /** Makes `key` the current one. Nothing is looked up until a cell needs it. */
  enter(key: Key): void {
    if (typeof key !== 'string') checkKey(key);
    this.currentKey = key;
    this.currentSlot = UNKNOWN;
  }

  /** Makes the key of a slot the current one. */
  enterSlot(slot: number): void {
    this.currentKey = this.index.keyOf(slot)!;
    this.currentSlot = slot;
  }

  /** The current key's slot, or −1 when nothing is held for it. */
  find(): number {
    if (this.currentSlot === UNKNOWN) this.currentSlot = this.index.find(this.currentKey);
    return this.currentSlot;
  }

  /** Says that a slot's content is about to change. Whoever asks for a slot by `claim` or `slotOf` need not. */
  touch(slot: number): void {
    this.changes?.touch(slot);
  }

  /** The current key's slot, given one if it had none, to write to. The caller `retain`s it for what it stores. */
  claim(): number {
    if (this.currentSlot < 0) {
      this.currentSlot = this.index.findOrInsert(this.currentKey);
      if (this.currentSlot >= this.capacity) this.grow();
    }
    this.changes?.touch(this.currentSlot);
    return this.currentSlot;
  }

  /**
   * A key's slot, given one if it had none, to write to, without making the key the current one: what generated drivers use, since storing a
   * fresh key in an old object costs more than finding it.
   */
  slotOf(key: Key): number {
    if (typeof key !== 'string') checkKey(key);
    const slot = this.index.findOrInsert(key);
    if (slot >= this.capacity) this.grow();
    this.changes?.touch(slot);
    return slot;
  }

  /** Adds a column; it will always have room for every slot in use. */
  attach<C extends Column>(column: C): C {
    column.reserve(this.capacity);
    this.columns.push(column);
    return column;
  }

  retain(slot: number): void {
    if (this.references[slot]!++ === 0) this.changes?.born(slot);
  }

  /** Takes back a `retain`; the last one frees the slot. */
  release(slot: number): void {
    if (--this.references[slot]! > 0) return;
    this.changes?.died(slot, this.index.keyOf(slot)!);
    this.index.delete(slot);
    if (slot === this.currentSlot) this.currentSlot = UNKNOWN;
  }

  protected grow(): void {
    this.capacity += Math.min(this.capacity, LARGEST_STEP);
    if (this.references.length < this.capacity) {
      // Doubled, not stepped: it is one array, and copying it at every step would be quadratic.
      const references = new Int32Array(this.references.length * 2);
      references.set(this.references);
      this.references = references;
    }
    for (const column of this.columns) column.reserve(this.capacity);
  }
}
