import type { StateEntry } from './backend.ts';

/** What every memory state can do besides serving its handle. */
export interface StoredState {
  readonly name: string;
  entriesOf(slot: number): Iterable<Pick<StateEntry, 'userKey' | 'value' | 'renewed'>>;
  /** Empties the current key's state. */
  clear(): void;
  /** Fills the current key's state. */
  restore(entry: StateEntry): void;
}
