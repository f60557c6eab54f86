import { aggregate, aggregatingState, count, listState, mapState, reducingState, sum, valueState } from '../../src/index.ts';
import type { KeyedBackend } from '../../src/state/backend.ts';
import { type Key, keyText } from '../../src/state/key.ts';
import type { ManualClock } from '../../src/time/manualClock.ts';

export const TIME_TO_LIVE = 50;

/** What a key holds, as plainly as it can be said. */
interface Held {
  value?: number | undefined;
  passing?: { value: number; renewed: number } | undefined;
  list: number[];
  log: { value: number; renewed: number }[];
  map: { key: Key; value: number }[];
  cache: { key: Key; value: number; renewed: number }[];
  sum?: number | undefined;
  set?: number[] | undefined;
  counts?: { n: number; s: number } | undefined;
  frame: { time: number; n: number }[];
  buffer: { time: number; value: number }[];
}

interface ModelTimer {
  readonly key: Key;
  readonly name: string;
  readonly at: number;
}

/** State of every kind in arrays and objects: what a backend must look like. */
export class StateModel {
  private held = new Map<string, Held>();
  /** In the order in which they were set. */
  timers: ModelTimer[] = [];
  now = 0;

  copy(): StateModel {
    const copy = new StateModel();
    copy.held = structuredClone(this.held);
    copy.timers = [...this.timers];
    copy.now = this.now;
    return copy;
  }

  of(key: Key): Held {
    const text = keyText(key);
    let held = this.held.get(text);
    if (held === undefined) this.held.set(text, (held = { list: [], log: [], map: [], cache: [], frame: [], buffer: [] }));
    return held;
  }

  isExpired(renewed: number): boolean {
    return renewed + TIME_TO_LIVE <= this.now;
  }

  clear(key: Key): void {
    this.held.delete(keyText(key));
    this.timers = this.timers.filter((timer) => keyText(timer.key) !== keyText(key));
  }

  setTimer(key: Key, name: string, at: number): void {
    if (!this.timers.some((timer) => timer.name === name && timer.at === at && keyText(timer.key) === keyText(key)))
      this.timers.push({ key, name, at });
  }

  cancel(key: Key, name: string, at?: number): void {
    this.timers = this.timers.filter(
      (timer) => timer.name !== name || keyText(timer.key) !== keyText(key) || (at !== undefined && timer.at !== at),
    );
  }

  /** The earliest timer that is due, of equals the one set first; it is gone then. */
  popDue(name: string, now: number): ModelTimer | undefined {
    const first = this.timers.filter((timer) => timer.name === name && timer.at <= now).sort((a, b) => a.at - b.at)[0];
    if (first !== undefined) this.timers.splice(this.timers.indexOf(first), 1);
    return first;
  }

  /** What the handles of a key show. Reading renews nothing here. */
  contents(key: Key): unknown {
    const held = this.of(key);
    const alive = <T extends { readonly renewed: number }>(items: readonly T[]): T[] =>
      items.filter(({ renewed }) => !this.isExpired(renewed));
    return {
      value: held.value,
      passing: held.passing === undefined || this.isExpired(held.passing.renewed) ? 0 : held.passing.value,
      list: held.list,
      log: alive(held.log).map(({ value }) => value),
      map: held.map.map((entry) => [entry.key, entry.value]),
      cache: alive(held.cache).map((entry) => [entry.key, entry.value]),
      sum: held.sum,
      set: held.set === undefined ? undefined : held.set.length,
      counts: held.counts,
      frame: held.frame.length === 0 ? undefined : { s: held.frame.reduce((total, { n }) => total + n, 0) },
      buffer: held.buffer.map(({ time, value }) => [time, value]),
    };
  }
}

/** A backend with state of every kind. */
export function openStates<B extends KeyedBackend>(backend: B) {
  const ttl = { milliseconds: TIME_TO_LIVE };
  return {
    backend,
    value: backend.open('value', valueState<number>()),
    passing: backend.open('passing', valueState({ initial: 0, ttl: { after: ttl, update: 'onReadAndWrite' } })),
    list: backend.open('list', listState<number>()),
    log: backend.open('log', listState<number>({ ttl })),
    map: backend.open('map', mapState<Key, number>()),
    cache: backend.open('cache', mapState<Key, number>({ ttl })),
    sum: backend.open('sum', reducingState<number>({ reduce: (a, b) => a + b })),
    // An accumulator that changes in place, and of which nobody makes a copy.
    set: backend.open(
      'set',
      aggregatingState({
        aggregate: aggregate({
          create: () => new Set<number>(),
          add: (seen, n: number) => seen.add(n),
          merge: (a, b) => new Set([...a, ...b]),
          result: (seen) => seen.size,
        }),
      }),
    ),
    counts: backend.openAggregates('counts', { n: count(), s: sum((n: number) => n) } as never),
    frames: backend.openFrames('frames', { s: sum((n: number) => n) } as never),
    buffers: backend.openTimeBuffers<number>('buffers'),
    timers: backend.openTimers({ event: 'eventTime', other: 'eventTime', processing: 'processingTime' }, () => undefined),
  };
}

export type OpenStates = ReturnType<typeof openStates>;

