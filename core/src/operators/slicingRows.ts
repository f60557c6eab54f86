import type { WindowAccumulators } from './windowAccumulators.ts';

/** No row. */
export const NONE = -1;

/** What the accumulators of a row stand for; see {@link SliceRows}. */
export type RowSpan = 'slice' | 'folded' | 'front';

/**
 * The slices of each key, oldest to newest, a row of accumulators for each that holds anything; and the aggregate of the window that moves
 * over them, by two stacks. The oldest rows of a key are its front: each stands for its slice and all others up to the front's last. The
 * rows behind hold their slice alone; what of them the window has reached is also folded into the key's prefix. A window is one row of
 * the front and the prefix. When the front is used up, the rows that the window has reached become the next one: each row is merged
 * a constant number of times in its life, however many windows it is in, and takes no more memory than its slice.
 *
 * What is merged with what follows from the rows alone, so that a restored table gives the same results to the last bit.
 */
export class SliceRows {
  // By row.
  slotOf: Int32Array;
  /** The next row of the same slice that waits to be reached; kept for `PendingSlices`. */
  nextOfSlice: Int32Array;
  private older: Int32Array;
  private newer: Int32Array;
  // By slot of the key.
  /** The newest and the oldest row; {@link NONE} for a key without rows. */
  heads: Int32Array = filled(16);
  tails: Int32Array = filled(16);
  /** The newest row of the front, the newest row that is folded into the prefix, and the prefix. */
  private fronts: Int32Array = filled(16);
  private folds: Int32Array = filled(16);
  private prefixes: Int32Array = filled(16);
  private readonly accumulators: WindowAccumulators;
  /** The row in which front and prefix are put together. */
  private readonly scratch: number;

  constructor(accumulators: WindowAccumulators) {
    this.accumulators = accumulators;
    this.scratch = accumulators.allocate();
    const { capacity } = accumulators;
    this.slotOf = new Int32Array(capacity);
    this.nextOfSlice = new Int32Array(capacity);
    this.older = new Int32Array(capacity);
    this.newer = new Int32Array(capacity);
  }

  /** The slice that a row is of. */
  sliceOf(row: number): number {
    return this.accumulators.tag(row);
  }

  /** The row of a key's slice, or {@link NONE}. */
  find(slot: number, slice: number): number {
    const row = this.upTo(slot, slice);
    return row !== NONE && this.sliceOf(row) === slice ? row : NONE;
  }

  /** A new row for a slice that the key does not have yet. */
  insert(slot: number, slice: number): number {
    if (slot >= this.heads.length) this.growSlots(slot);
    const row = this.accumulators.allocate();
    if (row >= this.slotOf.length) this.growRows();
    const older = this.upTo(slot, slice);
    const newer = older === NONE ? this.tails[slot]! : this.newer[older]!;
    this.accumulators.setTag(row, slice);
    this.slotOf[row] = slot;
    this.older[row] = older;
    this.newer[row] = newer;
    if (older === NONE) this.tails[slot] = row;
    else this.newer[older] = row;
    if (newer === NONE) this.heads[slot] = row;
    else this.older[newer] = row;
    return row;
  }

  /** Adds an element, taken by the accumulators, to a slice that windows have reached already. True if the slice was new to the key. */
  addReached(slot: number, slice: number): boolean {
    const { accumulators } = this;
    let row = this.find(slot, slice);
    const isNew = row === NONE;
    if (isNew) row = this.insert(slot, slice);
    const span = this.spanOf(slot, slice);
    if (span === 'front') {
      if (isNew) accumulators.merge(row, this.newer[row]!);
      for (let each = row; each !== NONE; each = this.older[each]!) accumulators.addTaken(each);
    } else {
      accumulators.addTaken(row);
      if (span === 'folded') accumulators.addTaken(this.prefixes[slot]!);
    }
    return isNew;
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
    accumulators.reset(scratch);
    accumulators.merge(scratch, tail);
    accumulators.merge(scratch, prefix);
    return scratch;
  }

