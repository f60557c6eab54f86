import type { Key } from './key.ts';
import { KeyIndex } from './keyIndex.ts';
import { nativeKey } from './nativeKey.ts';
import { CUT, type PagedTable } from './pagedTable.ts';
import type { CutSink, KeyedCut, RecordSink } from './recordSink.ts';
import type { KeptRecords } from './keptRecords.ts';
import type { RecordsMoment } from './writeBehind.ts';

/** So many records are fetched from the store at once. */
const FETCHED = 512;

/** What a cut holds, as its moment found it. Slots of keys in memory that belong to it are marked in the table. */
export interface CutParts {
  readonly whole: boolean;
  /** How many slots are marked. */
  readonly marked: number;
  /** Keys that went since the cut before. */
  readonly gone: readonly Key[];
  /** Of a cut of changes: keys that have changed and are not in memory. */
  readonly away: KeyIndex;
  readonly moment: RecordsMoment;
  readonly keyGroups: number;
}

/** What a cut needs of its backend. */
export interface CutSource {
  readonly table: PagedTable;
  readonly records: KeptRecords;
  /** Writes the entries of a slot. */
  write(slot: number, sink: RecordSink): void;
  /** Writes the entries of a record. */
  copy(record: Uint8Array, sink: RecordSink): void;
}

/**
 * A cut through state of which a part is in memory. That part is written first, and what of it is about to change or to go before its turn:
 * then it is written at once. The rest stands still in what was on its way to the store and in a snapshot of it, whatever happens meanwhile.
 */
export class PagedCut implements KeyedCut {
  fetching: Promise<void> | undefined;
  isAbandoned = false;
  readonly parts: CutParts;
  private readonly source: CutSource;
  private readonly sink: CutSink;
  private readonly onEnd: (cut: PagedCut) => void;
  /** Of a whole cut: keys that were written from memory, which the store may have older records of. */
  private readonly written = new KeyIndex();
  private readonly rest: Iterator<void>;
  private tombstones = 0;
  private slot = 0;
  private left: number;
  private fetched: readonly (readonly [Uint8Array, Uint8Array])[] = [];
  private isOver = false;

  constructor(source: CutSource, sink: CutSink, parts: CutParts, onEnd: (cut: PagedCut) => void) {
    this.source = source;
    this.sink = sink;
    this.parts = parts;
    this.onEnd = onEnd;
    this.left = parts.marked;
    this.rest = parts.whole ? this.writeStored() : this.writeAway();
  }

  get whole(): boolean {
    return this.parts.whole;
  }

  step(records: number): boolean {
    if (this.isOver) return false;
    let budget = this.writeMarked(this.writeGone(records));
    while (budget > 0 && this.fetching === undefined) {
      if (this.rest.next().done === true) {
        this.finish();
        return false;
      }
      budget--;
    }
    return true;
  }

  /** Writes a marked slot that is about to change or to go. */
  rescue(slot: number): void {
    this.writeSlot(slot);
  }

  /** Writes all that is in memory: another cut is about to mark slots. */
  leaveMemory(): void {
    this.writeMarked(Infinity);
  }

  /** Also of a cut that is over: it may have been written and not kept. */
  abandon(): void {
    if (this.isAbandoned) return;
    this.isAbandoned = true;
    this.finish();
  }

  private writeGone(records: number): number {
    const { gone } = this.parts;
    let budget = records;
    for (; this.tombstones < gone.length && budget > 0; budget--) this.sink.gone(gone[this.tombstones++]!);
    return budget;
  }

  private writeMarked(records: number): number {
    const { flags } = this.source.table;
    let budget = records;
    while (this.left > 0 && budget > 0 && this.slot < flags.length) {
      const slot = this.slot++;
      if ((flags[slot]! & CUT) === 0) continue;
      this.writeSlot(slot);
      budget--;
    }
    return budget;
  }

  private writeSlot(slot: number): void {
    const { table } = this.source;
    table.flags[slot]! &= ~CUT;
    this.left--;
    const key = table.index.keyOf(slot)!;
    if (this.whole) this.written.findOrInsert(key);
    this.sink.begin(key);
    this.source.write(slot, this.sink);
    this.sink.end();
  }

  private *writeAway(): Generator<void, void> {
    const { away, moment } = this.parts;
    const { records } = this.source;
    for (const [, key] of away.entries()) {
      const native = nativeKey(key);
      const change = moment.layers.find((layer) => layer.has(native))?.get(native);
      this.writeRecord(key, change === undefined ? moment.snapshot.get(records.lookAt(key)) : change.record);
      yield;
    }
  }

  private *writeStored(): Generator<void, void> {
    const { layers } = this.parts.moment;
    const { records } = this.source;
    for (const layer of layers) {
      for (const { key: address, record } of layer.values()) {
        const key = records.keyAt(address);
        if (this.written.find(key) >= 0) continue;
        this.written.findOrInsert(key);
        if (record === undefined) continue;
        this.writeRecord(key, record);
        yield;
      }
    }
    for (let group = 0; group < this.parts.keyGroups; group++) yield* this.writeGroup(records.prefixOf(group));
  }

  private *writeGroup(prefix: Uint8Array): Generator<void, void> {
    let last: Uint8Array | undefined;
    do {
      this.fetching = this.fetch(prefix, last);
      yield;
      for (const [address, record] of this.fetched) {
        last = address;
        const key = this.source.records.keyAt(address);
        if (this.written.size > 0 && this.written.find(key) >= 0) continue;
        this.writeRecord(key, record);
        yield;
      }
    } while (this.fetched.length === FETCHED);
  }

  private async fetch(prefix: Uint8Array, after: Uint8Array | undefined): Promise<void> {
    this.fetched = await this.parts.moment.snapshot.scan(prefix, after, FETCHED);
    this.fetching = undefined;
  }

  private writeRecord(key: Key, record: Uint8Array | undefined): void {
    if (record === undefined) return;
    this.sink.begin(key);
    this.source.copy(record, this.sink);
    this.sink.end();
  }

  private finish(): void {
    if (!this.isOver) this.parts.moment.snapshot.release();
    this.isOver = true;
    this.onEnd(this);
  }
}
