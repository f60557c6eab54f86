import type { StateEntry } from './backend.ts';
import { PlainCell } from './cell.ts';
import type { ListState } from './descriptor.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';
import { Sweep } from './sweep.ts';
import { type Expiry, isExpired, type Timed } from './ttl.ts';
import type { ValueForm } from './valueForm.ts';

const EMPTY: readonly never[] = [];

export class MemoryListState<V> implements ListState<V>, StoredState {
  readonly name: string;
  readonly form: StateForm;
  private readonly valueForm: ValueForm<V>;
  private readonly cell: PlainCell<V[]>;

  constructor(values: ValueForm<V>, table: KeyedTable) {
    this.name = values.name;
    this.form = values.form;
    this.valueForm = values;
    this.cell = new PlainCell(table);
  }

  get(): Iterable<V> {
    return this.cell.get() ?? EMPTY;
  }

  add(value: V): void {
    const items = this.cell.getToChange();
    if (items === undefined) this.cell.set([value]);
    else items.push(value);
  }

  update(values: readonly V[]): void {
    if (values.length === 0) this.cell.clear();
    else this.cell.set([...values]);
  }

  clear(): void {
    this.cell.clear();
  }

  writeEntries(slot: number, sink: EntrySink): void {
    const value = this.cell.read(slot);
    if (value !== undefined)
      sink.entry(
        this.name,
        undefined,
        value.map((item) => this.valueForm.encode(item)),
        undefined,
      );
  }

  restore(entry: StateEntry): void {
    this.update((entry.value as readonly unknown[]).map((item) => this.valueForm.decode(item, entry.form)));
  }
}

/** A list whose items expire one by one. */
export class ExpiringListState<V> implements ListState<V>, StoredState {
  readonly name: string;
  readonly form: StateForm;
  private readonly valueForm: ValueForm<V>;
  private readonly cell: PlainCell<Timed<V>[]>;
  private readonly expiry: Expiry;
  private readonly sweep: Sweep;

  constructor(values: ValueForm<V>, table: KeyedTable, expiry: Expiry) {
    this.name = values.name;
    this.form = values.form;
    this.valueForm = values;
    this.cell = new PlainCell(table);
    this.expiry = expiry;
    this.sweep = new Sweep(table, (slot) => this.expire(slot));
  }

  get(): Iterable<V> {
    const items = this.expiry.renewOnRead ? this.cell.getToChange() : this.cell.get();
    if (items === undefined) return EMPTY;
    const kept = items.filter((item) => !isExpired(this.expiry, item.renewed));
    const seen = this.expiry.returnExpired ? items : kept;
    if (kept.length === 0) this.cell.clear();
    else if (kept.length < items.length) this.cell.set(kept);
    if (this.expiry.renewOnRead) for (const item of kept) item.renewed = this.expiry.clock.now();
    return seen.map((item) => item.value);
  }

  add(value: V): void {
    const item = { value, renewed: this.expiry.clock.now() };
    const items = this.cell.getToChange();
    if (items === undefined) this.cell.set([item]);
    else items.push(item);
    if (this.expiry.sweep) this.sweep.step();
  }

  update(values: readonly V[]): void {
    if (values.length === 0) return this.cell.clear();
    const renewed = this.expiry.clock.now();
    this.cell.set(values.map((value) => ({ value, renewed })));
    if (this.expiry.sweep) this.sweep.step();
  }

  clear(): void {
    this.cell.clear();
  }

  writeEntries(slot: number, sink: EntrySink): void {
    const items = this.cell.read(slot)?.filter((item) => !isExpired(this.expiry, item.renewed));
    if (items === undefined || items.length === 0) return;
    const values = items.map((item) => this.valueForm.encode(item.value));
    const renewed = items.map((item) => item.renewed);
    sink.entry(this.name, undefined, values, renewed);
  }

  /** Items from state without a time to live count from now. */
  restore(entry: StateEntry): void {
    const times = entry.renewed as readonly number[] | undefined;
    const now = this.expiry.clock.now();
    const items = entry.value as readonly unknown[];
    this.cell.set(items.map((item, i) => ({ value: this.valueForm.decode(item, entry.form), renewed: times?.[i] ?? now })));
  }

  private expire(slot: number): void {
    const items = this.cell.read(slot);
    if (items === undefined) return;
    const kept = items.filter((item) => !isExpired(this.expiry, item.renewed));
    if (kept.length === 0) this.cell.empty(slot);
    else if (kept.length < items.length) {
      this.cell.touch(slot);
      this.cell.write(slot, kept);
    }
  }
}
