import { checkKey, type Key } from './key.ts';
import { KeyedTable, UNKNOWN } from './keyedTable.ts';
import type { MemoryShare } from './memoryShare.ts';

// What is noted of a slot.
/** Asked for since the last look at it: it is not the first to go. */
export const USED = 1;
/** Holds what the store does not. */
export const DIRTY = 2;
/** The store has a record of its key. */
export const STORED = 4;
/** Changed since the last cut. */
export const CHANGED = 8;
/** No cut has ever told of its key: it can go without a word. */
export const FRESH = 16;
/** A cut has still to write it. */
export const CUT = 32;

/** What a key in memory costs beside its content: its places in the index and the columns, and the key itself. */
const OVERHEAD = 160;
/** Content in memory takes about this many times the bytes of its record. */
const HEAP_FACTOR = 2.5;
/** Assumed of a key that was never measured, in bytes of its record. */
const FIRST_WEIGHT = 64;
/** Every so many changes of keys one is measured; one that is large, not before as many changes as that takes to pay. */
const SAMPLING = 64;
/** So many keys at most go at once, so that no element waits long. */
const MOST_AT_ONCE = 16;

/** What a table of keys that come and go asks of its backend. */
export interface Pager {
  /** The key's record, if the store has one. */
  fetch(key: Key): Uint8Array | undefined;
  /** Fills the states of the current key from its record. */
  revive(key: Key, slot: number, record: Uint8Array): void;
  /** A slot's key is to go: writes its record if need be and empties its states. */
  evict(slot: number, key: Key): void;
  /** How many bytes a slot's record would have. */
  measure(slot: number): number;
  /** A slot that a cut has still to write is about to change. */
  rescue(slot: number): void;
  /** A key holds nothing any more. */
  died(key: Key, flags: number): void;
}

/**
 * The keys of one operator subtask, of which those asked for lately are in memory, with their states in the columns. Whoever looks for
 * another brings it in, and others go when memory is short: those that nobody asked for since the hand passed them last (a clock). Whoever
 * holds a slot may rely on it until another key is looked for.
 */
export class PagedTable extends KeyedTable {
  pager!: Pager;
  /** Keys stay in memory: an operator refers to their slots. */
  isPinned = false;
  flags: Uint8Array = new Uint8Array(16);
  private weights: Float64Array = new Float64Array(16);
  private readonly share: MemoryShare;
  private weight = 0;
  private typical = FIRST_WEIGHT;
  private hasJoined = false;
  private hand = 0;
  private untilMeasure = SAMPLING;
  /** A key is on its way in or out: what its states do meanwhile changes nothing. */
  private moving = false;

  constructor(share: MemoryShare) {
    super();
    this.share = share;
  }

  /** About how many bytes the keys in memory take. */
  get resident(): number {
    return this.weight * HEAP_FACTOR + this.index.size * OVERHEAD;
  }

  override find(): number {
    if (this.currentSlot === UNKNOWN) this.currentSlot = this.reach(this.currentKey);
    if (this.currentSlot >= 0) this.flags[this.currentSlot]! |= USED;
    return this.currentSlot;
  }

  override claim(): number {
    let slot = this.find();
    if (slot < 0) slot = this.currentSlot = this.settle(this.currentKey);
    this.touch(slot);
    return slot;
  }

  override slotOf(key: Key): number {
    if (typeof key !== 'string') checkKey(key);
    let slot = this.reach(key);
    if (slot < 0) slot = this.settle(key);
    this.touch(slot);
    return slot;
  }

  override touch(slot: number): void {
    if (this.moving) return;
    const flags = this.flags[slot]!;
    if ((flags & CUT) !== 0) this.pager.rescue(slot);
    this.flags[slot] = (this.flags[slot]! & ~CUT) | USED | DIRTY | CHANGED;
    if (--this.untilMeasure <= 0 && !this.isPinned) this.remeasure(slot);
  }

