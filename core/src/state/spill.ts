/** A place for temporary data, such as a directory. */
export interface SpillSpace {
  /** A new file, written once from start to end and read back any number of times, then removed. */
  create(): SpillFile;
}

/** Bytes outside of memory. Synchronous, since it is used between two records of the hot path, in large blocks. */
export interface SpillFile {
  append(bytes: Uint8Array): void;
  /** Reads up to `length` bytes from `offset`. Fewer only at the end. */
  read(offset: number, length: number): Uint8Array;
  readonly length: number;
  remove(): void;
}

/** A file as those find it who go on with what others have written. Plain data. */
export interface KeptFile {
  readonly name: string;
  readonly length: number;
  readonly checksum: number;
}

/** A place for data that outlives who writes it: files have names here, and stay when they are let go. */
export interface KeptSpace extends SpillSpace {
  create(): SpillFile & { readonly kept: KeptFile };
  open(file: KeptFile): SpillFile & { readonly kept: KeptFile };
}

/** About how many bytes a record takes on the heap that takes so many encoded: fields have headers, small records are boxed and held in lists. */
export function heapSize(encoded: number): number {
  return (encoded + 16) * 4;
}

/** Who holds less than this, in bytes, does not spill: many tiny runs would be slower than a little too much memory. */
export const SMALLEST_RUN: number = 4 * 2 ** 20;

/** How much of the memory buffers may take together, where the limit is known. */
const SHARE = 0.25;
/** The limit where it is not known, in bytes. */
const ASSUMED_LIMIT = 2 ** 30;

/** The memory that the buffers of a job share, and where they go when it is short. */
export class Workspace {
  /** Where there is none, everything stays in memory. */
  readonly space: SpillSpace | undefined;
  private readonly budget: number;
  private used = 0;

  constructor(space: SpillSpace | undefined, memoryLimit: number | undefined) {
    this.space = space;
    this.budget = (memoryLimit ?? ASSUMED_LIMIT) * SHARE;
  }

  /** Takes note of `bytes` more in use. False when that is more than there should be: spill, if you hold a good part. */
  acquire(bytes: number): boolean {
    this.used += bytes;
    return this.space === undefined || this.used <= this.budget;
  }

  release(bytes: number): void {
    this.used -= bytes;
  }
}
