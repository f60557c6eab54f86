import { MillraceError } from '../errors/millraceError.ts';
import type { Clock } from '../time/clock.ts';
import type { StateEntry } from './backend.ts';
import { KeptRecords } from './keptRecords.ts';
import type { StateDescriptor } from './descriptor.ts';
import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { TimerShape } from './keyedTimers.ts';
import { KeyIndex } from './keyIndex.ts';
import type { KeyStore } from './keyStore.ts';
import { MemoryBackend } from './memoryBackend.ts';
import type { MemoryShare } from './memoryShare.ts';
import { PagedCut } from './pagedCut.ts';
import { CHANGED, CUT, DIRTY, FRESH, type Pager, PagedTable, STORED } from './pagedTable.ts';
import type { CutSink, KeyedCut, RecordSink } from './recordSink.ts';
import { PagedTimers } from './sleepingTimers.ts';
import type { StoredState } from './storedState.ts';
import { StoreSweep } from './storeSweep.ts';
import { expiryOf } from './ttl.ts';
import { type Backpressure, WriteBehind } from './writeBehind.ts';

/** With more changed keys outside of memory than this, the next cut is a whole one: it need not know which have changed. */
const MOST_CHANGED = 500_000;

/** What a paged backend stands on. */
export interface PagedParts {
  readonly clock: Clock;
  /** Open before the first key. */
  readonly store: () => KeyStore;
  /** Tells the backends of a store apart. */
  readonly number: number;
  readonly maxParallelism: number;
  readonly share: MemoryShare;
  readonly backpressure: Backpressure;
  /** How many bytes are written to the store at once. */
  readonly batch?: number;
}

/**
 * Keyed state larger than memory. Keys that are asked for live as those of the memory backend do, in the same tables; the others wait in a
 * store as one record each, timers included, from which they are brought back when they are asked for, or a timer of theirs is due.
 */
export class PagedBackend extends MemoryBackend implements Pager {
  private readonly paged: PagedTable;
  private readonly records: KeptRecords;
  private readonly behind: WriteBehind;
  private readonly sweep: StoreSweep;
  private readonly maxParallelism: number;
  private readonly backpressure: Backpressure;
  private timers: PagedTimers | undefined;
  /** Nothing need be looked for in the store before. */
  private hasStored = false;
  private tracking = false;
  /** Keys that have changed since the last cut and are not in memory, and those that went. */
  private away = new KeyIndex();
  private gone: Key[] = [];
  /** The next cut must hold everything. */
  private needsWhole = false;
  /** The cut that has marked slots. */
  private running: PagedCut | undefined;
  /** Keys that are not in memory, where they are to be listed. */
  private listed: KeyIndex | undefined;

  constructor({ clock, store, number, maxParallelism, share, backpressure, batch }: PagedParts) {
    const table = new PagedTable(share);
    super(clock, table);
    table.pager = this;
    this.paged = table;
    this.maxParallelism = maxParallelism;
    this.backpressure = backpressure;
    this.records = new KeptRecords(number, maxParallelism);
    this.behind = new WriteBehind(store, backpressure, batch);
    this.sweep = new StoreSweep({
      store,
      records: this.records,
      keyGroups: maxParallelism,
      current: (key) => (table.index.find(key) >= 0 ? undefined : this.fetch(key)),
      drop: (key) => this.drop(key),
      fail: (error) => backpressure.fail(error),
    });
  }

  override open<H>(name: string, descriptor: StateDescriptor<H>): H {
    const expiry = expiryOf(descriptor.options, this.clock);
    if (expiry !== undefined) this.sweep.add(name, expiry);
    return super.open(name, descriptor);
  }

  override adopt(state: StoredState): KeyedTable {
    // What refers to slots for longer than a moment can only do so while they last.
    if (state.evict === undefined) this.paged.isPinned = true;
    return super.adopt(state);
  }

  override openTimers(shape: TimerShape, onEarlier: (at: number) => void): PagedTimers {
    this.timers = new PagedTimers(this.paged, shape, onEarlier);
    this.register(this.timers);
    return this.timers;
  }

  override listKeys(): void {
    this.listed ??= new KeyIndex();
  }

  override *keys(): Iterable<Key> {
    // Who goes through them may enter them: what is in memory changes meanwhile.
    const resident = [...this.table.index.entries()].map(([, key]) => key);
    const listed = [...this.listing().entries()].map(([, key]) => key);
    yield* resident;
    yield* listed;
  }

  override *entries(): Iterable<StateEntry> {
    yield* super.entries();
    for (const [, key] of this.listing().entries()) {
      const record = this.fetch(key);
      if (record !== undefined) for (const entry of this.records.decode(record)) yield { key, ...entry };
    }
  }

  override restore(entry: StateEntry): void {
    this.behind.quiet = true;
    try {
      super.restore(entry);
    } finally {
      this.behind.quiet = false;
    }
  }

  settling(): Promise<void> | undefined {
    return this.behind.settling();
  }

  override track(): void {
    this.tracking = true;
    // What was restored is in no cut yet.
    this.needsWhole = true;
  }

