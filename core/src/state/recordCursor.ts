import { compareSorted, type RecordPile, type SortKey } from './recordPile.ts';

/** Records one by one, in order. `advance` first; the fields are those of the record that it has come to. */
export interface RecordCursor {
  /** False at the end. */
  advance(): boolean;
  readonly value: unknown;
  readonly time: number;
  readonly hash: number;
  readonly key: SortKey;
  /** Which input of the reader the record is for. */
  readonly input: number;
}

/** Every so many records their reader is told that they are gone. */
const PASSED = 4096;

/** The records of a pile. Each is let go once it has been passed, so that what it leads to can take its memory; without `onPassed` they are kept. */
export class PileCursor implements RecordCursor {
  value: unknown;
  time = 0;
  hash = 0;
  key: SortKey = '';
  readonly input: number;
  private readonly pile: RecordPile;
  private readonly order: Uint32Array | null;
  private readonly onPassed: ((records: number) => void) | undefined;
  private next = 0;

  constructor(
    pile: RecordPile,
    order: Uint32Array | null,
    reader: { readonly input: number; readonly onPassed?: ((records: number) => void) | undefined },
  ) {
    this.pile = pile;
    this.order = order;
    this.input = reader.input;
    this.onPassed = reader.onPassed;
  }

  advance(): boolean {
    const { pile } = this;
    if (this.next === pile.length) return false;
    const at = this.order === null ? this.next : this.order[this.next]!;
    this.next++;
    this.value = pile.values[at];
    this.time = pile.times[at]!;
    this.hash = pile.hashes[at]!;
    this.key = pile.keys[at]!;
    if (this.onPassed === undefined) return true;
    if (this.next % PASSED === 0) this.onPassed(PASSED);
    pile.values[at] = undefined;
    pile.keys[at] = '';
    return true;
  }
}

/** Several cursors, one after the other. */
export class ChainedCursor implements RecordCursor {
  private readonly cursors: readonly RecordCursor[];
  private at = 0;

  constructor(cursors: readonly RecordCursor[]) {
    this.cursors = cursors;
  }

  get value(): unknown {
    return this.cursors[this.at]!.value;
  }

  get time(): number {
    return this.cursors[this.at]!.time;
  }

  get hash(): number {
    return this.cursors[this.at]!.hash;
  }

  get key(): SortKey {
    return this.cursors[this.at]!.key;
  }

  get input(): number {
    return this.cursors[this.at]!.input;
  }

  advance(): boolean {
    for (; this.at < this.cursors.length; this.at++) if (this.cursors[this.at]!.advance()) return true;
    return false;
  }
}

/** The first of several cursors that are in order, again and again; of equal records that of the cursor that stands before. A binary heap. */
export class MergedCursor implements RecordCursor {
  private readonly heap: RecordCursor[];
  private readonly ranks = new Map<RecordCursor, number>();
  private isBegun = false;

  constructor(cursors: readonly RecordCursor[]) {
    this.heap = [...cursors];
    for (const [rank, cursor] of cursors.entries()) this.ranks.set(cursor, rank);
  }

  get value(): unknown {
    return this.heap[0]!.value;
  }

  get time(): number {
    return this.heap[0]!.time;
  }

  get hash(): number {
    return this.heap[0]!.hash;
  }

  get key(): SortKey {
    return this.heap[0]!.key;
  }

  get input(): number {
    return this.heap[0]!.input;
  }

  advance(): boolean {
    if (!this.isBegun) return this.begin();
    const { heap } = this;
    if (heap.length === 0) return false;
    if (!heap[0]!.advance()) {
      const last = heap.pop()!;
      if (heap.length === 0) return false;
      heap[0] = last;
    }
    this.down(0);
    return true;
  }

  private begin(): boolean {
    this.isBegun = true;
    const begun = this.heap.filter((cursor) => cursor.advance());
    this.heap.splice(0, this.heap.length, ...begun);
    for (let i = (begun.length >> 1) - 1; i >= 0; i--) this.down(i);
    return begun.length > 0;
  }

  private down(from: number): void {
    const { heap } = this;
    for (let at = from; ;) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.isBefore(heap[child]!, heap[at]!)) return;
      const cursor = heap[at]!;
      heap[at] = heap[child]!;
      heap[child] = cursor;
      at = child;
    }
  }

  private isBefore(a: RecordCursor, b: RecordCursor): boolean {
    if (a.hash !== b.hash) return a.hash < b.hash;
    const order = compareSorted(a.hash, a.key, a.time, b.hash, b.key, b.time);
    return order < 0 || (order === 0 && this.ranks.get(a)! < this.ranks.get(b)!);
  }
}
