import { MillraceError } from '../errors/millraceError.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { StateEntry } from './backend.ts';
import type { KeyedTable } from './keyedTable.ts';
import type { EntrySink } from './recordSink.ts';
import type { StateForm } from './stateForm.ts';
import type { StoredState } from './storedState.ts';
import { TimerQueue } from './timerQueue.ts';

/** The clock that a timer listens to. */
export type TimeDomain = 'eventTime' | 'processingTime';
/** Timer names and the clock that each listens to. Names are part of the saved address. */
export type TimerShape = Readonly<Record<string, TimeDomain>>;

/** The name of timers among the states of an operator. */
export const TIMERS = '(timers)';

/** The timers of a keyed operator: named, one per (key, name, time), state like any other. */
export class KeyedTimers implements StoredState {
  readonly name: string = TIMERS;
  readonly form: StateForm;
  /** The timer that {@link popDue} took: its name, domain and time. Its key is the table's current one. */
  dueName = '';
  dueDomain: TimeDomain = 'eventTime';
  dueTime: Timestamp = 0;

  protected readonly table: KeyedTable;
  private readonly names: readonly string[];
  private readonly domains: readonly TimeDomain[];
  protected readonly eventTime: TimerQueue = new TimerQueue();
  protected readonly processingTime: TimerQueue = new TimerQueue();
  /** Told when a processing-time timer becomes the earliest, so that a clock can be set. */
  private readonly onEarlier: (at: Timestamp) => void;

  constructor(table: KeyedTable, shape: TimerShape, onEarlier: (at: Timestamp) => void) {
    this.table = table;
    this.form = { kind: 'timers', fields: shape };
    this.names = Object.keys(shape);
    this.domains = Object.values(shape);
    this.onEarlier = onEarlier;
  }

  set(name: string, at: Timestamp): void {
    this.add(this.id(name), at);
  }

  /** Cancels the timer at `at`; without it, all timers of the name that the current key has. */
  cancel(name: string, at?: Timestamp): void {
    const id = this.id(name);
    const slot = this.table.find();
    if (slot < 0) return;
    const queue = this.queue(id);
    this.table.touch(slot);
    for (const time of at === undefined ? queue.timersOf(slot, id).times : [at]) if (queue.cancel(slot, id, time)) this.table.release(slot);
  }

  domainOf(name: string): TimeDomain {
    return this.domains[this.id(name)]!;
  }

  /** The earliest timer of a domain; +Infinity when there is none. */
  earliest(domain: TimeDomain): Timestamp {
    return domain === 'eventTime' ? this.eventTime.earliest : this.processingTime.earliest;
  }

  /** Takes the earliest timer due at `now`, enters its key and describes it in the `due` fields. False when none is due. */
  popDue(domain: TimeDomain, now: Timestamp): boolean {
    const queue = domain === 'eventTime' ? this.eventTime : this.processingTime;
    if (queue.earliest > now) return false;
    this.table.touch(queue.earliestSlot);
    queue.pop();
    const key = this.table.index.keyOf(queue.slot)!;
    this.table.release(queue.slot);
    this.table.enter(key);
    this.dueName = this.names[queue.name]!;
    this.dueDomain = domain;
    this.dueTime = queue.time;
    return true;
  }

  /** How many timers are set, over all keys. */
  get size(): number {
    return this.eventTime.size + this.processingTime.size;
  }

  clear(): void {
    for (const name of this.names) this.cancel(name);
  }

  writeEntries(slot: number, sink: EntrySink): void {
    if (!this.eventTime.has(slot) && !this.processingTime.has(slot)) return;
    for (const [id, name] of this.names.entries()) {
      const timers = this.queue(id).timersOf(slot, id);
      if (timers.times.length > 0) sink.entry(this.name, name, timers, undefined);
    }
  }

  restore(entry: StateEntry): void {
    const { times, ranks } = entry.value as { readonly times: readonly Timestamp[]; readonly ranks: readonly number[] };
    const name = entry.userKey as string;
    const id = this.names.indexOf(name);
    if (id < 0) {
      throw new MillraceError('state/restore', `The snapshot holds timers "${name}" that the operator does not declare.`, {
        remedy: 'Declare them again, or allow state that is not restored.',
      });
    }
    for (let i = 0; i < times.length; i++) this.add(id, times[i]!, ranks[i]);
  }

  private add(id: number, at: Timestamp, rank?: number): void {
    const slot = this.table.claim();
    const queue = this.queue(id);
    const { earliest } = queue;
    this.table.retain(slot);
    if (!queue.set(slot, id, at, rank)) this.table.release(slot);
    else if (queue === this.processingTime && at < earliest) this.onEarlier(at);
  }

  private queue(id: number): TimerQueue {
    return this.domains[id] === 'eventTime' ? this.eventTime : this.processingTime;
  }

  private id(name: string): number {
    const id = this.names.indexOf(name);
    if (id >= 0) return id;
    throw new MillraceError('timer/undeclared', `There is no timer "${name}".`, {
      remedy: `Declare it beside the handlers: timers: { ${name}: 'eventTime' }.`,
    });
  }
}
