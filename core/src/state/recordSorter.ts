import { ByteWriter } from './byteWriter.ts';
import { hashKey, type Key } from './key.ts';
import { ChainedCursor, MergedCursor, PileCursor, type RecordCursor } from './recordCursor.ts';
import { NO_KEY, PILE, type RecordOrder, RecordPile, type SortKey } from './recordPile.ts';
import { heapSize, type KeptFile, type KeptSpace, SMALLEST_RUN, type SpillSpace, type Workspace } from './spill.ts';
import { SpilledRun, type SpilledRunReader } from './spilledRun.ts';
import { ValueCodec } from './valueCodec.ts';

/** Every so many records one is encoded to learn their size. */
const SAMPLING = 64;

/** A part of the records, in order. */
type Part = { readonly pile: RecordPile; readonly order: Uint32Array | null } | SpilledRun;

/** Sorted records in files, for whoever goes on with them. Plain data. */
export interface StoredRecords {
  readonly files: readonly KeptFile[];
  /** Of the codec that wrote them. */
  readonly shapes: readonly (readonly string[])[];
}

/**
 * Any number of records with their times, sorted by key and time, by time alone or not at all: in memory as long as the workspace
 * allows, then in sorted runs on disk that are merged when they are read. Records that compare as equal keep the order in which they were added.
 */
export class RecordSorter {
  private readonly by: RecordOrder;
  private readonly select: (value: never) => Key;
  private readonly workspace: Workspace;
  private readonly isKept: boolean;
  private readonly space: SpillSpace | undefined;
  private readonly codec = new ValueCodec();
  private readonly sample = new ByteWriter();
  private readonly parts: Part[] = [];
  private pile = new RecordPile();
  private held = 0;
  /** What a record takes of memory, in bytes: learned from samples. */
  private size = 128;
  private untilSample = 0;

  /**
   * `select` gives a record's key; it is not called where records are not sorted by it. `isKept`: they can be read more than once. `space`: where
   * they go to be kept for others, instead of to the workspace's.
   */
  constructor(
    by: RecordOrder,
    select: (value: never) => Key,
    workspace: Workspace,
    { isKept = false, space }: { readonly isKept?: boolean; readonly space?: KeptSpace | undefined } = {},
  ) {
    this.by = by;
    this.select = select;
    this.workspace = workspace;
    this.isKept = isKept;
    this.space = space ?? workspace.space;
  }

  add(value: unknown, time: number): void {
    if (this.untilSample-- === 0) this.measure(value);
    if (this.by !== 'key') this.pile.add(value, time, 0, '');
    else this.addKeyed(value, time);
    this.held += this.size;
    if (!this.workspace.acquire(this.size) && this.held >= SMALLEST_RUN) this.spill(this.space!);
    else if (this.pile.length === PILE) this.closePile();
  }

  /** All records, in order, for the input of that number. What was read is let go, unless records are kept. */
  read(input: number): RecordCursor {
    this.closePile();
    const onPassed = this.isKept ? undefined : (records: number) => this.release(records * this.size);
    const cursors = this.parts.map((part) =>
      part instanceof SpilledRun
        ? new SpilledCursor(part.read(), this.codec, this, input)
        : new PileCursor(part.pile, part.order, { input, onPassed }),
    );
    if (cursors.length === 1) return cursors[0]!;
    return this.by === null ? new ChainedCursor(cursors) : new MergedCursor(cursors);
  }

  /** Puts everything into files of `space`, in which they have to be that are there already; from then on it is read from there. */
  store(space: KeptSpace): StoredRecords {
    this.spill(space);
    const files = this.parts.map((part) => (part as SpilledRun).file as ReturnType<KeptSpace['create']>);
    return { files: files.map(({ kept }) => kept), shapes: this.codec.shapes() };
  }

  /** Takes over what another has stored. Before anything is added. */
  restore({ files, shapes }: StoredRecords, space: KeptSpace): void {
    this.codec.learn(shapes);
    this.parts.push(...files.map((file) => new SpilledRun(space.open(file))));
  }

  dispose(): void {
    for (const part of this.parts) if (part instanceof SpilledRun) part.remove();
    this.parts.length = 0;
    this.pile = new RecordPile();
    this.release(this.held);
  }

  /** The key of a record that comes back from disk, where only its hash stands. */
  keyOf(value: unknown): SortKey {
    if (this.by !== 'key') return '';
    try {
      return this.select(value as never);
    } catch {
      return NO_KEY;
    }
  }

  private addKeyed(value: unknown, time: number): void {
    let key: SortKey;
    let hash: number;
    try {
      key = this.select(value as never);
      hash = hashKey(key);
    } catch {
      key = NO_KEY;
      hash = 0;
    }
    this.pile.add(value, time, hash, key);
  }

  private measure(value: unknown): void {
    this.untilSample = SAMPLING - 1;
    this.sample.reset();
    try {
      this.codec.write(value, this.sample);
    } catch {
      // What cannot be encoded may still fit into memory; where it does not, spilling says what is wrong with it.
      return;
    }
    // A moving average: streams change, and one record may be far from typical.
    this.size += (heapSize(this.sample.length) - this.size) / 8;
  }

  private closePile(): void {
    const { pile } = this;
    if (pile.length === 0) return;
    this.parts.push({ pile, order: pile.sort(this.by) });
    this.pile = new RecordPile();
  }

  /** Everything in memory goes to disk, each pile as a run of its own. */
  private spill(space: SpillSpace): void {
    this.closePile();
    for (const [i, part] of this.parts.entries()) {
      if (part instanceof SpilledRun) continue;
      const run = new SpilledRun(space.create());
      try {
        this.write(part.pile, part.order, run);
      } catch (error) {
        run.remove();
        throw error;
      }
      this.parts[i] = run;
    }
    this.release(this.held);
  }

  private write({ values, times, hashes, length }: RecordPile, order: Uint32Array | null, run: SpilledRun): void {
    const { writer } = run;
    for (let i = 0; i < length; i++) {
      const at = order === null ? i : order[i]!;
      writer.float64(times[at]!);
      writer.int32(hashes[at]!);
      this.codec.write(values[at], writer);
      run.flush();
    }
    run.flush(true);
  }

  private release(bytes: number): void {
    const released = Math.min(bytes, this.held);
    this.workspace.release(released);
    this.held -= released;
  }
}

/** A run on disk. */
class SpilledCursor implements RecordCursor {
  value: unknown;
  time = 0;
  hash = 0;
  readonly input: number;
  private known: SortKey | undefined;
  private readonly run: SpilledRunReader;
  private readonly codec: ValueCodec;
  private readonly sorter: RecordSorter;

  constructor(run: SpilledRunReader, codec: ValueCodec, sorter: RecordSorter, input: number) {
    this.run = run;
    this.codec = codec;
    this.sorter = sorter;
    this.input = input;
  }

  /** Most records are told apart by their hashes: the key is only asked for when it matters. */
  get key(): SortKey {
    return (this.known ??= this.sorter.keyOf(this.value));
  }

  advance(): boolean {
    const reader = this.run.next();
    if (reader === undefined) return false;
    this.time = reader.float64();
    this.hash = reader.int32();
    this.value = this.codec.read(reader);
    this.known = undefined;
    return true;
  }
}
