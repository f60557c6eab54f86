import type { Timestamp } from '@millrace/core';

/** A key's elements that wait for their time, in time order; those of one time in the order in which they came. Plain data. */
export interface Waiting<T> {
  times: Timestamp[];
  values: T[];
  /** Where the first one stands. */
  head: number;
}

/** What was taken is cut off when there is at least this much of it, and it is half of what is held. */
const SMALLEST_CUT = 64;

export function addWaiting<T>(waiting: Waiting<T>, time: Timestamp, value: T): void {
  const { times, values, head } = waiting;
  let at = times.length;
  while (at > head && times[at - 1]! > time) at--;
  if (at === times.length) {
    times.push(time);
    values.push(value);
    return;
  }
  times.splice(at, 0, time);
  values.splice(at, 0, value);
}

/** Takes the first one. There must be one. */
export function takeWaiting<T>(waiting: Waiting<T>): T {
  const value = waiting.values[waiting.head]!;
  waiting.values[waiting.head] = undefined as T;
  waiting.head++;
  if (waiting.head >= SMALLEST_CUT && waiting.head * 2 >= waiting.times.length) {
    waiting.times.splice(0, waiting.head);
    waiting.values.splice(0, waiting.head);
    waiting.head = 0;
  }
  return value;
}

/** The time of the first one; +Infinity when nothing waits. */
export function earliestWaiting(waiting: Waiting<unknown> | undefined): Timestamp {
  return waiting === undefined || waiting.head === waiting.times.length ? Infinity : waiting.times[waiting.head]!;
}
