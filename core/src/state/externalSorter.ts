import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import type { SpillFile, Workspace } from './spill.ts';

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

/** A record on the heap takes about this many times its encoded size. */
const HEAP_FACTOR = 4;
/** Every so many records one is encoded to learn their size. */
const SAMPLING = 64;
/** A sorter that holds less than this, in bytes, does not spill: many tiny runs would be slower than a little too much memory. */
const SMALLEST_RUN = 4 * 2 ** 20;
/** Runs are written and read in blocks of about this many bytes. */
const BLOCK = 256 * 1024;

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
  private readonly runs: SpillFile[] = [];
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
    return new Merge([...this.runs.map((run) => new RunCursor(run, this.format)), memory], this.compare);
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
    this.size += (this.sample.length * HEAP_FACTOR - this.size) / 8;
  }

  private spill(): void {
    this.records.sort(this.compare);
    const run = this.workspace.space!.create();
    const writer = new ByteWriter(BLOCK + 4096);
    for (const record of this.records) {
      this.format.write(record, writer);
      if (writer.length < BLOCK) continue;
      appendBlock(run, writer);
    }
    appendBlock(run, writer);
    this.runs.push(run);
    this.records = [];
    this.workspace.release(this.held);
    this.held = 0;
  }
}

/** Blocks carry their length, so that a reader never has to stop within a record. */
function appendBlock(run: SpillFile, writer: ByteWriter): void {
  if (writer.length === 0) return;
  const header = new ByteWriter(16);
  header.float64(writer.length);
  run.append(header.written());
  run.append(writer.written());
  writer.reset();
}

function arrayCursor<R>(records: readonly R[]): Cursor<R> {
  let at = 0;
  return { next: () => records[at++] };
}

class RunCursor<R> implements Cursor<R> {
  private readonly run: SpillFile;
  private readonly format: RecordFormat<R>;
  private reader: ByteReader | undefined;
  private offset = 0;

  constructor(run: SpillFile, format: RecordFormat<R>) {
    this.run = run;
    this.format = format;
  }

  next(): R | undefined {
    if ((this.reader === undefined || this.reader.ended) && !this.nextBlock()) return undefined;
    return this.format.read(this.reader!);
  }

  private nextBlock(): boolean {
    if (this.offset >= this.run.length) return false;
    const length = new ByteReader(this.run.read(this.offset, 8)).float64();
    this.reader = new ByteReader(this.run.read(this.offset + 8, length));
    this.offset += 8 + length;
    return true;
  }
}

/** The smallest of several ordered cursors, again and again: a binary heap of their heads. */
export class Merge<R> implements Cursor<R> {
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
