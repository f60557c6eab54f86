import type { StateEntry } from './backend.ts';
import type { RecordSink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';

/** What every memory state can do besides serving its handle. */
export interface StoredState {
  readonly name: string;
  /** What must be known to read its entries. */
  readonly form?: StateForm;
  /** Writes a slot's entries: what `entriesOf` gives, without an object for each. */
  writeEntries?(slot: number, sink: RecordSink): void;
  entriesOf(slot: number): Iterable<Pick<StateEntry, 'userKey' | 'value' | 'renewed'>>;
  /** Empties the current key's state. */
  clear(): void;
  /**
   * Drops the current key's state from memory: it is kept as entries, and will be restored. What refers to other structures must go on
   * without it. Default: `clear`. An adopted state without it stays in memory.
   */
  evict?(): void;
  /** Fills the current key's state. */
  restore(entry: StateEntry): void;
}
