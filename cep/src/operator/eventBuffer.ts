import type { Key, StateEntry, Timestamp } from '@millrace/core';

/** What was taken is cut off when there is at least this much of it, and it is half of what is held. */
const SMALLEST_CUT = 1024;

interface Stray<T> {
  readonly time: Timestamp;
  readonly rank: number;
  readonly key: Key;
  readonly value: T;
}

/**
 * Events of all keys of a subtask that wait for the watermark, taken in the order of their times; of one time in the order in which they came,
 * or as `compare` says. What comes in order, which is nearly everything, is only appended; the rest goes through a heap.
 */
export class EventBuffer<T> {
  /** The event that {@link take} took. */
  time: Timestamp = 0;
  key: Key = '';
  value: T | undefined;
  private readonly compare: ((a: T, b: T) => number) | undefined;
  private times: Timestamp[] = [];
  private keys: (Key | undefined)[] = [];
  private values: (T | undefined)[] = [];
  private head = 0;
  private readonly strays: Stray<T>[] = [];
  private ranks = 0;
  /** Up to here, events of one time are in the order of `compare`. */
  private sorted = 0;

  constructor(compare?: (a: T, b: T) => number) {
    this.compare = compare;
  }

  /** The earliest time; Infinity when nothing waits. */
  get earliest(): Timestamp {
    const first = this.head < this.times.length ? this.times[this.head]! : Infinity;
    const [stray] = this.strays;
    return stray !== undefined && stray.time < first ? stray.time : first;
  }

  add(time: Timestamp, key: Key, value: T): void {
    const { times } = this;
    const { length } = times;
    if (length > this.head && time < times[length - 1]!) return this.addStray({ time, rank: this.ranks++, key, value });
    times.push(time);
    this.keys.push(key);
    this.values.push(value);
  }

  /** Takes the earliest event and leaves it in `time`, `key` and `value`. There must be one. */
  take(): void {
    if (this.compare !== undefined && this.head >= this.sorted) this.sortEqual(this.compare);
    if (this.isStrayFirst()) return this.takeStray();
    const at = this.head++;
    this.time = this.times[at]!;
    this.key = this.keys[at]!;
    this.value = this.values[at];
    this.keys[at] = this.values[at] = undefined;
    if (this.head === this.times.length || (this.head >= SMALLEST_CUT && this.head * 2 >= this.times.length)) this.cut();
  }

  /** All events, in the order in which they would be taken. */
  *entries(): Iterable<StateEntry> {
    const run = this.times
      .slice(this.head)
      .map((time, i) => ({ time, rank: -1, key: this.keys[this.head + i]!, value: this.values[this.head + i] }));
    const all = [...run, ...this.strays].toSorted((a, b) => a.time - b.time || a.rank - b.rank);
    for (const [at, { time, key, value }] of all.entries()) yield { state: 'events', key, userKey: at, value: { time, value } };
  }

  restore({ key, value }: StateEntry): void {
    const stored = value as { readonly time: Timestamp; readonly value: T };
    this.add(stored.time, key, stored.value);
  }

  /** Of one time, what is in the run came first: a stray had a later one before it. */
  private isStrayFirst(): boolean {
    const [stray] = this.strays;
    return stray !== undefined && (this.head === this.times.length || stray.time < this.times[this.head]!);
  }

  /** Where ties are broken, the events of the earliest time are brought to the head of the run, in their order. */
  private sortEqual(compare: (a: T, b: T) => number): void {
    const time = this.earliest;
    let end = this.head;
    while (end < this.times.length && this.times[end] === time) end++;
    const equal: { readonly key: Key; readonly value: T }[] = [];
    for (let at = this.head; at < end; at++) equal.push({ key: this.keys[at]!, value: this.values[at]! });
    while (this.strays.length > 0 && this.strays[0]!.time === time) {
      this.takeStray();
      equal.push({ key: this.key, value: this.value! });
    }
    equal.sort((a, b) => compare(a.value, b.value));
    const count = end - this.head;
    this.times.splice(this.head, count, ...equal.map(() => time));
    this.keys.splice(this.head, count, ...equal.map(({ key }) => key));
    this.values.splice(this.head, count, ...equal.map(({ value }) => value));
    this.sorted = this.head + equal.length;
  }

  private cut(): void {
    const { head } = this;
    if (head === this.times.length) this.times.length = this.keys.length = this.values.length = 0;
    else {
      this.times.splice(0, head);
      this.keys.splice(0, head);
      this.values.splice(0, head);
    }
    this.head = 0;
    this.sorted = Math.max(this.sorted - head, 0);
  }

  private addStray(stray: Stray<T>): void {
    const { strays } = this;
    let at = strays.push(stray) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(stray, strays[parent]!)) break;
      strays[at] = strays[parent]!;
      at = parent;
    }
    strays[at] = stray;
  }

  private takeStray(): void {
    const { strays } = this;
    const { time, key, value } = strays[0]!;
    this.time = time;
    this.key = key;
    this.value = value;
    const last = strays.pop()!;
    if (strays.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= strays.length) break;
      if (child + 1 < strays.length && isBefore(strays[child + 1]!, strays[child]!)) child++;
      if (!isBefore(strays[child]!, last)) break;
      strays[at] = strays[child]!;
      at = child;
    }
    strays[at] = last;
  }
}

function isBefore<T>(a: Stray<T>, b: Stray<T>): boolean {
  return a.time < b.time || (a.time === b.time && a.rank < b.rank);
}
