/** Slots per page. Pages are the unit that a snapshot copies; 32 KB of numbers is copied in microseconds. */
export const PAGE_BITS = 12;
export const PAGE_SIZE: number = 1 << PAGE_BITS;
export const PAGE_MASK: number = PAGE_SIZE - 1;

/** A column of a state table: one cell per slot, in pages that never move once they are full-sized. */
export interface Column {
  /** Makes room for slots `0 … capacity − 1`. */
  reserve(capacity: number): void;
  /** Back to the empty value. */
  reset(slot: number): void;
}

/** Numbers, unboxed. */
export class NumberColumn implements Column {
  readonly pages: Float64Array[] = [];
  private readonly empty: number;

  constructor(empty = 0) {
    this.empty = empty;
  }

  reserve(capacity: number): void {
    // The first page starts small and doubles: thousands of short-lived tables (window panes) hold few keys each.
    const first = this.pages[0];
    const firstSize = Math.min(capacity, PAGE_SIZE);
    if (first === undefined) this.pages.push(this.page(firstSize));
    else if (first.length < firstSize) {
      const grown = this.page(firstSize);
      grown.set(first);
      this.pages[0] = grown;
    }
    while (this.pages.length << PAGE_BITS < capacity) this.pages.push(this.page(PAGE_SIZE));
  }

  get(slot: number): number {
    return this.pages[slot >>> PAGE_BITS]![slot & PAGE_MASK]!;
  }

  set(slot: number, value: number): void {
    this.pages[slot >>> PAGE_BITS]![slot & PAGE_MASK] = value;
  }

  add(slot: number, value: number): void {
    this.pages[slot >>> PAGE_BITS]![slot & PAGE_MASK]! += value;
  }

  reset(slot: number): void {
    this.set(slot, this.empty);
  }

  private page(size: number): Float64Array {
    const page = new Float64Array(size);
    return this.empty === 0 ? page : page.fill(this.empty);
  }
}

/** Anything else; `undefined` is the empty cell. */
export class ObjectColumn<V> implements Column {
  readonly pages: (V | undefined)[][] = [];

  reserve(capacity: number): void {
    while (this.pages.length << PAGE_BITS < capacity) this.pages.push([]);
  }

  get(slot: number): V | undefined {
    return this.pages[slot >>> PAGE_BITS]![slot & PAGE_MASK];
  }

  set(slot: number, value: V | undefined): void {
    const page = this.pages[slot >>> PAGE_BITS]!;
    const at = slot & PAGE_MASK;
    // Slots are handed out in order, but a column may be written sparsely: fill the gap, a holey array is slow for ever.
    while (page.length < at) page.push(undefined);
    page[at] = value;
  }

  reset(slot: number): void {
    this.set(slot, undefined);
  }
}
