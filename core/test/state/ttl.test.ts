import { describe, expect, test } from 'vitest';
import { sum } from '../../src/state/aggregate.ts';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateShape,
  type TimeToLive,
  valueState,
} from '../../src/state/descriptor.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { errorCode } from '../time/errorCode.ts';

const ms = (milliseconds: number): { milliseconds: number } => ({ milliseconds });

/** A backend whose clock is moved by hand, and its successor from a snapshot. */
class Store {
  readonly clock: ManualClock;
  backend: MemoryBackend;
  private readonly shape: StateShape;
  handles: Readonly<Record<string, never>>;

  constructor(shape: StateShape) {
    this.clock = new ManualClock();
    this.shape = shape;
    this.backend = new MemoryBackend(this.clock);
    this.handles = this.open();
    this.backend.enter('k');
  }

  restore(): void {
    const entries = structuredClone([...this.backend.entries()]);
    this.backend = new MemoryBackend(this.clock);
    this.handles = this.open();
    for (const entry of entries) this.backend.restore(entry);
    this.backend.enter('k');
  }

  /** How many keys hold something, expired or not. */
  get keys(): number {
    return [...this.backend.keys()].length;
  }

  get stored(): number {
    return [...this.backend.entries()].length;
  }

  private open(): Readonly<Record<string, never>> {
    return Object.fromEntries(Object.entries(this.shape).map(([name, descriptor]) => [name, this.backend.open(name, descriptor) as never]));
  }
}

interface Handle {
  set(value: string): void;
  get(): string | undefined;
}

/** Every kind of state as a single text with a time to live. */
const KINDS: Readonly<Record<string, { readonly open: (ttl: TimeToLive) => StateShape; readonly handle: (store: Store) => Handle }>> = {
  value: {
    open: (ttl) => ({ s: valueState<string>({ ttl }) }),
    handle: (store) => ({
      set: (v) => (store.handles['s'] as unknown as { update(v: string): void }).update(v),
      get: () => (store.handles['s'] as unknown as { value(): string }).value(),
    }),
  },
  list: {
    open: (ttl) => ({ s: listState<string>({ ttl }) }),
    handle: (store) => ({
      set: (v) => (store.handles['s'] as unknown as { update(v: string[]): void }).update([v]),
      get: () => [...(store.handles['s'] as unknown as { get(): Iterable<string> }).get()][0],
    }),
  },
  map: {
    open: (ttl) => ({ s: mapState<string, string>({ ttl }) }),
    handle: (store) => ({
      set: (v) => (store.handles['s'] as unknown as { put(k: string, v: string): void }).put('x', v),
      get: () => (store.handles['s'] as unknown as { get(k: string): string }).get('x'),
    }),
  },
  reducing: {
    open: (ttl) => ({ s: reducingState<string>({ ttl, reduce: (_a, b) => b }) }),
    handle: (store) => ({
      set: (v) => (store.handles['s'] as unknown as { add(v: string): void }).add(v),
      get: () => (store.handles['s'] as unknown as { get(): string }).get(),
    }),
  },
};

describe.each(Object.entries(KINDS))('%s state that expires', (_, kind) => {
  const open = (ttl: Omit<TimeToLive, 'after'> & { after?: number }) => {
    const store = new Store(kind.open({ ...ttl, after: ms(ttl.after ?? 100) }));
    return { store, state: kind.handle(store) };
  };

  test.each([false, true])('expired when the last write lies the whole time behind; restored in between: %s', (restored) => {
    const { store, state } = open({});
    const at = (time: number): void => {
      store.clock.advanceTo(time);
      if (restored) store.restore();
    };
    expect(state.get()).toBeUndefined();
    state.set('A');
    at(99);
    expect(state.get()).toBe('A');
    at(100);
    expect(state.get()).toBeUndefined();
    state.set('B');
    at(150);
    state.set('C');
    at(249);
    expect(state.get()).toBe('C');
    at(250);
    expect(state.get()).toBeUndefined();
  });

  test.each([false, true])('reading renews where it is told to; restored in between: %s', (restored) => {
    const { store, state } = open({ update: 'onReadAndWrite' });
    const at = (time: number): void => {
      store.clock.advanceTo(time);
      if (restored) store.restore();
    };
    state.set('A');
    for (const time of [90, 180, 270]) {
      at(time);
      expect(state.get()).toBe('A');
    }
    at(370);
    expect(state.get()).toBeUndefined();
  });

  test('what has expired is seen once where that is allowed, and is gone with it', () => {
    const { store, state } = open({ visibility: 'returnExpiredIfNotCleanedUp' });
    state.set('A');
    store.clock.advanceTo(120);
    expect(state.get()).toBe('A');
    expect(store.keys).toBe(0);
    expect(state.get()).toBeUndefined();
  });

  test('a read frees what has expired, and no snapshot holds it', () => {
    const { store, state } = open({});
    state.set('A');
    store.clock.advanceTo(100);
    expect([store.keys, store.stored]).toEqual([1, 0]);
    expect(state.get()).toBeUndefined();
    expect(store.keys).toBe(0);
  });

  test('a time without end never expires', () => {
    const { store, state } = open({ after: Number.MAX_SAFE_INTEGER });
    store.clock.advanceTo(10);
    state.set('A');
    store.clock.advanceTo(Number.MAX_SAFE_INTEGER - 1);
    expect(state.get()).toBe('A');
  });

  test.each(['incremental', 'onAccess'] as const)('cleanup %s: writes for some keys free others that nobody asks for', (cleanup) => {
    const { store, state } = open({ cleanup });
    for (let i = 0; i < 100; i++) {
      store.backend.enter(`old-${i}`);
      state.set('A');
    }
    store.clock.advanceTo(100);
    for (let i = 0; i < 50; i++) {
      store.backend.enter(`new-${i % 2}`);
      state.set('B');
    }
    expect(store.keys).toBe(cleanup === 'incremental' ? 2 : 102);
    store.backend.enter('new-1');
    expect(state.get()).toBe('B');
  });

  test('state that had no time to live counts from the restore', () => {
    const { store, state } = open({});
    store.clock.advanceTo(500);
    for (const entry of [{ state: 's', key: 'k', userKey: 'x', value: _ === 'list' ? ['A'] : 'A' }]) store.backend.restore(entry);
    store.backend.enter('k');
    store.clock.advanceTo(599);
    expect(state.get()).toBe('A');
    store.clock.advanceTo(600);
    expect(state.get()).toBeUndefined();
  });

  test('no time, or a negative one, is refused', () => {
    expect(errorCode(() => open({ after: 0 }))).toBe('duration/invalid');
    expect(errorCode(() => open({ after: -5 }))).toBe('duration/invalid');
  });
});

