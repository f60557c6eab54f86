import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import type { SpillFile } from './spill.ts';

/** Runs are written and read in blocks of about this many bytes. */
const BLOCK = 256 * 1024;
/** A block carries its length before it, so that a reader never has to stop within a record. */
const HEADER = 8;

/** Records on disk, in the order in which they were written. */
export class SpilledRun {
  readonly file: SpillFile;
  /** There while the run is written. */
  private block: ByteWriter | undefined;

  /** In a new file, or in one that holds a run. */
  constructor(file: SpillFile) {
    this.file = file;
  }

  /** Where to write the next record: `flush` after each, and `flush(true)` after the last. */
  get writer(): ByteWriter {
    this.block ??= begun(new ByteWriter(BLOCK + 4096));
    return this.block;
  }

  flush(isLast = false): void {
    const block = this.writer;
    if (isLast) this.block = undefined;
    if (block.length < (isLast ? HEADER + 1 : BLOCK)) return;
    block.overwriteFloat64(0, block.length - HEADER);
    this.file.append(block.written());
    block.reset();
    begun(block);
  }

  /** Reads the run from its beginning. */
  read(): SpilledRunReader {
    return new SpilledRunReader(this.file);
  }

  remove(): void {
    this.file.remove();
  }
}

/** Room for the length of a block, which is known at its end. */
function begun(block: ByteWriter): ByteWriter {
  block.float64(0);
  return block;
}

/** Where a run is read. */
export class SpilledRunReader {
  private readonly file: SpillFile;
  private block: ByteReader | undefined;
  private offset = 0;

  constructor(file: SpillFile) {
    this.file = file;
  }

  /** Where the next record begins; `undefined` at the end of the run. */
  next(): ByteReader | undefined {
    if (this.block !== undefined && !this.block.ended) return this.block;
    if (this.offset >= this.file.length) return undefined;
    const length = new ByteReader(this.file.read(this.offset, HEADER)).float64();
    this.block = new ByteReader(this.file.read(this.offset + HEADER, length));
    this.offset += HEADER + length;
    return this.block;
  }
}
