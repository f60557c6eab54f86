import type { Column } from '../state/column.ts';
import { indexOf, isOfSlot, VACANT, type WindowAccumulators } from './windowAccumulators.ts';

/** No row. */
export const NONE = -1;

/** What the accumulators of a row stand for; see {@link SliceRows}. */
export type RowSpan = 'slice' | 'folded' | 'front';

type Accumulated = Readonly<Record<string, unknown>>;

/**
 * The slices of each key, oldest to newest, a row of accumulators for each that holds anything: the newest has the row of the key's slot,
 * the others have rows of the pool. And the aggregate of the window that moves over them, by two stacks. The oldest rows of a key are its
 * front: each stands for its slice and all others up to the front's last. The rows behind hold their slice alone; what of them the window
 * has reached is also folded into the key's prefix. A window is one row of the front and the prefix. When the front is used up, the
 * rows that the window has reached become the next one: each row is merged a constant number of times in its life, however many windows
 * it is in, and takes no more memory than its slice.
 *
 * What is merged with what follows from the rows alone, so that a restored table gives the same results to the last bit.
 */
export class SliceRows implements Column {
  // By slot of the key.
  /** The oldest row; {@link NONE} for a key without rows. */
  tails: Int32Array = filled(0);
  /** The row before that of the slot, the newest row of the front, the newest row that is folded into the prefix, and the prefix. */
  private behind: Int32Array = filled(0);
  private fronts: Int32Array = filled(0);
  private folds: Int32Array = filled(0);
  private prefixes: Int32Array = filled(0);
  // By row of the pool.
  private older: Int32Array = filled(0);
  private newer: Int32Array = filled(0);
  private readonly accumulators: WindowAccumulators;
  /** The row in which front and prefix are put together. */
  private readonly scratch: number;

  constructor(accumulators: WindowAccumulators) {
    this.accumulators = accumulators;
    this.scratch = accumulators.allocate();
  }

  reserve(slots: number): void {
    if (slots <= this.tails.length) return;
    const capacity = Math.max(slots, this.tails.length * 2);
    this.tails = enlarged(this.tails, capacity);
    this.behind = enlarged(this.behind, capacity);
    this.fronts = enlarged(this.fronts, capacity);
    this.folds = enlarged(this.folds, capacity);
    this.prefixes = enlarged(this.prefixes, capacity);
  }

  /** Drops all rows of a key. */
  reset(slot: number): void {
    this.drop(slot, Infinity);
  }

  /** The slice that a row is of. */
  sliceOf(row: number): number {
    return sliceOfTag(this.accumulators.tag(row));
  }

  /** The row of a key's slice, or {@link NONE}. */
  find(slot: number, slice: number): number {
    const row = this.upTo(slot, slice);
    return row !== NONE && this.sliceOf(row) === slice ? row : NONE;
  }

  /** Gives the row of a slot, which holds nothing, to a slice that is newer than all others of the key. */
  begin(slot: number, slice: number): void {
    if (this.tails[slot] === NONE) this.tails[slot] = slot;
    this.accumulators.clear(slot);
    this.accumulators.setTag(slot, tagOfSlice(slice));
  }

  /** A new row for a slice that the key does not have yet. */
  insert(slot: number, slice: number): number {
    const { accumulators } = this;
    const newest = accumulators.tag(slot);
    if (newest === VACANT || slice > sliceOfTag(newest)) {
      if (newest !== VACANT) this.moveBack(slot);
      this.begin(slot, slice);
      return slot;
    }
    const row = this.allocate();
    accumulators.setTag(row, tagOfSlice(slice));
    const older = this.upTo(slot, slice);
    this.link(slot, row, older, older === NONE ? this.tails[slot]! : this.newerOf(older));
    return row;
  }

  /** Adds an element, taken by the accumulators, to a slice that windows have reached already. */
  addReached(slot: number, slice: number): void {
    const { accumulators } = this;
    let row = this.find(slot, slice);
    const isNew = row === NONE;
    if (isNew) row = this.insert(slot, slice);
    const span = this.spanOf(slot, slice);
    if (span === 'front') {
      if (isNew) accumulators.merge(row, this.newerOf(row));
      for (let each = row; each !== NONE; each = this.olderOf(slot, each)) accumulators.addTaken(each);
    } else {
      accumulators.addTaken(row);
      if (span === 'folded') accumulators.addTaken(this.prefixes[slot]!);
    }
  }

  /**
   * The row that holds the aggregate of a key's rows up to slice `last`, of which there must be one. Those of older windows must have been
   * dropped. The row may be changed by the next call.
   */
  windowUpTo(slot: number, last: number): number {
    const tail = this.tails[slot]!;
    if (this.fronts[slot] === NONE) {
      this.turn(slot, last);
      return tail;
    }
    const prefix = this.foldUpTo(slot, last);
    if (prefix === NONE) return tail;
    const { accumulators, scratch } = this;
    accumulators.clear(scratch);
    accumulators.merge(scratch, tail);
    accumulators.merge(scratch, prefix);
    return scratch;
  }

  /** Drops a key's oldest row, where windows do not overlap. */
  dropOldest(slot: number): void {
    if (this.tails[slot] !== slot) return this.drop(slot, this.sliceOf(this.tails[slot]!) + 1);
    this.accumulators.reset(slot);
    this.tails[slot] = NONE;
  }

