import { PAGE_BITS, PAGE_MASK } from './column.ts';
import { equalKeys, hashKey, type Key, keyText } from './key.ts';

/** A part of the index: pairs of (hash, slot + 1), open addressing with linear probing. */
interface Segment {
  pairs: Int32Array;
  /** Number of pairs − 1: a power of two − 1. */
  mask: number;
  used: number;
  /** How many leading bits of the hash all keys in here share. */
  readonly depth: number;
}

const FIRST_SEGMENT = 16;
/** A segment of this many pairs is split, not doubled: the longest pause of a growing index is one split, about half a millisecond. */
const LARGEST_SEGMENT = 1 << 14;
/** Keys that even this many bits do not tell apart share a segment that grows: 2^16 segments hold 700 M keys of different hashes. */
const LARGEST_DEPTH = 16;
/**
 * Of one hash a segment takes this many keys, the rest go to a `Map`. The hash is known and easy to collide, and a service may be keyed by
 * what strangers send: ten thousand such keys must not cost ten thousand steps each.
 */
const MOST_ALIKE = 64;
const FILL = 0.7;
/** Up to this many scalar keys a `Map` is as quick for strings fresh from the input, and twice as quick for strings it has seen before. */
const LARGEST_MAP = 2048;

/**
 * Key -> slot. Slots are small integers handed out in order, so that state lives in columns. A few keys are held in a `Map`, many in
 * an extendible hash table by content over typed arrays: at 1,000,000 strings fresh from the input it takes half the time of a `Map`,
 * holds half the memory, and never stops to rehash everything.
 */
export class KeyIndex {
  /** Keys by slot, in pages; `undefined` where a slot is free. */
  readonly keys: (Key | undefined)[][] = [];
  /** The index itself while there are few keys; `undefined` once the segments have taken over. */
  private few: Map<Key, number> | undefined = new Map();
  private directory: Segment[] = [newSegment(FIRST_SEGMENT, 0)];
  /** `hash >>> 1 >>> shift` selects the segment: two shifts, since a shift by 32 is a shift by 0. */
  private shift = 31;
  private bits = 0;
  /** Keys whose hash too many others have, by their canonical text. */
  private alike: Map<string, number> | undefined;
  private readonly free: number[] = [];
  private handedOut = 0;
  private live = 0;

  /** Number of keys. */
  get size(): number {
    return this.live;
  }

  /** One more than the largest slot ever used. */
  get slots(): number {
    return this.handedOut;
  }

  keyOf(slot: number): Key | undefined {
    return this.keys[slot >>> PAGE_BITS]?.[slot & PAGE_MASK];
  }

  /** The key's slot, or −1. */
  find(key: Key): number {
    const { few } = this;
    if (few !== undefined) {
      const slot = few.get(key);
      return slot === undefined ? -1 : slot;
    }
    return this.search(key);
  }

  private search(key: Key): number {
    const hash = hashKey(key);
    const segment = this.directory[(hash >>> 1) >>> this.shift]!;
    const pairs = segment.pairs;
    const wrap = (segment.mask << 1) | 1;
    let others = 0;
    for (let i = (hash & segment.mask) << 1; ; i = (i + 2) & wrap) {
      const entry = pairs[i + 1]!;
      if (entry === 0) break;
      if (pairs[i] !== hash) continue;
      if (this.holds(entry - 1, key)) return entry - 1;
      if (++others === MOST_ALIKE) break;
    }
    return this.alike?.get(keyText(key)) ?? -1;
  }

  /** The key's slot, a new one if it has none yet: then `slots` or `size` has grown. */
  findOrInsert(key: Key): number {
    const { few } = this;
    if (few !== undefined) {
      const slot = few.get(key);
      return slot === undefined ? this.insertFew(key, few) : slot;
    }
    return this.searchOrInsert(key);
  }

  private insertFew(key: Key, few: Map<Key, number>): number {
    // A tuple has no place in a Map, which compares by identity.
    if (few.size >= LARGEST_MAP || typeof key === 'object') {
      this.few = undefined;
      for (const [held, slot] of few) this.enter(held, slot);
      return this.searchOrInsert(key);
    }
    hashKey(key); // refuses what is no key
    const slot = this.handOut(key);
    few.set(key, slot);
    return slot;
  }

  private searchOrInsert(key: Key): number {
    const hash = hashKey(key);
    const segment = this.directory[(hash >>> 1) >>> this.shift]!;
    const pairs = segment.pairs;
    const wrap = (segment.mask << 1) | 1;
    let others = 0;
    let i = (hash & segment.mask) << 1;
    for (; ; i = (i + 2) & wrap) {
      const entry = pairs[i + 1]!;
      if (entry === 0) break;
      if (pairs[i] !== hash) continue;
      if (this.holds(entry - 1, key)) return entry - 1;
      if (++others === MOST_ALIKE) return this.findOrInsertAlike(key);
    }
    if (this.alike !== undefined) {
      const slot = this.alike.get(keyText(key));
      if (slot !== undefined) return slot;
    }
    return this.insert(key, hash, segment, i);
  }

  private findOrInsertAlike(key: Key): number {
    this.alike ??= new Map();
    const text = keyText(key);
    let slot = this.alike.get(text);
    if (slot === undefined) {
      slot = this.handOut(key);
      this.alike.set(text, slot);
    }
    return slot;
  }

