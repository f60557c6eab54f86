import { MillraceError } from '../errors/millraceError.ts';
import type { Clock } from './clock.ts';
import { type Duration, toNonNegativeMilliseconds } from './duration.ts';
import { addSaturating, type Timestamp } from './timestamp.ts';

interface Call {
  readonly time: Timestamp;
  readonly callback: () => void;
}

/**
 * A clock that moves only when it is told to: time as a value, for tests, harnesses and batch mode.
 *
 * @example
 * const clock = new ManualClock(0);
 * clock.schedule(10, () => console.log('ten'));
 * clock.advanceTo(25); // ten
 */
export class ManualClock implements Clock {
  private time: Timestamp;
  private readonly start: Timestamp;
  /** By time, and in the order of scheduling where times are equal. */
  private readonly calls: Call[] = [];

  constructor(start: Timestamp = 0) {
    this.time = start;
    this.start = start;
  }

  /** The time that it was moved to, in ms. */
  now(): Timestamp {
    return this.time;
  }

  /** How far it was moved since it was made, in ms. */
  monotonic(): number {
    return this.time - this.start;
  }

  /** Calls back once, when the clock is moved to `time` or past it. The result cancels it. */
  schedule(time: Timestamp, callback: () => void): () => void {
    const call = { time, callback };
    let low = 0;
    for (let high = this.calls.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((this.calls[middle] as Call).time <= time) low = middle + 1;
      else high = middle;
    }
    this.calls.splice(low, 0, call);
    return () => {
      const index = this.calls.indexOf(call);
      if (index >= 0) this.calls.splice(index, 1);
    };
  }

  /** The time of the earliest call that is waiting, `undefined` when none is. It may have passed already. */
  next(): Timestamp | undefined {
    return this.calls[0]?.time;
  }

  /**
   * Moves to `time`, running what is due on the way in the order of time, also what is scheduled on the way. In a call the
   * clock shows the time for which it was scheduled. What is overdue runs even if the clock stays where it is.
   *
   * @throws MillraceError `timestamp/invalid` for a time before now, or none. What a call throws ends the move there.
   */
  advanceTo(time: Timestamp): void {
    if (!(time >= this.time)) {
      throw new MillraceError('timestamp/invalid', `The clock stands at ${this.time} and cannot go to ${time}.`, {
        remedy: 'Move it forwards.',
      });
    }
    for (let call = this.calls[0]; call !== undefined && call.time <= time; call = this.calls[0]) {
      this.calls.shift();
      if (call.time > this.time) this.time = call.time;
      call.callback();
    }
    // A callback may have moved the clock further than this.
    if (time > this.time) this.time = time;
  }

  /** Moves by a length of time: see {@link advanceTo}. */
  advanceBy(duration: Duration): void {
    this.advanceTo(addSaturating(this.time, toNonNegativeMilliseconds(duration, 'advanceBy')));
  }
}
