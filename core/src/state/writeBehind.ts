import type { Key } from './key.ts';
import type { KeyStore, RecordChange, StoreSnapshot } from './keyStore.ts';
import { nativeKey } from './nativeKey.ts';

/** Changes are written in batches of about this many bytes. */
const BATCH = 512 * 1024;
/** With more bytes than this on their way, no further elements are taken. */
const MOST_WAITING = 8 * 2 ** 20;
/** What a change costs beside its bytes. */
const OVERHEAD = 64;

/** What the writes of a backend ask of its operator. */
export interface Backpressure {
  /** Takes no further elements, and takes them again. Calls come in pairs. */
  block(): void;
  unblock(): void;
  /** A write has failed. */
  fail(error: unknown): void;
  /** The error as one of the operator's own: no fault of the element that it is at. */
  placed(error: unknown): unknown;
}

/** Changes that have not been written yet, by the native form of their keys. */
export type ChangeLayer = ReadonlyMap<unknown, RecordChange>;

/** A moment of a backend's records. */
export interface RecordsMoment {
  /** What had not been written, newest first. */
  readonly layers: readonly ChangeLayer[];
  readonly snapshot: StoreSnapshot;
}

/**
 * Records on their way to the store. They are read from here until they have arrived. Changes gather in a layer; full layers are written
 * one after the other, while the operator goes on.
 */
export class WriteBehind {
  private readonly store: () => KeyStore;
  private readonly backpressure: Backpressure;
  private readonly batch: number;
  /** Newest first. The last is being written, if any is. */
  private layers: Map<unknown, RecordChange>[] = [new Map()];
  private gathered = 0;
  private waiting = 0;
  private writing: Promise<void> | undefined;
  private isBlocked = false;
  private failure: { readonly error: unknown } | undefined;
  /** While set, nobody is told that too much waits: whoever restores asks {@link settling}. */
  quiet = false;

  constructor(store: () => KeyStore, backpressure: Backpressure, batch: number = BATCH) {
    this.batch = batch;
    this.store = store;
    this.backpressure = backpressure;
  }

  get(key: Key, addressOf: (key: Key) => Uint8Array): Uint8Array | undefined {
    if (this.failure !== undefined) throw this.backpressure.placed(this.failure.error);
    const native = nativeKey(key);
    for (let i = 0; i < this.layers.length; i++) {
      const change = this.layers[i]!.get(native);
      if (change !== undefined) return change.record;
    }
    try {
      return this.store().get(addressOf(key));
    } catch (error) {
      throw this.backpressure.placed(error);
    }
  }

  put(key: Key, address: Uint8Array, record: Uint8Array | undefined): void {
    if (this.failure !== undefined) throw this.backpressure.placed(this.failure.error);
    this.layers[0]!.set(nativeKey(key), { key: address, record });
    const bytes = address.length + (record?.length ?? 0) + OVERHEAD;
    this.gathered += bytes;
    this.waiting += bytes;
    if (this.gathered >= this.batch) this.seal();
    if (this.waiting < MOST_WAITING || this.isBlocked || this.quiet) return;
    this.isBlocked = true;
    this.backpressure.block();
  }

  /** A promise while too much is on its way. */
  settling(): Promise<void> | undefined {
    return this.waiting < MOST_WAITING ? undefined : this.writing;
  }

  moment(): RecordsMoment {
    this.seal();
    return { layers: this.layers.slice(1), snapshot: this.store().snapshot() };
  }

  /** When what is being written has been. Then nothing uses the store any more. */
  async close(): Promise<void> {
    this.failure ??= { error: undefined };
    await this.writing;
  }

  private seal(): void {
    if (this.gathered === 0) return;
    this.gathered = 0;
    this.layers = [new Map(), ...this.layers];
    this.writing ??= this.writeAll();
  }

  private async writeAll(): Promise<void> {
    while (this.layers.length > 1 && this.failure === undefined) {
      const layer = this.layers.at(-1)!;
      try {
        await this.store().write(layer.values());
      } catch (error) {
        this.fail(error);
        break;
      }
      this.layers = this.layers.slice(0, -1);
      for (const { key, record } of layer.values()) this.waiting -= key.length + (record?.length ?? 0) + OVERHEAD;
      if (this.waiting < MOST_WAITING / 2) this.unblock();
    }
    this.writing = undefined;
  }

  private fail(error: unknown): void {
    if (this.failure !== undefined) return;
    this.failure = { error };
    this.unblock();
    this.backpressure.fail(error);
  }

  private unblock(): void {
    if (!this.isBlocked) return;
    this.isBlocked = false;
    this.backpressure.unblock();
  }
}
