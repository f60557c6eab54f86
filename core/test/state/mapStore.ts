import type { KeyStore, RecordChange, StoreSnapshot } from '../../src/state/keyStore.ts';

type Scanned = readonly (readonly [Uint8Array, Uint8Array])[];

/** A store in memory whose writes take a turn. */
export class MapStore implements KeyStore {
  private records = new Map<string, Uint8Array>();
  /** Thrown by the next write. */
  failure: Error | undefined;
  writes = 0;
  isClosed = false;

  get size(): number {
    return this.records.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.records.get(text(key));
  }

  async write(changes: Iterable<RecordChange>): Promise<void> {
    this.writes++;
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    for (const { key, record } of changes) {
      // Copied, as any store does.
      if (record === undefined) this.records.delete(text(key));
      else this.records.set(text(key), record.slice());
    }
  }

  snapshot(): StoreSnapshot {
    const records = new Map(this.records);
    const sorted = [...records.keys()].sort();
    return {
      get: (key) => records.get(text(key)),
      scan: async (prefix, after, limit): Promise<Scanned> => {
        await Promise.resolve();
        const from = after === undefined ? '' : text(after);
        const start = text(prefix);
        const found = sorted.filter((key) => key.startsWith(start) && key > from).slice(0, limit);
        return found.map((key) => [bytes(key), records.get(key)!] as const);
      },
      release: () => undefined,
    };
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

function bytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1');
}