  /** Forgets a key; its slot will be handed out again. */
  delete(slot: number): void {
    const key = this.keyOf(slot)!;
    if (this.few !== undefined) this.few.delete(key);
    else if (this.alike?.delete(keyText(key)) !== true) this.leave(key, slot);
    this.keys[slot >>> PAGE_BITS]![slot & PAGE_MASK] = undefined;
    this.free.push(slot);
    this.live--;
  }

  /** Slots in use, in order. */
  *entries(): Generator<[slot: number, key: Key]> {
    for (let slot = 0; slot < this.handedOut; slot++) {
      const key = this.keyOf(slot);
      if (key !== undefined) yield [slot, key];
    }
  }

  clear(): void {
    this.keys.length = 0;
    this.few = new Map();
    this.alike = undefined;
    this.directory = [newSegment(FIRST_SEGMENT, 0)];
    this.shift = 31;
    this.bits = 0;
    this.free.length = 0;
    this.handedOut = 0;
    this.live = 0;
  }

  private holds(slot: number, key: Key): boolean {
    const held = this.keys[slot >>> PAGE_BITS]![slot & PAGE_MASK];
    return held === key || (typeof key === 'object' && equalKeys(held as Key, key));
  }

  private insert(key: Key, hash: number, segment: Segment, at: number): number {
    const slot = this.handOut(key);
    segment.pairs[at] = hash;
    segment.pairs[at + 1] = slot + 1;
    segment.used++;
    if (segment.used > (segment.mask + 1) * FILL) this.grow(segment);
    return slot;
  }

  private handOut(key: Key): number {
    const slot = this.free.pop() ?? this.handedOut++;
    const page = slot >>> PAGE_BITS;
    if (page === this.keys.length) this.keys.push([]);
    this.keys[page]![slot & PAGE_MASK] = key;
    this.live++;
    return slot;
  }

  /** Puts a key that has its slot into the segments. */
  private enter(key: Key, slot: number): void {
    const hash = hashKey(key);
    const segment = this.directory[(hash >>> 1) >>> this.shift]!;
    if (alikeIn(segment, hash) === MOST_ALIKE) {
      this.alike ??= new Map();
      this.alike.set(keyText(key), slot);
      return;
    }
    place(segment, hash, slot + 1);
    if (segment.used > (segment.mask + 1) * FILL) this.grow(segment);
  }

  /** Takes a key out of the segments. */
  private leave(key: Key, slot: number): void {
    const hash = hashKey(key);
    const segment = this.directory[(hash >>> 1) >>> this.shift]!;
    const wrap = (segment.mask << 1) | 1;
    let i = (hash & segment.mask) << 1;
    while (segment.pairs[i + 1] !== slot + 1) i = (i + 2) & wrap;
    closeGap(segment, i);
    segment.used--;
  }

  private grow(segment: Segment): void {
    const size = segment.mask + 1;
    if (size < LARGEST_SEGMENT || segment.depth === LARGEST_DEPTH) return enlarge(segment, size * 2);
    if (segment.depth === this.bits) this.doubleDirectory();
    const low = newSegment(size, segment.depth + 1);
    const high = newSegment(size, segment.depth + 1);
    const bit = 31 - segment.depth;
    const { pairs } = segment;
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i + 1] !== 0) place((pairs[i]! >>> bit) & 1 ? high : low, pairs[i]!, pairs[i + 1]!);
    }
    const selects = this.bits - segment.depth - 1;
    for (let d = 0; d < this.directory.length; d++) {
      if (this.directory[d] === segment) this.directory[d] = (d >>> selects) & 1 ? high : low;
    }
  }

  private doubleDirectory(): void {
    this.directory = this.directory.flatMap((segment) => [segment, segment]);
    this.bits++;
    this.shift = 31 - this.bits;
  }
}

function newSegment(size: number, depth: number): Segment {
  return { pairs: new Int32Array(size * 2), mask: size - 1, used: 0, depth };
}

function place(segment: Segment, hash: number, entry: number): void {
  const wrap = (segment.mask << 1) | 1;
  let i = (hash & segment.mask) << 1;
  while (segment.pairs[i + 1] !== 0) i = (i + 2) & wrap;
  segment.pairs[i] = hash;
  segment.pairs[i + 1] = entry;
  segment.used++;
}

/** How many keys of one hash a segment holds. */
function alikeIn({ pairs, mask }: Segment, hash: number): number {
  const wrap = (mask << 1) | 1;
  let alike = 0;
  for (let i = (hash & mask) << 1; pairs[i + 1] !== 0; i = (i + 2) & wrap) if (pairs[i] === hash) alike++;
  return alike;
}

function enlarge(segment: Segment, size: number): void {
  const { pairs } = segment;
  segment.pairs = new Int32Array(size * 2);
  segment.mask = size - 1;
  segment.used = 0;
  for (let i = 0; i < pairs.length; i += 2) if (pairs[i + 1] !== 0) place(segment, pairs[i]!, pairs[i + 1]!);
}

/** Moves later entries of the probe sequence back, so that no tombstones are needed. */
function closeGap(segment: Segment, gap: number): void {
  const { pairs, mask } = segment;
  const wrap = (mask << 1) | 1;
  for (let i = (gap + 2) & wrap; pairs[i + 1] !== 0; i = (i + 2) & wrap) {
    const home = (pairs[i]! & mask) << 1;
    // An entry may move back only if the gap lies between its home and where it stands.
    if (((i - home) & wrap) < ((i - gap) & wrap)) continue;
    pairs[gap] = pairs[i]!;
    pairs[gap + 1] = pairs[i + 1]!;
    gap = i;
  }
  pairs[gap + 1] = 0;
}
