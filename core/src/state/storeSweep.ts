import type { KeptEntry, KeptRecords } from './keptRecords.ts';
import type { Key } from './key.ts';
import type { KeyStore } from './keyStore.ts';
import { type Expiry, isExpired } from './ttl.ts';

/** After so many keys have left memory, so many records in the store are looked at. */
const EVERY = 512;
const LOOKED_AT = 256;

/** What a sweep asks of its backend. */
export interface SweptStore {
  readonly store: () => KeyStore;
  readonly records: KeptRecords;
  readonly keyGroups: number;
  /** The key's record as it is now; `undefined` while the key is in memory, or gone. */
  current(key: Key): Uint8Array | undefined;
  /** All that a key held has expired. */
  drop(key: Key): void;
  fail(error: unknown): void;
}

/** Frees what has expired of keys that nobody asks for and that are not in memory, by and by, as keys are written. */
export class StoreSweep {
  private readonly parts: SweptStore;
  /** Of the states whose content expires by itself. */
  private readonly expiries = new Map<string, Expiry>();
  private written = 0;
  private group = 0;
  private after: Uint8Array | undefined;
  private sweeping: Promise<void> | undefined;
  private isClosed = false;

  constructor(parts: SweptStore) {
    this.parts = parts;
  }

  add(state: string, expiry: Expiry): void {
    if (expiry.sweep) this.expiries.set(state, expiry);
  }

  /** A key has left memory. */
  step(): void {
    if (this.expiries.size === 0 || ++this.written < EVERY || this.sweeping !== undefined || this.isClosed) return;
    this.written = 0;
    this.sweeping = this.sweep()
      .catch((error: unknown) => this.parts.fail(error))
      .finally(() => (this.sweeping = undefined));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.sweeping;
  }

  private async sweep(): Promise<void> {
    const { records, store, keyGroups } = this.parts;
    const snapshot = store().snapshot();
    try {
      const found = await snapshot.scan(records.prefixOf(this.group), this.after, LOOKED_AT);
      if (this.isClosed) return;
      for (const [address, record] of found) if (this.hasExpired(record)) this.dropIfStill(records.keyAt(address));
      this.after = found.at(-1)?.[0];
      if (found.length === LOOKED_AT) return;
      this.after = undefined;
      this.group = (this.group + 1) % keyGroups;
    } finally {
      snapshot.release();
    }
  }

  /** It was some time ago that the record was read. */
  private dropIfStill(key: Key): void {
    const record = this.parts.current(key);
    if (record !== undefined && this.hasExpired(record)) this.parts.drop(key);
  }

  private hasExpired(record: Uint8Array): boolean {
    for (const entry of this.parts.records.decode(record)) if (!this.isOver(entry)) return false;
    return true;
  }

  private isOver({ state, renewed }: KeptEntry): boolean {
    const expiry = this.expiries.get(state);
    if (expiry === undefined || renewed === undefined) return false;
    return typeof renewed === 'number' ? isExpired(expiry, renewed) : renewed.every((each) => isExpired(expiry, each));
  }
}