  override release(slot: number): void {
    if (--this.references[slot]! > 0) return;
    const key = this.index.keyOf(slot)!;
    if (!this.moving) this.pager.died(key, this.flags[slot]!);
    this.forget(slot);
  }

  /** Brings a key into memory, if it is not there; −1 if nothing is held for it. It does not become the current one. */
  bring(key: Key): number {
    return this.reach(key);
  }

  private reach(key: Key): number {
    const slot = this.index.find(key);
    if (slot >= 0 || this.moving) return slot;
    const record = this.pager.fetch(key);
    return record === undefined ? -1 : this.load(key, record);
  }

  private load(key: Key, record: Uint8Array): number {
    const slot = this.settle(key);
    this.setWeight(slot, record.length);
    this.flags[slot] = USED | STORED;
    const { currentKey, currentSlot } = this;
    this.moving = true;
    this.currentKey = key;
    this.currentSlot = slot;
    try {
      this.pager.revive(key, slot, record);
    } finally {
      this.moving = false;
      this.currentKey = currentKey;
      this.currentSlot = currentSlot;
    }
    return slot;
  }

  /** Gives a key that has none a slot, and makes room for it. */
  private settle(key: Key): number {
    if (!this.hasJoined) {
      this.hasJoined = true;
      this.share.join();
    }
    this.makeRoom(-1);
    const slot = this.index.findOrInsert(key);
    if (slot >= this.capacity) this.grow();
    if (slot >= this.flags.length) this.growNotes();
    this.flags[slot] = USED | FRESH;
    this.weights[slot] = 0;
    this.setWeight(slot, this.typical);
    return slot;
  }

  private growNotes(): void {
    const flags = new Uint8Array(Math.max(this.flags.length * 2, this.capacity));
    flags.set(this.flags);
    this.flags = flags;
    const weights = new Float64Array(flags.length);
    weights.set(this.weights);
    this.weights = weights;
  }

  private makeRoom(except: number): void {
    const limit = this.share.each;
    for (let n = 0; n < MOST_AT_ONCE && this.resident > limit && !this.isPinned; n++) if (!this.evictOne(except)) return;
  }

  /** Lets the next key go that nobody has asked for since the hand was there last. False if there is none to go. */
  private evictOne(except: number): boolean {
    const { index } = this;
    for (let step = 2 * index.slots; step > 0; step--) {
      if (this.hand >= index.slots) this.hand = 0;
      const slot = this.hand++;
      const key = index.keyOf(slot);
      if (key === undefined || slot === except) continue;
      if ((this.flags[slot]! & USED) !== 0) this.flags[slot]! &= ~USED;
      else {
        this.evict(slot, key);
        return true;
      }
    }
    return false;
  }

  private evict(slot: number, key: Key): void {
    const { currentKey, currentSlot } = this;
    this.moving = true;
    // Until its states are empty the slot stays.
    this.references[slot]!++;
    this.currentKey = key;
    this.currentSlot = slot;
    try {
      this.pager.evict(slot, key);
    } finally {
      this.currentKey = currentKey;
      this.currentSlot = currentSlot;
      this.release(slot);
      this.moving = false;
    }
  }

  private forget(slot: number): void {
    this.setWeight(slot, 0);
    this.flags[slot] = 0;
    this.references[slot] = 0;
    this.index.delete(slot);
    // Its key may be in the store.
    if (slot === this.currentSlot) this.currentSlot = UNKNOWN;
  }

  private remeasure(slot: number): void {
    const bytes = this.pager.measure(slot);
    if (bytes > 0) {
      this.typical += (bytes - this.typical) / 16;
      this.setWeight(slot, bytes);
    }
    this.untilMeasure = Math.max(SAMPLING, bytes >>> 6);
    this.makeRoom(slot);
  }

  private setWeight(slot: number, bytes: number): void {
    this.weight += bytes - this.weights[slot]!;
    this.weights[slot] = bytes;
  }
}
