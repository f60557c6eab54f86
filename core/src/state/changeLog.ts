import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { CutSink, KeyedCut, RecordSink } from './recordSink.ts';

const BITS = 32;

/**
 * Which keys of a table have changed since the last cut, and a cut being written out. Taking a cut costs nothing: it is the set of
 * changed slots, and a fresh set in its place. Before a slot changes that the cut still has to write, it is written, so that the cut
 * holds what was there at its moment, whatever kind of state it is and however it changes.
 */
export class ChangeLog {
  private readonly table: KeyedTable;
  private readonly write: (slot: number, sink: RecordSink) => void;
  private changed = new Uint32Array(BITS);
  /** Slots whose key no cut has written yet: it can go without a word. */
  private fresh = new Uint32Array(BITS);
  /** Slots that belong to a key: to look for them in the index would stop the world at every whole cut. */
  private live = new Uint32Array(BITS);
  private gone: Key[] = [];
  private cut: Cut | undefined;

  /** `write` writes the entries of a slot. */
  constructor(table: KeyedTable, write: (slot: number, sink: RecordSink) => void) {
    this.table = table;
    this.write = write;
    this.reserve(table.index.slots);
    for (const [slot] of table.index.entries()) this.mark(slot);
  }

  /** A slot is about to change. */
  touch(slot: number): void {
    const word = slot >>> 5;
    if (word >= this.changed.length) this.reserve(slot + 1);
    const bit = 1 << (slot & 31);
    this.cut?.rescue(slot, word, bit);
    this.changed[word]! |= bit;
  }

  /** A slot is given to a key. */
  born(slot: number): void {
    const word = slot >>> 5;
    if (word >= this.changed.length) this.reserve(slot + 1);
    this.fresh[word]! |= 1 << (slot & 31);
    this.live[word]! |= 1 << (slot & 31);
  }

  /** A slot's key is about to go. */
  died(slot: number, key: Key): void {
    this.touch(slot);
    const word = slot >>> 5;
    const bit = 1 << (slot & 31);
    if ((this.fresh[word]! & bit) === 0) this.gone.push(key);
    this.fresh[word]! &= ~bit;
    this.changed[word]! &= ~bit;
    this.live[word]! &= ~bit;
  }

  /**
   * Begins a cut that goes to `sink`: whole, or what has changed since the last one that was not whole for itself (`apart`: a savepoint,
   * after which changes still count from the cut before it).
   */
  begin(sink: CutSink, whole: boolean, apart: boolean): KeyedCut {
    // One at a time: what an older one has not written yet it writes now.
    this.cut?.step(Infinity);
    const slots = whole ? this.live.slice() : this.changed;
    const [gone, unsaid] = whole ? [[], this.gone] : [this.gone, []];
    const cut = new Cut(this.table, this.write, sink, { whole, apart, slots, gone, unsaid }, (over) => this.end(over));
    if (!apart) {
      this.gone = [];
      this.changed = new Uint32Array(this.changed.length);
      this.fresh = new Uint32Array(this.fresh.length);
    }
    this.cut = cut;
    return cut;
  }

  private end(cut: Cut): void {
    if (this.cut === cut) this.cut = undefined;
    if (!cut.isAbandoned || cut.parts.apart) return;
    this.reserve(cut.slots.length * BITS);
    for (let word = 0; word < cut.slots.length; word++) this.changed[word]! |= cut.slots[word]!;
    this.gone.push(...cut.parts.gone, ...cut.parts.unsaid);
  }

  private mark(slot: number): void {
    this.changed[slot >>> 5]! |= 1 << (slot & 31);
    this.fresh[slot >>> 5]! |= 1 << (slot & 31);
    this.live[slot >>> 5]! |= 1 << (slot & 31);
  }

  private reserve(slots: number): void {
    const words = Math.max(this.changed.length * 2, Math.ceil(slots / BITS), BITS);
    if (Math.ceil(slots / BITS) <= this.changed.length) return;
    this.changed = enlarged(this.changed, words);
    this.fresh = enlarged(this.fresh, words);
    this.live = enlarged(this.live, words);
  }
}

interface CutParts {
  readonly whole: boolean;
  readonly apart: boolean;
  readonly slots: Uint32Array<ArrayBuffer>;
  readonly gone: readonly Key[];
  /** Keys that a whole cut need not speak of, and that count as gone again if it is abandoned. */
  readonly unsaid: readonly Key[];
}

class Cut implements KeyedCut {
  readonly parts: CutParts;
  /** What the cut holds, for when it is abandoned. */
  readonly slots: Uint32Array;
  isAbandoned = false;
  private readonly table: KeyedTable;
  private readonly write: (slot: number, sink: RecordSink) => void;
  private readonly sink: CutSink;
  private readonly onEnd: (cut: Cut) => void;
  /** Slots that are still to be written. */
  private readonly left: Uint32Array;
  private word = 0;
  private tombstones = 0;
  private isOver = false;

  constructor(
    table: KeyedTable,
    write: (slot: number, sink: RecordSink) => void,
    sink: CutSink,
    parts: CutParts,
    onEnd: (cut: Cut) => void,
  ) {
    this.table = table;
    this.write = write;
    this.sink = sink;
    this.parts = parts;
    this.onEnd = onEnd;
    this.slots = parts.slots;
    this.left = parts.slots.slice();
  }

  get whole(): boolean {
    return this.parts.whole;
  }

  /** Writes a slot that is about to change, if it has not been written. */
  rescue(slot: number, word: number, bit: number): void {
    if (word >= this.left.length || (this.left[word]! & bit) === 0) return;
    this.left[word]! &= ~bit;
    this.record(slot);
  }

  step(records: number): boolean {
    if (this.isOver) return false;
    let budget = this.writeGone(records);
    while (budget > 0) {
      if (this.word >= this.left.length) {
        this.finish();
        return false;
      }
      const bits = this.left[this.word]!;
      if (bits === 0) {
        this.word++;
        continue;
      }
      const lowest = bits & -bits;
      this.left[this.word]! ^= lowest;
      this.record(this.word * BITS + (31 - Math.clz32(lowest)));
      budget--;
    }
    return true;
  }

  abandon(): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    this.finish();
  }

  private writeGone(records: number): number {
    let budget = records;
    for (; this.tombstones < this.parts.gone.length && budget > 0; budget--) this.sink.gone(this.parts.gone[this.tombstones++]!);
    return budget;
  }

  private record(slot: number): void {
    const key = this.table.index.keyOf(slot);
    if (key === undefined) return;
    this.sink.begin(key);
    this.write(slot, this.sink);
    this.sink.end();
  }

  private finish(): void {
    this.isOver = true;
    this.onEnd(this);
  }
}

function enlarged(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(length);
  grown.set(array);
  return grown;
}
