import { compareKeys, type Key } from './key.ts';

/** Stands for the key of a record that has none: what is wrong with it is for its consumer to find. */
export const NO_KEY: unique symbol = Symbol('no key');

/** What records are brought together by. */
export type SortKey = Key | typeof NO_KEY;

/** What records are sorted by; `null` keeps the order of arrival. */
export type RecordOrder = 'key' | 'time' | null;

/** As many records as one pile holds: hash and place then fit into one number exactly. */
export const PILE: number = 2 ** 20;

/** Which of two records comes first: by hash, which is quick to compare, then key, then time. */
export function compareSorted(aHash: number, aKey: SortKey, aTime: number, bHash: number, bKey: SortKey, bTime: number): number {
  if (aHash !== bHash) return aHash - bHash;
  if (aKey !== bKey) {
    const order = compareSortKeys(aKey, bKey);
    if (order !== 0) return order;
  }
  // Without timestamps both are −Infinity, whose difference is no number.
  return aTime === bTime ? 0 : aTime - bTime;
}

/** Records in memory, in columns: the engine allocates nothing for one, and sorting moves numbers. */
export class RecordPile {
  readonly values: unknown[] = [];
  readonly keys: SortKey[] = [];
  times: Float64Array = new Float64Array(256);
  hashes: Int32Array = new Int32Array(256);
  length = 0;

  add(value: unknown, time: number, hash: number, key: SortKey): void {
    const at = this.length++;
    if (at === this.times.length) this.grow();
    this.values.push(value);
    this.keys.push(key);
    this.times[at] = time;
    this.hashes[at] = hash;
  }

  /** The places of the records in order; those of equal ones in order of arrival. `null`: they are in order. */
  sort(by: RecordOrder): Uint32Array | null {
    if (by === null || this.isSorted()) return null;
    const order = this.byHash();
    for (let start = 0, end = 0; start < this.length; start = end) {
      end = this.endOfHash(order, start);
      if (!this.isGroupSorted(order, start, end)) order.subarray(start, end).sort((a, b) => this.compare(a, b) || a - b);
    }
    return order;
  }

  private grow(): void {
    const times = new Float64Array(this.times.length * 2);
    times.set(this.times);
    this.times = times;
    const hashes = new Int32Array(times.length);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }

  private isSorted(): boolean {
    for (let i = 1; i < this.length; i++) if (this.compare(i - 1, i) > 0) return false;
    return true;
  }

  /** Hash and place as one number each, which are sorted without a call per comparison. */
  private byHash(): Uint32Array {
    const { hashes, length } = this;
    const packed = new Float64Array(length);
    for (let i = 0; i < length; i++) packed[i] = (hashes[i]! + 2 ** 31) * PILE + i;
    packed.sort();
    const order = new Uint32Array(length);
    for (let i = 0; i < length; i++) order[i] = packed[i]! - Math.floor(packed[i]! / PILE) * PILE;
    return order;
  }

  private endOfHash(order: Uint32Array, start: number): number {
    const { hashes, length } = this;
    const hash = hashes[order[start]!];
    let end = start + 1;
    while (end < length && hashes[order[end]!] === hash) end++;
    return end;
  }

  private isGroupSorted(order: Uint32Array, start: number, end: number): boolean {
    for (let i = start + 1; i < end; i++) if (this.compare(order[i - 1]!, order[i]!) > 0) return false;
    return true;
  }

  private compare(a: number, b: number): number {
    const { hashes, keys, times } = this;
    return compareSorted(hashes[a]!, keys[a]!, times[a]!, hashes[b]!, keys[b]!, times[b]!);
  }
}

function compareSortKeys(a: SortKey, b: SortKey): number {
  if (a === NO_KEY) return b === NO_KEY ? 0 : -1;
  return b === NO_KEY ? 1 : compareKeys(a, b);
}