  override cut(sink: CutSink, { whole: asked, apart }: { readonly whole: boolean; readonly apart: boolean }): KeyedCut {
    this.running?.leaveMemory();
    const whole = asked || apart || this.needsWhole;
    const parts = {
      whole,
      marked: this.mark(whole, apart),
      gone: whole ? [] : this.gone,
      away: this.away,
      moment: this.behind.moment(),
      keyGroups: this.maxParallelism,
    };
    if (!apart) {
      this.gone = [];
      this.away = new KeyIndex();
      this.needsWhole = false;
    }
    const source = {
      table: this.paged,
      records: this.records,
      write: (slot: number, to: RecordSink) => this.writeSlot(slot, to),
      copy: (record: Uint8Array, to: RecordSink) => this.copy(record, to),
    };
    this.running = new PagedCut(source, sink, parts, (cut) => this.end(cut, apart));
    return this.running;
  }

  /** Lets go of the store. */
  async close(): Promise<void> {
    await this.sweep.close();
    await this.behind.close();
  }

  // What the table asks.

  fetch(key: Key): Uint8Array | undefined {
    if (!this.hasStored) return undefined;
    return this.behind.get(key, (each) => this.records.lookAt(each));
  }

  revive(key: Key, slot: number, record: Uint8Array): void {
    for (const { state: name, ...content } of this.records.decode(record)) {
      const state = this.states.get(name)!;
      state.restore({ state: name, key, form: state.form, ...content });
    }
    this.timers?.wakeUp(key);
    this.forgetListed(key);
    if (!this.tracking) return;
    const changed = this.away.find(key);
    if (changed < 0) return;
    this.away.delete(changed);
    this.paged.flags[slot]! |= CHANGED;
  }

  evict(slot: number, key: Key): void {
    const flags = this.paged.flags[slot]!;
    if ((flags & CUT) !== 0) this.rescue(slot);
    const keeps = (flags & DIRTY) === 0 || this.writeBack(slot, key);
    if (keeps) {
      this.timers?.fallAsleep(key, slot);
      this.listed?.findOrInsert(key);
      if (this.tracking && (flags & CHANGED) !== 0) this.noteAway(key);
    } else this.died(key, flags);
    for (const state of this.states.values()) {
      if (state.evict === undefined) state.clear();
      else state.evict();
    }
  }

  measure(slot: number): number {
    return this.placing(() => this.records.measure((sink) => this.writeSlot(slot, sink)));
  }

  rescue(slot: number): void {
    this.running?.rescue(slot);
  }

  died(key: Key, flags: number): void {
    if ((flags & STORED) !== 0) this.behind.put(key, this.records.addressOf(key), undefined);
    if (this.tracking && (flags & FRESH) === 0) this.gone.push(key);
  }

  /** Writes a slot's record. False if there is nothing to write: what it held has expired. */
  private writeBack(slot: number, key: Key): boolean {
    const record = this.placing(() => this.records.encode((sink) => this.writeSlot(slot, sink)));
    if (record === undefined) return false;
    this.hasStored = true;
    this.behind.put(key, this.records.addressOf(key), record);
    this.sweep.step();
    return true;
  }

  /** What cannot be written is another key's, as a rule: no element is to be rejected for it. */
  private placing<R>(write: () => R): R {
    try {
      return write();
    } catch (error) {
      throw this.backpressure.placed(error);
    }
  }

  /** A key that is not in memory holds nothing any more. */
  private drop(key: Key): void {
    this.died(key, STORED);
    this.forgetListed(key);
    const changed = this.away.find(key);
    if (changed >= 0) this.away.delete(changed);
  }

  private noteAway(key: Key): void {
    if (this.needsWhole) return;
    this.away.findOrInsert(key);
    if (this.away.size < MOST_CHANGED) return;
    this.away = new KeyIndex();
    this.gone = [];
    this.needsWhole = true;
  }

  private forgetListed(key: Key): void {
    const slot = this.listed?.find(key) ?? -1;
    if (slot >= 0) this.listed!.delete(slot);
  }

  /** Marks the slots that a cut is to write: those that have changed, or of a whole one those that the store does not have as they are. */
  private mark(whole: boolean, apart: boolean): number {
    const { flags, index } = this.paged;
    const wanted = whole ? DIRTY : CHANGED;
    let marked = 0;
    for (let slot = 0; slot < index.slots; slot++) {
      const before = flags[slot]!;
      let after = before & ~CUT;
      if ((before & wanted) !== 0) {
        after |= CUT;
        marked++;
      }
      flags[slot] = apart ? after : after & ~(CHANGED | FRESH);
    }
    return marked;
  }

  private end(cut: PagedCut, apart: boolean): void {
    if (this.running === cut) this.running = undefined;
    if (cut.isAbandoned && !apart) this.needsWhole = true;
  }

  private copy(record: Uint8Array, sink: RecordSink): void {
    for (const { state, userKey, value, renewed } of this.records.decode(record)) sink.entry(state, userKey, value, renewed);
  }

  private listing(): KeyIndex {
    if (this.listed !== undefined) return this.listed;
    throw new MillraceError('state/unlisted', 'The keys of this state are not all in memory, and nobody said that they would be listed.', {
      remedy: 'Call listKeys() before the first key.',
    });
  }
}