describe('lists and maps expire entry by entry', () => {
  test.each([false, true])('a list; restored in between: %s', (restored) => {
    const store = new Store({ s: listState<number>({ ttl: ms(100) }) });
    const list = (): { add(n: number): void; get(): Iterable<number> } => store.handles['s'] as never;
    for (const n of [0, 40, 80]) {
      store.clock.advanceTo(n);
      list().add(n);
      if (restored) store.restore();
    }
    for (const [at, left] of [
      [99, [0, 40, 80]],
      [100, [40, 80]],
      [140, [80]],
      [179, [80]],
      [180, []],
    ] as const) {
      store.clock.advanceTo(at);
      if (restored) store.restore();
      expect([...list().get()]).toEqual(left);
    }
    expect(store.keys).toBe(0);
  });

  test.each([false, true])('a map, with renewal per entry; restored in between: %s', (restored) => {
    const store = new Store({ s: mapState<string, number>({ ttl: { after: ms(100), update: 'onReadAndWrite' } }) });
    const map = () =>
      store.handles['s'] as unknown as {
        put(k: string, n: number): void;
        get(k: string): number;
        has(k: string): boolean;
        isEmpty(): boolean;
        keys(): Iterable<string>;
        values(): Iterable<number>;
        entries(): Iterable<unknown>;
        remove(k: string): void;
      };
    for (const n of [0, 40, 80]) {
      store.clock.advanceTo(n);
      map().put(`k${n}`, n);
    }
    if (restored) store.restore();
    store.clock.advanceTo(90);
    expect([map().get('k0'), map().has('nobody')]).toEqual([0, false]);
    store.clock.advanceTo(140);
    if (restored) store.restore();
    expect(map().has('k40')).toBe(false);
    expect([...map().keys()].sort()).toEqual(['k0', 'k80']);
    store.clock.advanceTo(239);
    expect([new Set(map().values()), map().isEmpty()]).toEqual([new Set([0, 80]), false]);
    store.clock.advanceTo(400);
    expect([map().isEmpty(), [...map().entries()]]).toEqual([true, []]);
    expect(store.keys).toBe(0);
  });

  test('only what has expired of other keys is cleaned up', () => {
    const store = new Store({ l: listState<number>({ ttl: ms(100) }), m: mapState<string, number>({ ttl: ms(100) }) });
    const list = store.handles['l'] as unknown as { add(n: number): void; get(): Iterable<number> };
    const map = store.handles['m'] as unknown as { put(k: string, n: number): void; keys(): Iterable<string> };
    for (const at of [0, 60]) {
      store.clock.advanceTo(at);
      list.add(at);
      map.put(`k${at}`, at);
    }
    store.clock.advanceTo(110);
    store.backend.enter('other');
    for (let i = 0; i < 10; i++) {
      list.add(i);
      map.put('x', i);
    }
    const left = [...store.backend.entries()].filter(({ key }) => key === 'k').map(({ value }) => value);
    expect(left).toEqual([[60], 60]);
  });

  test('an aggregate that expires begins anew', () => {
    const store = new Store({ s: aggregatingState({ ttl: ms(100), aggregate: sum((n: number) => n) }) });
    const total = store.handles['s'] as unknown as { add(n: number): void; get(): number | undefined };
    total.add(1);
    store.clock.advanceTo(50);
    total.add(2);
    store.clock.advanceTo(149);
    expect(total.get()).toBe(3);
    store.clock.advanceTo(150);
    total.add(5);
    expect(total.get()).toBe(5);
  });
});
