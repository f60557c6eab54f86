import { subtaskOfKeyGroup, keyGroupOf } from '../state/keyGroups.ts';
import type { Key } from '../state/key.ts';
import type { Element } from '../element/element.ts';
import type { Timestamp } from '../time/timestamp.ts';

/** A way out of a task: a channel, or what stands for one in batch mode. */
export interface Outlet {
  push(element: Element): void;
  /** How many records are best sent at once, at the moment; undefined where it does not matter. */
  readonly batch?: number;
}

/** Records gather into batches of at most this many. */
const LARGEST_BATCH = 1024;

/** Gathers records for one channel. */
class BatchBuilder {
  private values: unknown[] = [];
  private timestamps: number[] = [];
  private most: number;
  private readonly outlet: Outlet;

  constructor(outlet: Outlet) {
    this.outlet = outlet;
    this.most = this.batch();
  }

  add(value: unknown, timestamp: Timestamp): void {
    this.values.push(value);
    this.timestamps.push(timestamp);
    if (this.values.length >= this.most) this.flush();
  }

  flush(): void {
    if (this.values.length === 0) return;
    this.outlet.push({ kind: 'records', values: this.values, timestamps: this.timestamps });
    this.values = [];
    this.timestamps = [];
    this.most = this.batch();
  }

  control(element: Element): void {
    this.flush();
    this.outlet.push(element);
  }

  private batch(): number {
    return Math.min(LARGEST_BATCH, this.outlet.batch ?? LARGEST_BATCH);
  }
}

/** The channel of a record that was rejected on its way. */
export const NOWHERE = -1;

/** Which channel a record takes. */
export type Route = (value: unknown) => number;

/** One edge of the plan as its producer sees it: deals records out to the consumer's channels, everything else to all. */
export class ExchangeWriter {
  readonly push: (value: unknown, timestamp: Timestamp) => void;
  private readonly builders: readonly BatchBuilder[];

  constructor(outlets: readonly Outlet[], route: Route | 'all') {
    this.builders = outlets.map((outlet) => new BatchBuilder(outlet));
    const { builders } = this;
    const [only] = builders;
    if (builders.length === 1) this.push = (value, timestamp) => only!.add(value, timestamp);
    else if (route === 'all') {
      this.push = (value, timestamp) => {
        for (const builder of builders) builder.add(value, timestamp);
      };
    } else {
      this.push = (value, timestamp) => {
        const channel = route(value);
        if (channel !== NOWHERE) builders[channel]!.add(value, timestamp);
      };
    }
  }

  /** Sends on what is gathered. */
  flush(): void {
    for (const builder of this.builders) builder.flush();
  }

  /** A watermark, status, barrier or end goes to every channel, after the records before it. */
  broadcast(element: Element): void {
    for (const builder of this.builders) builder.control(element);
  }
}

/**
 * To the subtask that owns the key's group. A record whose key cannot be had goes to the first: there the key is asked for again, and what is
 * wrong with it is dealt with as that operator wants it.
 */
export function hashRoute(key: (value: never) => Key, maxParallelism: number, channels: number): Route {
  return (value) => {
    try {
      return subtaskOfKeyGroup(keyGroupOf(key(value as never), maxParallelism), maxParallelism, channels);
    } catch {
      return 0;
    }
  };
}

/** To each in turn. */
export function roundRobinRoute(channels: number, first: number): Route {
  let next = first % channels;
  return () => {
    const channel = next;
    next = channel + 1 === channels ? 0 : channel + 1;
    return channel;
  };
}

/** Always to the same. */
export function fixedRoute(channel: number): Route {
  return () => channel;
}

/**
 * Where the user's function says. The result is taken modulo the number of channels, so that any integer will do. `reject` is given what
 * the function throws; if it returns, the record goes nowhere.
 */
export function customRoute(
  partition: (value: never, channels: number) => number,
  channels: number,
  reject: (error: unknown, value: unknown) => void,
): Route {
  return (value) => {
    try {
      const chosen = Math.trunc(partition(value as never, channels)) % channels;
      if (Number.isNaN(chosen)) throw new RangeError('The partitioner returned no number');
      return chosen < 0 ? chosen + channels : chosen;
    } catch (error) {
      reject(error, value);
      return NOWHERE;
    }
  };
}
