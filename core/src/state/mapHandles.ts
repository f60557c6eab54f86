import type { StateEntry } from './backend.ts';
import { PlainCell } from './cell.ts';
import type { MapState } from './descriptor.ts';
import type { Key } from './key.ts';
import type { KeyedTable } from './keyedTable.ts';
import { keyOfNative, nativeKey } from './nativeKey.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';
import { Sweep } from './sweep.ts';
import { type Expiry, isExpired, type Timed } from './ttl.ts';
import type { ValueForm } from './valueForm.ts';

/** The part that a plain and an expiring map share: a native map per key, present only while it holds something. */
abstract class NativeMapState<C, V> implements StoredState {
  readonly name: string;
  readonly form: StateForm;
  protected readonly contents: ValueForm<V>;
  protected readonly cell: PlainCell<Map<unknown, C>>;

  constructor(contents: ValueForm<V>, table: KeyedTable) {
    this.name = contents.name;
    this.form = contents.form;
    this.contents = contents;
    this.cell = new PlainCell(table);
  }

  remove(key: Key): void {
    const map = this.cell.getToChange();
    if (map !== undefined && map.delete(nativeKey(key)) && map.size === 0) this.cell.clear();
  }

  clear(): void {
    this.cell.clear();
  }

  protected store(key: Key, content: C): void {
    const map = this.cell.getToChange();
    if (map === undefined) this.cell.set(new Map([[nativeKey(key), content]]));
    else map.set(nativeKey(key), content);
  }

  abstract writeEntries(slot: number, sink: EntrySink): void;
  abstract restore(entry: StateEntry): void;
}

export class MemoryMapState<K extends Key, V> extends NativeMapState<V, V> implements MapState<K, V> {
  get(key: K): V | undefined {
    return this.cell.get()?.get(nativeKey(key));
  }

  has(key: K): boolean {
    return this.cell.get()?.has(nativeKey(key)) ?? false;
  }

  put(key: K, value: V): void {
    this.store(key, value);
  }

  *entries(): Iterable<[K, V]> {
    const map = this.cell.get();
    if (map !== undefined) for (const [key, value] of map) yield [keyOfNative(key) as K, value];
  }

  *keys(): Iterable<K> {
    for (const [key] of this.entries()) yield key;
  }

  values(): Iterable<V> {
    return this.cell.get()?.values() ?? [];
  }

  isEmpty(): boolean {
    return this.cell.get() === undefined;
  }

  writeEntries(slot: number, sink: EntrySink): void {
    const map = this.cell.read(slot);
    if (map === undefined) return;
    for (const [key, value] of map) sink.entry(this.name, keyOfNative(key), this.contents.encode(value), undefined);
  }

  restore(entry: StateEntry): void {
    this.store(entry.userKey as Key, this.contents.decode(entry.value, entry.form));
  }
}

/** A map whose entries expire one by one. */
export class ExpiringMapState<K extends Key, V> extends NativeMapState<Timed<V>, V> implements MapState<K, V> {
  private readonly expiry: Expiry;
  private readonly sweep: Sweep;

  constructor(contents: ValueForm<V>, table: KeyedTable, expiry: Expiry) {
    super(contents, table);
    this.expiry = expiry;
    this.sweep = new Sweep(table, (slot) => this.expire(slot));
  }

  get(key: K): V | undefined {
    const timed = this.cell.get()?.get(nativeKey(key));
    if (timed === undefined) return undefined;
    return this.visible(key, timed) ? timed.value : undefined;
  }

  has(key: K): boolean {
    const timed = this.cell.get()?.get(nativeKey(key));
    return timed !== undefined && this.visible(key, timed);
  }

  put(key: K, value: V): void {
    // What has expired is gone, cleaned up or not: its successor comes last, as after a restore.
    const before = this.cell.get()?.get(nativeKey(key));
    if (before !== undefined && isExpired(this.expiry, before.renewed)) this.remove(key);
    this.store(key, { value, renewed: this.expiry.clock.now() });
    if (this.expiry.sweep) this.sweep.step();
  }

  *entries(): Iterable<[K, V]> {
    for (const [native, timed] of this.cell.get() ?? []) {
      const key = keyOfNative(native) as K;
      if (this.visible(key, timed)) yield [key, timed.value];
    }
  }

  *keys(): Iterable<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Iterable<V> {
    for (const [, value] of this.entries()) yield value;
  }

  isEmpty(): boolean {
    for (const _ of this.entries()) return false;
    return true;
  }

  writeEntries(slot: number, sink: EntrySink): void {
    for (const [key, timed] of this.cell.read(slot) ?? []) {
      if (isExpired(this.expiry, timed.renewed)) continue;
      sink.entry(this.name, keyOfNative(key), this.contents.encode(timed.value), timed.renewed);
    }
  }

  restore(entry: StateEntry): void {
    const renewed = (entry.renewed as number | undefined) ?? this.expiry.clock.now();
    this.store(entry.userKey as Key, { value: this.contents.decode(entry.value, entry.form), renewed });
  }

  private expire(slot: number): void {
    const map = this.cell.read(slot);
    if (map === undefined) return;
    const expired = [...map].filter(([, { renewed }]) => isExpired(this.expiry, renewed));
    if (expired.length > 0) this.cell.touch(slot);
    for (const [native] of expired) map.delete(native);
    if (map.size === 0) this.cell.empty(slot);
  }

  /** Whether a read may see the entry. What has expired is removed by the way. */
  private visible(key: K, timed: Timed<V>): boolean {
    if (isExpired(this.expiry, timed.renewed)) {
      this.remove(key);
      return this.expiry.returnExpired;
    }
    if (this.expiry.renewOnRead) {
      this.cell.getToChange();
      timed.renewed = this.expiry.clock.now();
    }
    return true;
  }
}
