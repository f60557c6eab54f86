import { subtaskOfKeyGroup, keyGroupOf } from '../state/keyGroups.ts';
import type { Key } from '../state/key.ts';
import type { Element } from '../element/element.ts';
import type { Timestamp } from '../time/timestamp.ts';

/** A way out of a task: a channel, or what stands for one in batch mode. */
export interface Outlet {
  push(element: Element): void;
  /** How many records are best sent at once, at the moment; undefined where it does not matter. */
  readonly batch?: number;
  /** Whether the key groups of records go along, where the exchange has them: true for what leaves this host. */
  readonly takesKeyGroups?: boolean;
}

/** Records gather into batches of at most this many. */
const LARGEST_BATCH = 1024;

/** Gathers records for one channel. */
class BatchBuilder {
  private values: unknown[] = [];
  private timestamps: number[] = [];
  private most: number;
  private readonly outlet: Outlet;
  /** Where they go along. */
  private keyGroups: number[] | undefined;

  constructor(outlet: Outlet, isKeyed: boolean) {
    this.outlet = outlet;
    this.keyGroups = isKeyed && outlet.takesKeyGroups === true ? [] : undefined;
    this.most = this.batch();
  }

  add(value: unknown, timestamp: Timestamp): void {
    this.values.push(value);
    this.timestamps.push(timestamp);
    if (this.values.length >= this.most) this.flush();
  }

  addOfGroup(keyGroup: number, value: unknown, timestamp: Timestamp): void {
    this.keyGroups?.push(keyGroup);
    this.add(value, timestamp);
  }

  get hasKeyGroups(): boolean {
    return this.keyGroups !== undefined;
  }

  flush(): void {
    if (this.values.length === 0) return;
    const { values, timestamps, keyGroups } = this;
    if (keyGroups === undefined) this.outlet.push({ kind: 'records', values, timestamps });
    else {
      this.outlet.push({ kind: 'records', values, timestamps, keyGroups });
      this.keyGroups = [];
    }
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

/** How records of a hash exchange find their ways: by the groups of their keys. */
export interface KeyGroupRoute {
  readonly groupOf: (value: unknown) => number;
  readonly channelOf: (keyGroup: number) => number;
}

/** One edge of the plan as its producer sees it: deals records out to the consumer's channels, everything else to all. */
export class ExchangeWriter {
  readonly push: (value: unknown, timestamp: Timestamp) => void;
  private readonly builders: readonly BatchBuilder[];

  constructor(outlets: readonly Outlet[], route: Route | KeyGroupRoute | 'all') {
    const isKeyed = typeof route === 'object';
    this.builders = outlets.map((outlet) => new BatchBuilder(outlet, isKeyed));
    const { builders } = this;
    const [only] = builders;
    if (isKeyed && builders.some((builder) => builder.hasKeyGroups)) {
      const { groupOf, channelOf } = route;
      this.push = (value, timestamp) => {
        const group = groupOf(value);
        builders[channelOf(group)]!.addOfGroup(group, value, timestamp);
      };
    } else if (builders.length === 1) this.push = (value, timestamp) => only!.add(value, timestamp);
    else if (route === 'all') {
      this.push = (value, timestamp) => {
        for (const builder of builders) builder.add(value, timestamp);
      };
    } else if (isKeyed) {
      const { groupOf, channelOf } = route;
      this.push = (value, timestamp) => builders[channelOf(groupOf(value))]!.add(value, timestamp);
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
 * To the subtask that owns the key's group. A record whose key cannot be had goes to the first group, and so to the first subtask: there the
 * key is asked for again, and what is wrong with it is dealt with as that operator wants it.
 */
export function hashRoute(key: (value: never) => Key, maxParallelism: number, channels: number): KeyGroupRoute {
  return {
    groupOf: (value) => {
      try {
        return keyGroupOf(key(value as never), maxParallelism);
      } catch {
        return 0;
      }
    },
    channelOf: (keyGroup) => subtaskOfKeyGroup(keyGroup, maxParallelism, channels),
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
