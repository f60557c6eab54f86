/** A change of a record: its bytes, or `undefined` where it goes. */
export interface RecordChange {
  readonly key: Uint8Array;
  readonly record: Uint8Array | undefined;
}

/** Records outside of memory, by keys of bytes that begin with those of their key group. It need not outlive the process. */
export interface KeyStore {
  /** What was written last for a key. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Makes changes. Until they are made, `get` may give what was there before. One call after the other. */
  write(changes: Iterable<RecordChange>): Promise<void>;
  /** The records at this moment. */
  snapshot(): StoreSnapshot;
  /** Ends the store and removes what it holds. */
  close(): Promise<void>;
}

/** The records of a store at one moment. */
export interface StoreSnapshot {
  get(key: Uint8Array): Uint8Array | undefined;
  /** Records whose keys begin with `prefix` and stand behind `after`, in the order of the keys; up to `limit` of them. */
  scan(
    prefix: Uint8Array,
    after: Uint8Array | undefined,
    limit: number,
  ): Promise<readonly (readonly [key: Uint8Array, record: Uint8Array])[]>;
  release(): void;
}
