import type { Timestamp } from '../time/timestamp.ts';
import type { Key } from './key.ts';
import { type TimeDomain, KeyedTimers, type TimerShape } from './keyedTimers.ts';
import { KeyIndex } from './keyIndex.ts';
import type { PagedTable } from './pagedTable.ts';
import { TimerQueue } from './timerQueue.ts';

/** The earliest timers of keys that are not in memory, a few dozen bytes for each: so that they fire when they should. */
export class SleepingTimers {
  private readonly keys = new KeyIndex();
  private readonly queues: Readonly<Record<TimeDomain, TimerQueue>> = { eventTime: new TimerQueue(), processingTime: new TimerQueue() };

  earliest(domain: TimeDomain): Timestamp {
    return this.queues[domain].earliest;
  }

  /** The rank of the earliest among those of its time. There must be one. */
  earliestRank(domain: TimeDomain): number {
    return this.queues[domain].earliestRank;
  }

  /** The key of the earliest. There must be one. */
  earliestKey(domain: TimeDomain): Key {
    return this.keys.keyOf(this.queues[domain].earliestSlot)!;
  }

  /** A key goes: its earliest timer of a domain. */
  add(key: Key, domain: TimeDomain, at: Timestamp, rank: number): void {
    this.queues[domain].set(this.keys.findOrInsert(key), 0, at, rank);
  }

  /** A key is back. */
  remove(key: Key): void {
    if (this.keys.size === 0) return;
    const slot = this.keys.find(key);
    if (slot < 0) return;
    for (const queue of [this.queues.eventTime, this.queues.processingTime]) {
      for (const at of queue.timersOf(slot, 0).times) queue.cancel(slot, 0, at);
    }
    this.keys.delete(slot);
  }
}

/** The timers of keys that come and go: those of keys in memory, and one for each key that is not, which brings it back when it is due. */
export class PagedTimers extends KeyedTimers {
  private readonly paged: PagedTable;
  private readonly sleeping = new SleepingTimers();

  constructor(table: PagedTable, shape: TimerShape, onEarlier: (at: Timestamp) => void) {
    super(table, shape, onEarlier);
    this.paged = table;
  }

  override earliest(domain: TimeDomain): Timestamp {
    return Math.min(super.earliest(domain), this.sleeping.earliest(domain));
  }

  override popDue(domain: TimeDomain, now: Timestamp): boolean {
    const at = this.sleeping.earliest(domain);
    if (at <= now && this.isFirst(domain, at)) this.paged.bring(this.sleeping.earliestKey(domain));
    return super.popDue(domain, now);
  }

  /** The current key is about to leave memory: its earliest timers stay. */
  fallAsleep(key: Key, slot: number): void {
    for (const [domain, queue] of [
      ['eventTime', this.eventTime],
      ['processingTime', this.processingTime],
    ] as const) {
      const first = queue.earliestOf(slot);
      if (first !== undefined) this.sleeping.add(key, domain, first.time, first.rank);
    }
  }

  /** The current key is back. */
  wakeUp(key: Key): void {
    this.sleeping.remove(key);
  }

  /** Whether the earliest timer of all is that of a key that sleeps. */
  private isFirst(domain: TimeDomain, at: Timestamp): boolean {
    const awake = super.earliest(domain);
    return at < awake || (at === awake && this.sleeping.earliestRank(domain) < this.queueOf(domain).earliestRank);
  }

  private queueOf(domain: TimeDomain): TimerQueue {
    return domain === 'eventTime' ? this.eventTime : this.processingTime;
  }
}
