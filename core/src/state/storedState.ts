import type { StateEntry } from './backend.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';

/** What every memory state can do besides serving its handle. */
export interface StoredState {
  readonly name: string;
  /** What must be known to read its entries. */
  readonly form?: StateForm;
  /** Writes what is held for the key of a slot: without an object for each piece, since a checkpoint asks for millions. */
  writeEntries(slot: number, sink: EntrySink): void;
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

/** What a state holds for the key of a slot, as objects. */
export function entriesOf(state: Pick<StoredState, 'writeEntries'>, slot: number): Omit<StateEntry, 'key'>[] {
  const entries: Omit<StateEntry, 'key'>[] = [];
  state.writeEntries(slot, {
    entry(name, userKey, value, renewed) {
      entries.push({ state: name, userKey, value, renewed });
    },
  });
  return entries;
}
