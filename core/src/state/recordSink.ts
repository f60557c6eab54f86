import type { Key } from './key.ts';

/** Where the keyed state of a snapshot goes: a record per key, with everything that is held for it. A record without entries says that nothing is. */
export interface RecordSink {
  begin(key: Key): void;
  entry(state: string, userKey: Key | undefined, value: unknown, renewed: number | readonly number[] | undefined): void;
  end(): void;
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
