import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import { heapSize, SMALLEST_RUN, type Workspace } from './spill.ts';
import { SpilledRun, type SpilledRunReader } from './spilledRun.ts';

/** How records become bytes when they are spilled, and back. */
export interface RecordFormat<R> {
  write(record: R, writer: ByteWriter): void;
  read(reader: ByteReader): R;
}

/** Records taken one by one, in order. */
export interface Cursor<R> {
  /** The next record, or `undefined` at the end. */
  next(): R | undefined;
}

/** Every so many records one is encoded to learn their size. */
const SAMPLING = 64;

/**
 * Sorts any number of records: in memory as long as the workspace allows, then in sorted runs on disk that are merged at the end.
 * Records that compare as equal keep the order in which they were added.
 */
export class ExternalSorter<R> {
  private readonly compare: (a: R, b: R) => number;
  private readonly format: RecordFormat<R>;
  private readonly workspace: Workspace;
  private readonly sample = new ByteWriter();
  private records: R[] = [];
  private readonly runs: SpilledRun[] = [];
  private held = 0;
  private size = 64;
  private untilSample = 0;

  constructor(compare: (a: R, b: R) => number, format: RecordFormat<R>, workspace: Workspace) {
    this.compare = compare;
    this.format = format;
    this.workspace = workspace;
  }

  add(record: R): void {
    if (this.untilSample-- === 0) this.measure(record);
    this.records.push(record);
    this.held += this.size;
    if (!this.workspace.acquire(this.size) && this.held >= SMALLEST_RUN) this.spill();
  }

  /** All records, in order. May be asked for again, but not while an earlier cursor is in use. */
  sorted(): Cursor<R> {
    this.records.sort(this.compare);
    const memory = arrayCursor(this.records);
    if (this.runs.length === 0) return memory;
    return new Merge([...this.runs.map((run) => new RunCursor(run.read(), this.format)), memory], this.compare);
  }

  dispose(): void {
    for (const run of this.runs) run.remove();
    this.runs.length = 0;
    this.records = [];
    this.workspace.release(this.held);
    this.held = 0;
  }

  private measure(record: R): void {
    this.untilSample = SAMPLING - 1;
    this.sample.reset();
    this.format.write(record, this.sample);
    // A moving average: streams change, and one record may be far from typical.
    this.size += (heapSize(this.sample.length) - this.size) / 8;
  }

  private spill(): void {
    this.records.sort(this.compare);
    const run = new SpilledRun(this.workspace.space!.create());
    const { writer } = run;
    for (const record of this.records) {
      this.format.write(record, writer);
      run.flush();
    }
    run.flush(true);
    this.runs.push(run);
    this.records = [];
    this.workspace.release(this.held);
    this.held = 0;
  }
}

function arrayCursor<R>(records: readonly R[]): Cursor<R> {
  let at = 0;
  return { next: () => records[at++] };
}

class RunCursor<R> implements Cursor<R> {
  private readonly run: SpilledRunReader;
  private readonly format: RecordFormat<R>;

  constructor(run: SpilledRunReader, format: RecordFormat<R>) {
    this.run = run;
    this.format = format;
  }

  next(): R | undefined {
    const reader = this.run.next();
    return reader === undefined ? undefined : this.format.read(reader);
  }
}

/** The smallest of several ordered cursors, again and again: a binary heap of their heads. */
class Merge<R> implements Cursor<R> {
  private readonly heap: { record: R; readonly cursor: Cursor<R>; readonly rank: number }[] = [];
  private readonly compare: (a: R, b: R) => number;

  constructor(cursors: readonly Cursor<R>[], compare: (a: R, b: R) => number) {
    this.compare = compare;
    for (const [rank, cursor] of cursors.entries()) {
      const record = cursor.next();
      if (record !== undefined) this.heap.push({ record, cursor, rank });
    }
    for (let i = (this.heap.length >> 1) - 1; i >= 0; i--) this.down(i);
  }

  next(): R | undefined {
    const top = this.heap[0];
    if (top === undefined) return undefined;
    const { record } = top;
    const following = top.cursor.next();
    if (following !== undefined) top.record = following;
    else {
      const last = this.heap.pop()!;
      if (last !== top) this.heap[0] = last;
    }
    this.down(0);
    return record;
  }

  private before(a: number, b: number): boolean {
    const order = this.compare(this.heap[a]!.record, this.heap[b]!.record);
    return order < 0 || (order === 0 && this.heap[a]!.rank < this.heap[b]!.rank);
  }

  private down(at: number): void {
    const { heap } = this;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && this.before(child + 1, child)) child++;
      if (!this.before(child, at)) return;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  }
}