  /** Drops a key's rows before slice `before`. */
  drop(slot: number, before: number): void {
    let row = this.tails[slot]!;
    while (row !== NONE && this.sliceOf(row) < before) {
      if (row === this.fronts[slot]) this.endFront(slot);
      this.accumulators.release(row);
      row = this.newer[row]!;
    }
    this.tails[slot] = row;
    if (row === NONE) this.heads[slot] = NONE;
    else this.older[row] = NONE;
  }

  /** A key's rows, oldest first, as plain data. */
  *read(slot: number): Iterable<{ readonly slice: number; readonly span: RowSpan; readonly accumulators: Readonly<Record<string, unknown>> }> {
    for (let row = this.tails[slot] ?? NONE; row !== NONE; row = this.newer[row]!) {
      const slice = this.sliceOf(row);
      yield { slice, span: this.spanOf(slot, slice), accumulators: this.accumulators.read(row) };
    }
  }

  /** Takes a row back. Rows of a key may come in any order. */
  write(slot: number, slice: number, span: RowSpan, accumulators: Readonly<Record<string, unknown>>): number {
    const row = this.insert(slot, slice);
    this.accumulators.write(row, accumulators);
    const last = span === 'front' ? this.fronts : this.folds;
    if (span !== 'slice' && (last[slot] === NONE || this.sliceOf(last[slot]!) < slice)) last[slot] = row;
    return row;
  }

  /** A key's prefix as plain data; `undefined` if it has none. */
  readPrefix(slot: number): Readonly<Record<string, unknown>> | undefined {
    const prefix = this.prefixes[slot] ?? NONE;
    return prefix === NONE ? undefined : this.accumulators.read(prefix);
  }

  writePrefix(slot: number, accumulators: Readonly<Record<string, unknown>>): void {
    if (slot >= this.heads.length) this.growSlots(slot);
    this.prefixes[slot] = this.allocateApart();
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
    let row = this.heads[slot] ?? NONE;
    while (row !== NONE && this.sliceOf(row) > slice) row = this.older[row]!;
    return row;
  }

  /** The rows up to `last` become the front, from the newest to the oldest: each takes in what the newer ones hold. */
  private turn(slot: number, last: number): void {
    let newer = this.upTo(slot, last);
    this.fronts[slot] = newer;
    for (let row = this.older[newer]!; row !== NONE; row = this.older[row]!) {
      this.accumulators.merge(row, newer);
      newer = row;
    }
  }

  private foldUpTo(slot: number, last: number): number {
    const { accumulators, newer } = this;
    let prefix = this.prefixes[slot]!;
    let row = newer[this.folds[slot] === NONE ? this.fronts[slot]! : this.folds[slot]!]!;
    for (; row !== NONE && this.sliceOf(row) <= last; row = this.newer[row]!) {
      if (prefix === NONE) prefix = this.prefixes[slot] = this.allocateApart();
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

  /** A row that is no slice's. */
  private allocateApart(): number {
    const row = this.accumulators.allocate();
    if (row >= this.slotOf.length) this.growRows();
    return row;
  }

  private growRows(): void {
    // Doubled, not stepped: each is one array, and copying it at every step would be quadratic.
    const capacity = Math.max(this.accumulators.capacity, this.slotOf.length * 2);
    this.slotOf = enlarged(this.slotOf, capacity);
    this.nextOfSlice = enlarged(this.nextOfSlice, capacity);
    this.older = enlarged(this.older, capacity);
    this.newer = enlarged(this.newer, capacity);
  }

  private growSlots(slot: number): void {
    const capacity = Math.max(slot + 1, this.heads.length * 2);
    this.heads = enlarged(this.heads, capacity);
    this.tails = enlarged(this.tails, capacity);
    this.fronts = enlarged(this.fronts, capacity);
    this.folds = enlarged(this.folds, capacity);
    this.prefixes = enlarged(this.prefixes, capacity);
  }
}

function filled(length: number): Int32Array {
  return new Int32Array(length).fill(NONE);
}

function enlarged(array: Int32Array, length: number): Int32Array {
  const grown = filled(length);
  grown.set(array);
  return grown;
}
