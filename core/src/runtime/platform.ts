import type { Clock } from '../time/clock.ts';

/** What the engine asks of its host. */
export interface Platform {
  readonly clock: Clock;
  /** Calls back in a later turn of the event loop, after waiting I/O had its turn. */
  later(callback: () => void): void;
  /** Storage for what does not fit into memory; where there is none, everything stays in memory. */
  readonly spill?: SpillSpace;
}

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
