import type { StateEntry } from './backend.ts';
import { PlainCell } from './cell.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';

/** Dropped elements are cut off when there are at least this many, and they are half of what is held. */
const SMALLEST_CUT = 32;

/** What a key's buffer is outside of it. */
interface StoredBuffer {
  readonly times: readonly number[];
  readonly values: readonly unknown[];
}

/**
 * Elements of one key in time order, those of one time in order of arrival. Positions run from `start` to `end` and hold until the next
 * `insert` or `dropUntil`. What comes in order costs a push; what does not, moving the later ones.
 */
export class TimeBuffer<V> {
  private readonly times: number[] = [];
  private readonly values: (V | undefined)[] = [];
  private head = 0;

  get start(): number {
    return this.head;
  }

  get end(): number {
    return this.times.length;
  }

  get isEmpty(): boolean {
    return this.head === this.times.length;
  }

  /** The earliest time; +Infinity when there is no element. */
  get earliest(): number {
    return this.isEmpty ? Infinity : this.times[this.head]!;
  }

  timeAt(position: number): number {
    return this.times[position]!;
  }

  valueAt(position: number): V {
    return this.values[position] as V;
  }

  /** The position of the first element at `time` or after it; `end` if there is none. */
  from(time: number): number {
    const { times } = this;
    let low = this.head;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(time: number, value: V): void {
    const { times, values } = this;
    if (this.isEmpty || time >= times[times.length - 1]!) {
      times.push(time);
      values.push(value);
      return;
    }
    // Times are integers: the first at `time + 1` or after it comes behind all that arrived earlier with the same time.
    const at = this.from(time + 1);
    times.splice(at, 0, time);
    values.splice(at, 0, value);
  }

  /** Forgets the elements up to and including `time`. */
  dropUntil(time: number): void {
    const { times, values } = this;
    for (; this.head < times.length && times[this.head]! <= time; this.head++) values[this.head] = undefined;
    if (this.head < SMALLEST_CUT || this.head * 2 < times.length) return;
    times.splice(0, this.head);
    values.splice(0, this.head);
    this.head = 0;
  }

  stored(): StoredBuffer {
    return { times: this.times.slice(this.head), values: this.values.slice(this.head) };
  }
}

/** A {@link TimeBuffer} per key, for keys that hold something. */
export interface TimeBuffers<V> {
  /** The current key's buffer; `undefined` if it holds nothing. */
  find(): TimeBuffer<V> | undefined;
  /** The current key's buffer, an empty one if it had none: the caller inserts something. */
  claim(): TimeBuffer<V>;
  /** Forgets the current key's elements up to and including `time`, and gives the earliest time left, +Infinity if none is. */
  dropUntil(time: number): number;
}

/** Time-ordered buffers on the heap. */
export class MemoryTimeBuffers<V> implements TimeBuffers<V>, StoredState {
  readonly name: string;
  readonly form: StateForm = { kind: 'buffer' };
  private readonly cell: PlainCell<TimeBuffer<V>>;

  constructor(name: string, table: KeyedTable) {
    this.name = name;
    this.cell = new PlainCell(table);
  }

  find(): TimeBuffer<V> | undefined {
    return this.cell.get();
  }

  claim(): TimeBuffer<V> {
    const held = this.cell.getToChange();
    if (held !== undefined) return held;
    const buffer = new TimeBuffer<V>();
    this.cell.set(buffer);
    return buffer;
  }

  dropUntil(time: number): number {
    const buffer = this.cell.get();
    if (buffer === undefined) return Infinity;
    if (buffer.earliest > time) return buffer.earliest;
    this.cell.getToChange();
    buffer.dropUntil(time);
    if (buffer.isEmpty) this.cell.clear();
    return buffer.earliest;
  }

  clear(): void {
    this.cell.clear();
  }

  writeEntries(slot: number, sink: EntrySink): void {
    const buffer = this.cell.read(slot);
    if (buffer !== undefined) sink.entry(this.name, undefined, buffer.stored(), undefined);
  }

  restore(entry: StateEntry): void {
    const { times, values } = entry.value as StoredBuffer;
    const buffer = this.claim();
    for (let i = 0; i < times.length; i++) buffer.insert(times[i]!, values[i] as V);
  }
}
