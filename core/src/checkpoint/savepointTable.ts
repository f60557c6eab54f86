import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { StateDescriptor } from '../state/descriptor.ts';
import { checkKey, type Key, keyText } from '../state/key.ts';
import type { StateForm } from '../state/stateForm.ts';
import { MemoryBackend } from '../state/memoryBackend.ts';
import { encodedEntry } from './codedValues.ts';
import { systemClock } from '../time/systemClock.ts';

/** States that are written, by name: their descriptors, or `raw` for those that have none, such as `(timers)` and the `aggregates` of a keyed stream. */
export type WrittenStates = Readonly<Record<string, StateDescriptor<unknown> | 'raw'>>;

/** A piece of keyed state to be written. */
export interface WrittenEntry {
  readonly state: string;
  readonly key: Key;
  /** The key inside a map state, or the name of a timer. */
  readonly userKey?: Key | undefined;
  /** The content, as a savepoint gives it: of a list the whole array, of an aggregate the accumulator. */
  readonly value?: unknown;
  /** In place of `value`, for lists, reducing and aggregating states: folded into what is there, as the handle's `add` does. */
  readonly add?: unknown;
  /** When it was renewed, for state that expires. Default: now. */
  readonly renewed?: number | readonly number[] | undefined;
}

/** The keyed state of one operator, being gathered. */
export class SavepointTable {
  private readonly uid: string;
  private readonly backend = new MemoryBackend(systemClock);
  private readonly states: WrittenStates;
  private readonly handles = new Map<string, unknown>();
  /** What has no descriptor, by key. */
  private readonly rawForms = new Map<string, StateForm>();
  private readonly raw = new Map<string, { readonly key: Key; readonly entries: StateEntry[] }>();

  constructor(uid: string, states: WrittenStates) {
    this.uid = uid;
    this.states = states;
    for (const [name, descriptor] of Object.entries(states)) {
      if (descriptor !== 'raw') this.handles.set(name, this.backend.open(name, descriptor));
    }
  }

  /**
   * Takes an entry in.
   *
   * @throws MillraceError `state/restore` for an entry that its state cannot hold; `key/invalid`
   */
  put(given: WrittenEntry): void {
    const entry = encodedEntry(given as StateEntry & WrittenEntry);
    const { state, key } = entry;
    const descriptor = Object.hasOwn(this.states, state) ? this.states[state] : undefined;
    if (descriptor === undefined) throw this.refused(state, 'is not declared', `Declare it: state: { ${state}: … }.`);
    checkKey(key);
    if ('add' in entry) return this.fold(entry, descriptor);
    if (descriptor === 'raw') return this.keep(entry);
    this.checkValue(entry, descriptor);
    // A value that comes from no savepoint is as the state has it now, and not as its codec writes it.
    const form = entry.form ?? { kind: descriptor.kind, version: descriptor.options.version };
    this.backend.restore({ ...(entry as StateEntry), form });
  }

  /** How the values of a state are written. */
  formOf(state: string): StateForm | undefined {
    return this.backend.formOf(state) ?? this.rawForms.get(state);
  }

  /** Takes in an entry of an earlier savepoint as it is. */
  keep(entry: WrittenEntry & Pick<StateEntry, 'form'>): void {
    if (entry.form !== undefined) this.rawForms.set(entry.state, entry.form);
    const address = keyText(entry.key);
    const held = this.raw.get(address);
    if (held === undefined) this.raw.set(address, { key: entry.key, entries: [entry as StateEntry] });
    else held.entries.push(entry as StateEntry);
  }

  /** Everything, a record per key. The table is then empty of what has no descriptor. */
  *records(): Generator<{ readonly key: Key; readonly entries: readonly StateEntry[] }> {
    let record: { readonly key: Key; readonly entries: StateEntry[] } | undefined;
    for (const entry of this.backend.entries()) {
      if (record?.key !== entry.key) {
        if (record !== undefined) yield record;
        record = { key: entry.key, entries: this.takeRaw(entry.key) };
      }
      record.entries.push(entry);
    }
    if (record !== undefined) yield record;
    yield* this.raw.values();
  }

  private takeRaw(key: Key): StateEntry[] {
    const address = keyText(key);
    const held = this.raw.get(address);
    this.raw.delete(address);
    return held?.entries ?? [];
  }

  private checkValue({ state, userKey, value }: WrittenEntry, { kind }: StateDescriptor<unknown>): void {
    if (kind === 'map') checkKey(userKey);
    else if (userKey !== undefined) throw this.refused(state, 'is no map', 'Leave userKey out.');
    if (value === undefined) throw this.refused(state, 'has an entry without a value', 'Give each entry a value, or leave it out.');
    if (kind === 'list' && !Array.isArray(value)) {
      throw this.refused(
        state,
        `is a list, and its value is ${describeValue(value)}`,
        'Give the whole list as an array, or an item with add.',
      );
    }
    if (kind === 'aggregating' && !isBox(value)) {
      throw this.refused(
        state,
        'is an aggregate, and its value is no accumulator',
        'Give { accumulator } as a savepoint does, or an element with add.',
      );
    }
  }

  private fold({ state, key, add }: WrittenEntry, descriptor: StateDescriptor<unknown> | 'raw'): void {
    if (descriptor === 'raw' || descriptor.kind === 'value' || descriptor.kind === 'map') {
      throw this.refused(state, 'cannot be added to', 'Give the value itself: value.');
    }
    this.backend.enter(key);
    (this.handles.get(state) as { add(item: unknown): void }).add(add);
  }

  private refused(state: string, problem: string, remedy: string): MillraceError {
    return new MillraceError('state/restore', `The state "${state}" ${problem}.`, { uid: this.uid, remedy });
  }
}

function isBox(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'accumulator' in value;
}
