/** Where freed entries go, and what ends the list of a slot's timers. */
const NONE = -1;
const FIRST_CAPACITY = 16;

/**
 * The timers of one operator in one time domain: a binary heap over typed columns (33 bytes a timer, no object). A timer is
 * (slot of its key, name, time) and exists once; timers fire in time order, those of one time in the order in which they were set.
 */
export class TimerQueue {
  /** The timer that {@link pop} removed last. */
  slot: number = NONE;
  name = 0;
  time = 0;

  private times = new Float64Array(FIRST_CAPACITY);
  private ranks = new Float64Array(FIRST_CAPACITY);
  private slots = new Int32Array(FIRST_CAPACITY);
  private names = new Uint16Array(FIRST_CAPACITY);
  /** The next timer of the same slot, or the next free entry. */
  private next = new Int32Array(FIRST_CAPACITY);
  /** Where an entry stands in the heap. */
  private positions = new Int32Array(FIRST_CAPACITY);
  private heap = new Int32Array(FIRST_CAPACITY);
  /** Slot -> its first timer + 1; 0 for none. */
  private heads = new Int32Array(FIRST_CAPACITY);
  private used = 0;
  private free = NONE;
  private rank = 0;
  size = 0;

  /** The earliest time; +Infinity when there is no timer. */
  get earliest(): number {
    return this.size === 0 ? Infinity : this.times[this.heap[0]!]!;
  }

  /** The slot of the earliest timer. The queue must not be empty. */
  get earliestSlot(): number {
    return this.slots[this.heap[0]!]!;
  }

  /** The place of the earliest timer among those of its time. The queue must not be empty. */
  get earliestRank(): number {
    return this.ranks[this.heap[0]!]!;
  }

  /** False when this timer was set already. `rank` gives a restored one its place among those of its time. */
  set(slot: number, name: number, time: number, rank: number = this.rank): boolean {
    if (this.find(slot, name, time) !== NONE) return false;
    const entry = this.allocate();
    this.times[entry] = time;
    this.ranks[entry] = rank;
    if (rank >= this.rank) this.rank = rank + 1;
    this.slots[entry] = slot;
    this.names[entry] = name;
    this.link(slot, entry);
    this.heap[this.size] = entry;
    this.positions[entry] = this.size;
    this.up(this.size++);
    return true;
  }

  /** False when there was no such timer. */
  cancel(slot: number, name: number, time: number): boolean {
    const entry = this.find(slot, name, time);
    if (entry === NONE) return false;
    this.remove(entry);
    return true;
  }

  /** Whether a slot has timers. */
  has(slot: number): boolean {
    return this.head(slot) !== NONE;
  }

  /** A slot's timers of one name, in the order in which they were set. */
  timersOf(slot: number, name: number): { readonly times: number[]; readonly ranks: number[] } {
    const entries: number[] = [];
    for (let entry = this.head(slot); entry !== NONE; entry = this.next[entry]!) if (this.names[entry] === name) entries.push(entry);
    entries.sort((a, b) => this.ranks[a]! - this.ranks[b]!);
    return { times: entries.map((entry) => this.times[entry]!), ranks: entries.map((entry) => this.ranks[entry]!) };
  }

  /** The earliest timer of a slot; `undefined` if it has none. */
  earliestOf(slot: number): { readonly time: number; readonly rank: number } | undefined {
    let first = this.head(slot);
    if (first === NONE) return undefined;
    for (let entry = this.next[first]!; entry !== NONE; entry = this.next[entry]!) if (this.before(entry, first)) first = entry;
    return { time: this.times[first]!, rank: this.ranks[first]! };
  }

  /** Removes the earliest timer and leaves it in `slot`, `name`, `time`. The queue must not be empty. */
  pop(): void {
    const entry = this.heap[0]!;
    this.slot = this.slots[entry]!;
    this.name = this.names[entry]!;
    this.time = this.times[entry]!;
    this.remove(entry);
  }

  private head(slot: number): number {
    return slot < this.heads.length ? this.heads[slot]! - 1 : NONE;
  }

  private find(slot: number, name: number, time: number): number {
    for (let entry = this.head(slot); entry !== NONE; entry = this.next[entry]!) {
      if (this.times[entry] === time && this.names[entry] === name) return entry;
    }
    return NONE;
  }

  private link(slot: number, entry: number): void {
    if (slot >= this.heads.length) this.heads = enlarged(this.heads, Math.max(slot + 1, this.heads.length * 2));
    this.next[entry] = this.heads[slot]! - 1;
    this.heads[slot] = entry + 1;
  }

  private unlink(entry: number): void {
    const slot = this.slots[entry]!;
    const after = this.next[entry]!;
    if (this.heads[slot] === entry + 1) {
      this.heads[slot] = after + 1;
      return;
    }
    let before = this.heads[slot]! - 1;
    while (this.next[before] !== entry) before = this.next[before]!;
    this.next[before] = after;
  }

  private remove(entry: number): void {
    this.unlink(entry);
    const hole = this.positions[entry]!;
    const moved = this.heap[--this.size]!;
    if (hole < this.size) {
      this.heap[hole] = moved;
      this.positions[moved] = hole;
      this.up(hole);
      this.down(this.positions[moved]!);
    }
    this.next[entry] = this.free;
    this.free = entry;
  }

  private allocate(): number {
    if (this.free !== NONE) {
      const entry = this.free;
      this.free = this.next[entry]!;
      return entry;
    }
    if (this.used === this.times.length) this.grow();
    return this.used++;
  }

  private grow(): void {
    const capacity = this.times.length * 2;
    this.times = enlarged(this.times, capacity);
    this.ranks = enlarged(this.ranks, capacity);
    this.slots = enlarged(this.slots, capacity);
    this.names = enlarged(this.names, capacity);
    this.next = enlarged(this.next, capacity);
    this.positions = enlarged(this.positions, capacity);
    this.heap = enlarged(this.heap, capacity);
  }

  private before(a: number, b: number): boolean {
    const difference = this.times[a]! - this.times[b]!;
    return difference < 0 || (difference === 0 && this.ranks[a]! < this.ranks[b]!);
  }

  private up(at: number): void {
    const { heap, positions } = this;
    const entry = heap[at]!;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent]!;
      if (!this.before(entry, above)) break;
      heap[at] = above;
      positions[above] = at;
      at = parent;
    }
    heap[at] = entry;
    positions[entry] = at;
  }

  private down(at: number): void {
    const { heap, positions, size } = this;
    const entry = heap[at]!;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.before(heap[child + 1]!, heap[child]!)) child++;
      const below = heap[child]!;
      if (!this.before(below, entry)) break;
      heap[at] = below;
      positions[below] = at;
      at = child;
    }
    heap[at] = entry;
    positions[entry] = at;
  }
}

function enlarged<A extends Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(array: A, capacity: number): A {
  const grown = new (array.constructor as new (length: number) => A)(capacity);
  grown.set(array);
  return grown;
}
