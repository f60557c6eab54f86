import type { Key } from './key.ts';

/** Takes what is held for a key, piece by piece. */
export interface EntrySink {
  entry(state: string, userKey: Key | undefined, value: unknown, renewed: number | readonly number[] | undefined): void;
}

/** Where keyed state goes: a record per key, with everything that is held for it. A record without entries says that nothing is. */
export interface RecordSink extends EntrySink {
  begin(key: Key): void;
  end(): void;
}

/** Where a cut goes. */
export interface CutSink extends RecordSink {
  /** A key that is gone since the cut before. Whenever this is said, it comes before all records: the key may have come back. */
  gone(key: Key): void;
}

/** The keyed state of an operator subtask at one moment, being written out while the operator goes on. */
export interface KeyedCut {
  /** Whether it holds everything, or what has changed since the cut before. */
  readonly whole: boolean;
  /** Writes out up to `records` further records. False when all are. */
  step(records: number): boolean;
  /** Where what comes next has to be fetched first: fulfilled when it is there. Until then `step` writes nothing. */
  readonly fetching?: Promise<void> | undefined;
  /** The cut is not wanted any more: what it held counts as changed again. */
  abandon(): void;
}
