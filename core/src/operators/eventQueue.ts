import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import { TimerQueue } from '../state/timerQueue.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Operator } from './operator.ts';

/** What was taken is cut off the run when there is at least this much of it, and it is half of what is held. */
const SMALLEST_CUT = 1024;

/**
 * Elements of all keys of a subtask that wait for their time: taken in time order, those of one time in the order in which they came.
 * What comes in order is appended to a run; only what does not goes through a heap. Keyed state of its operator, through
 * {@link queuesAsState}.
 */
export class EventQueue<V> {
  /** Names the state. */
  readonly name: string;
  /** The element that {@link take} took last. */
  time: Timestamp = 0;
  key: Key = '';
  value: V | undefined;

  private readonly times: Timestamp[] = [];
  private readonly keys: (Key | undefined)[] = [];
  private readonly values: (V | undefined)[] = [];
  private head = 0;
  /** What came after something later: a heap of places in the arrays below. The latest element of all is always in the run. */
  private readonly disordered = new TimerQueue();
  private readonly strayTimes: Timestamp[] = [];
  private readonly strayRanks: number[] = [];
  private readonly strayKeys: (Key | undefined)[] = [];
  private readonly strayValues: (V | undefined)[] = [];
  private readonly freePlaces: number[] = [];
  private ranks = 0;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.times.length - this.head + this.disordered.size;
  }

  /** The earliest time; +Infinity when nothing waits. */
  get earliest(): Timestamp {
    if (this.head === this.times.length) return Infinity;
    const first = this.times[this.head]!;
    const stray = this.disordered.earliest;
    return first <= stray ? first : stray;
  }

  add(time: Timestamp, key: Key, value: V): void {
    const { times } = this;
    if (times.length > 0 && time < times[times.length - 1]!) return this.addStray(time, key, value);
    times.push(time);
    this.keys.push(key);
    this.values.push(value);
  }

  /** Takes the earliest element and leaves it in `time`, `key` and `value`. There must be one. */
  take(): void {
    const at = this.head;
    // At equal times the run's came first: a stray element had a later one before it.
    if (this.disordered.earliest < this.times[at]!) return this.takeStray();
    this.time = this.times[at]!;
    this.key = this.keys[at]!;
    this.value = this.values[at];
    this.keys[at] = this.values[at] = undefined;
    this.head++;
    if (this.head === this.times.length) this.empty();
    else if (this.head >= SMALLEST_CUT && this.head * 2 >= this.times.length) this.cut(this.head);
  }

  /** All elements in the order in which they would be taken. Each has a number of its own as its address. */
  *entries(): Iterable<StateEntry> {
    const places = [...this.strayTimes.keys()].filter((place) => this.strayKeys[place] !== undefined);
    places.sort((a, b) => this.strayTimes[a]! - this.strayTimes[b]! || this.strayRanks[a]! - this.strayRanks[b]!);
    let stray = 0;
    let position = 0;
    for (let at = this.head; at < this.times.length; at++) {
      for (; stray < places.length && this.strayTimes[places[stray]!]! < this.times[at]!; stray++) {
        const place = places[stray]!;
        yield this.entry(position++, this.strayTimes[place]!, this.strayKeys[place]!, this.strayValues[place]);
      }
      yield this.entry(position++, this.times[at]!, this.keys[at]!, this.values[at]);
    }
  }

  restore({ key, value }: StateEntry): void {
    const stored = value as { readonly time: Timestamp; readonly value: V };
    this.add(stored.time, key, stored.value);
  }

  private entry(position: number, time: Timestamp, key: Key, value: V | undefined): StateEntry {
    return { state: this.name, key, userKey: position, value: { time, value } };
  }

  private addStray(time: Timestamp, key: Key, value: V): void {
    const place = this.freePlaces.pop() ?? this.strayTimes.length;
    this.strayTimes[place] = time;
    this.strayRanks[place] = this.ranks++;
    this.strayKeys[place] = key;
    this.strayValues[place] = value;
    this.disordered.set(place, 0, time);
  }

  private takeStray(): void {
    this.disordered.pop();
    const place = this.disordered.slot;
    this.time = this.disordered.time;
    this.key = this.strayKeys[place]!;
    this.value = this.strayValues[place];
    this.strayKeys[place] = this.strayValues[place] = undefined;
    this.freePlaces.push(place);
  }

  private empty(): void {
    this.times.length = this.keys.length = this.values.length = 0;
    this.head = 0;
  }

  private cut(count: number): void {
    this.times.splice(0, count);
    this.keys.splice(0, count);
    this.values.splice(0, count);
    this.head = 0;
  }
}

/** The part of an operator that saves and restores its queues. */
export function queuesAsState(queues: readonly EventQueue<unknown>[]): Required<Pick<Operator, 'entries' | 'restoreEntry'>> {
  return {
    *entries() {
      for (const queue of queues) yield* queue.entries();
    },
    restoreEntry(entry) {
      const queue = queues.find(({ name }) => name === entry.state);
      if (queue !== undefined) return queue.restore(entry);
      throw new MillraceError('state/restore', `The snapshot holds a state "${entry.state}" that the operator does not have.`, {
        remedy: 'The snapshot belongs to another operator, or to another version of this one: give the operator a uid of its own.',
      });
    },
  };
}