  /** Drops a key's rows before slice `before`. */
  drop(slot: number, before: number): void {
    let row = this.tails[slot]!;
    while (row !== NONE && this.sliceOf(row) < before) {
      if (row === this.fronts[slot]) this.endFront(slot);
      const newer = this.newerOf(row);
      this.accumulators.release(row);
      row = newer;
    }
    this.tails[slot] = row;
    if (row === NONE || row === slot) this.behind[slot] = NONE;
    else this.older[indexOf(row)] = NONE;
  }

  /** A key's rows, oldest first, as plain data. */
  *read(slot: number): Iterable<{ readonly slice: number; readonly span: RowSpan; readonly accumulators: Accumulated }> {
    for (let row = this.tails[slot]!; row !== NONE; row = this.newerOf(row)) {
      const slice = this.sliceOf(row);
      yield { slice, span: this.spanOf(slot, slice), accumulators: this.accumulators.read(row) };
    }
  }

  /** Takes a row back. Rows of a key may come in any order. */
  write(slot: number, slice: number, span: RowSpan, accumulators: Accumulated): void {
    const row = this.insert(slot, slice);
    this.accumulators.write(row, accumulators);
    const last = span === 'front' ? this.fronts : this.folds;
    if (span !== 'slice' && (last[slot] === NONE || this.sliceOf(last[slot]!) < slice)) last[slot] = row;
  }

  /** A key's prefix as plain data; `undefined` if it has none. */
  readPrefix(slot: number): Accumulated | undefined {
    const prefix = this.prefixes[slot]!;
    return prefix === NONE ? undefined : this.accumulators.read(prefix);
  }

  writePrefix(slot: number, accumulators: Accumulated): void {
    this.prefixes[slot] = this.accumulators.allocate();
    this.accumulators.write(this.prefixes[slot], accumulators);
  }

  private spanOf(slot: number, slice: number): RowSpan {
    const front = this.fronts[slot]!;
    if (front !== NONE && slice <= this.sliceOf(front)) return 'front';
    const folded = this.folds[slot]!;
    return folded !== NONE && slice <= this.sliceOf(folded) ? 'folded' : 'slice';
  }

  /** The key's newest row that is not newer than `slice`. */
  private upTo(slot: number, slice: number): number {
    if (this.tails[slot] === NONE) return NONE;
    let row = slot;
    while (row !== NONE && this.sliceOf(row) > slice) row = this.olderOf(slot, row);
    return row;
  }

  private olderOf(slot: number, row: number): number {
    return row === slot ? this.behind[slot]! : this.older[indexOf(row)]!;
  }

  /** Nothing is newer than the row of a slot: only rows of the pool have a newer one. */
  private newerOf(row: number): number {
    return isOfSlot(row) ? NONE : this.newer[indexOf(row)]!;
  }

  /** The slot's row is no longer the newest. */
  private moveBack(slot: number): void {
    const row = this.accumulators.move(slot);
    this.growRows();
    this.link(slot, row, this.behind[slot]!, slot);
    if (this.fronts[slot] === slot) this.fronts[slot] = row;
    if (this.folds[slot] === slot) this.folds[slot] = row;
  }

  /** Puts a row of the pool between two others of its key. */
  private link(slot: number, row: number, older: number, newer: number): void {
    this.older[indexOf(row)] = older;
    this.newer[indexOf(row)] = newer;
    if (newer === slot) this.behind[slot] = row;
    else this.older[indexOf(newer)] = row;
    if (older === NONE) this.tails[slot] = row;
    else this.newer[indexOf(older)] = row;
  }

  /** The rows up to `last` become the front, from the newest to the oldest: each takes in what the newer ones hold. */
  private turn(slot: number, last: number): void {
    let newer = this.upTo(slot, last);
    this.fronts[slot] = newer;
    for (let row = this.olderOf(slot, newer); row !== NONE; row = this.olderOf(slot, row)) {
      this.accumulators.merge(row, newer);
      newer = row;
    }
  }

  private foldUpTo(slot: number, last: number): number {
    const { accumulators } = this;
    let prefix = this.prefixes[slot]!;
    let row = this.newerOf(this.folds[slot] === NONE ? this.fronts[slot]! : this.folds[slot]!);
    for (; row !== NONE && this.sliceOf(row) <= last; row = this.newerOf(row)) {
      if (prefix === NONE) prefix = this.prefixes[slot] = accumulators.allocate();
      accumulators.merge(prefix, row);
      this.folds[slot] = row;
    }
    return prefix;
  }

  /** The rows behind the front stand for themselves alone again. */
  private endFront(slot: number): void {
    this.fronts[slot] = NONE;
    this.folds[slot] = NONE;
    const prefix = this.prefixes[slot]!;
    if (prefix === NONE) return;
    this.accumulators.release(prefix);
    this.prefixes[slot] = NONE;
  }

  private allocate(): number {
    const row = this.accumulators.allocate();
    this.growRows();
    return row;
  }

  private growRows(): void {
    const { capacity } = this.accumulators;
    if (capacity <= this.older.length) return;
    // Doubled, not stepped: each is one array, and copying it at every step would be quadratic.
    this.older = enlarged(this.older, Math.max(capacity, this.older.length * 2));
    this.newer = enlarged(this.newer, Math.max(capacity, this.newer.length * 2));
  }
}

/** A slice's number as the tag of a row: in the same order, and never that of a vacant row. */
export function tagOfSlice(slice: number): number {
  return slice < 0 ? slice : slice + 1;
}

function sliceOfTag(tag: number): number {
  return tag < 0 ? tag : tag - 1;
}

function filled(length: number): Int32Array {
  return new Int32Array(length).fill(NONE);
}

function enlarged(array: Int32Array, length: number): Int32Array {
  const grown = filled(length);
  grown.set(array);
  return grown;
}