/** What the handles show of the current key. */
export function shown(states: OpenStates): unknown {
  const buffer = states.buffers.find();
  return {
    value: states.value.value(),
    passing: states.passing.value(),
    list: [...states.list.get()],
    log: [...states.log.get()],
    map: [...states.map.entries()],
    cache: [...states.cache.entries()],
    sum: states.sum.get(),
    set: states.set.get(),
    counts: states.counts.result(),
    frame: states.frames.latest() === -Infinity ? undefined : states.frames.result(),
    buffer:
      buffer === undefined
        ? []
        : Array.from({ length: buffer.end - buffer.start }, (_, i) => [buffer.timeAt(buffer.start + i), buffer.valueAt(buffer.start + i)]),
  };
}

/** What can be done to a key, to a backend and to the model of it. `n` tells deeds apart. */
export const DEEDS: Readonly<Record<string, (states: OpenStates, model: StateModel, key: Key, n: number) => void>> = {
  update: ({ value }, model, key, n) => {
    value.update(n);
    model.of(key).value = n;
  },
  'update to undefined': ({ value }, model, key) => {
    value.update(undefined);
    model.of(key).value = undefined;
  },
  'update what passes': ({ passing }, model, key, n) => {
    passing.update(n);
    model.of(key).passing = { value: n, renewed: model.now };
  },
  'read what passes': ({ passing }, model, key) => {
    passing.value();
    const { passing: held } = model.of(key);
    if (held !== undefined && !model.isExpired(held.renewed)) held.renewed = model.now;
  },
  'add to list': ({ list }, model, key, n) => {
    list.add(n);
    model.of(key).list.push(n);
  },
  'replace list': ({ list }, model, key, n) => {
    const items = Array.from({ length: n % 4 }, (_, i) => i);
    list.update(items);
    model.of(key).list = items;
  },
  'add to log': ({ log }, model, key, n) => {
    log.add(n);
    model.of(key).log.push({ value: n, renewed: model.now });
  },
  put: ({ map }, model, key, n) => {
    const userKey: Key = n % 2 === 0 ? `u${n % 3}` : [n % 3, 'x'];
    map.put(userKey, n);
    const held = model.of(key).map.find((entry) => keyText(entry.key) === keyText(userKey));
    if (held === undefined) model.of(key).map.push({ key: userKey, value: n });
    else held.value = n;
  },
  remove: ({ map }, model, key, n) => {
    const userKey: Key = n % 2 === 0 ? `u${n % 3}` : [n % 3, 'x'];
    map.remove(userKey);
    model.of(key).map = model.of(key).map.filter((entry) => keyText(entry.key) !== keyText(userKey));
  },
  cache: ({ cache }, model, key, n) => {
    cache.put(n % 3, n);
    const held = model.of(key).cache;
    const before = held.find((entry) => entry.key === n % 3);
    // The successor of an entry that expired comes last, whether that was cleaned up or not.
    if (before === undefined || model.isExpired(before.renewed)) {
      model.of(key).cache = [...held.filter((entry) => entry.key !== n % 3), { key: n % 3, value: n, renewed: model.now }];
    } else Object.assign(before, { value: n, renewed: model.now });
  },
  sum: ({ sum: total }, model, key, n) => {
    total.add(n);
    model.of(key).sum = (model.of(key).sum ?? 0) + n;
  },
  set: ({ set }, model, key, n) => {
    set.add(n);
    model.of(key).set = [...new Set([...(model.of(key).set ?? []), n])];
  },
  count: ({ counts }, model, key, n) => {
    counts.add(n);
    const held = model.of(key).counts ?? { n: 0, s: 0 };
    model.of(key).counts = { n: held.n + 1, s: held.s + n };
  },
  'clear some': ({ list, map, sum: total, set, counts, frames }, model, key, n) => {
    const held = model.of(key);
    [list, map, total, set, counts, frames][n % 6]!.clear();
    [
      () => (held.list = []),
      () => (held.map = []),
      () => (held.sum = undefined),
      () => (held.set = undefined),
      () => (held.counts = undefined),
      () => (held.frame = []),
    ][n % 6]!();
  },
  slide: ({ frames }, model, key, n) => {
    const held = model.of(key);
    const time = (held.frame.at(-1)?.time ?? 0) + (n % 4);
    frames.slide(time - 5, time, n);
    held.frame = [...held.frame.filter((row) => row.time >= time - 5), { time, n }];
  },
  buffer: ({ buffers }, model, key, n) => {
    buffers.claim().insert(n, n * 2);
    const held = model.of(key).buffer;
    const at = held.findIndex(({ time }) => time > n);
    held.splice(at < 0 ? held.length : at, 0, { time: n, value: n * 2 });
  },
  'drop from buffer': ({ buffers }, model, key, n) => {
    buffers.dropUntil(n);
    model.of(key).buffer = model.of(key).buffer.filter(({ time }) => time > n);
  },
  'set timer': ({ timers }, model, key, n) => {
    const name = ['event', 'other', 'processing'][n % 3]!;
    timers.set(name, n % 7);
    model.setTimer(key, name, n % 7);
  },
  'cancel timers': ({ timers }, model, key, n) => {
    const name = ['event', 'other', 'processing'][n % 3]!;
    const at = n % 2 === 0 ? undefined : n % 7;
    timers.cancel(name, at);
    model.cancel(key, name, at);
  },
  clear: ({ backend }, model, key) => {
    backend.clear();
    model.clear(key);
  },
};

/** Moves the clock of both. */
export function passTime(clock: ManualClock, model: StateModel, by: number): void {
  clock.advanceTo(clock.now() + by);
  model.now = clock.now();
}
