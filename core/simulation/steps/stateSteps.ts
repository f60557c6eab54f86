import {
  aggregatingState,
  avg,
  count,
  countWindow,
  last,
  listState,
  mapState,
  max,
  output,
  reducingState,
  sum,
  valueState,
} from '@millrace/core';
import { apart, beside, byKey, ms, type Step } from '../flow.ts';
import { type Item, mix, mixAll } from '../item.ts';

/** How long state lives in the step `expiring`, in ms of processing time. */
const LIFE = 40;

/** Steps with state of their own. */
export const stateSteps = {
  // Every kind of state, of which each result shows all.
  rolling: (flow, { uid, i, shop }) => {
    if (!flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream.keyBy(byKey).process({
      ...options,
      state: {
        count: valueState({ initial: 0 }),
        recent: listState<number>(),
        seen: mapState<number, number>(),
        largest: reducingState<number>({ reduce: Math.max }),
        mean: aggregatingState<number, number | undefined>({ aggregate: avg((n: number) => n) }),
      },
      outputs: { rare: output<Item>() },
      onElement(item, { state, output: give }) {
        const { n } = item;
        state.count.update(state.count.value() + 1);
        state.recent.update([...state.recent.get(), n].slice(-2 - i));
        state.seen.put(n % 10, (state.seen.get(n % 10) ?? 0) + 1);
        if (n % 17 === 0) state.seen.remove(n % 10);
        state.largest.add(n);
        state.mean.add(n % 100);
        if (n % 29 === 0) state.recent.clear();
        if (n % 6 === 0) give('rare', item);
        const all = mix(mix(state.count.value(), state.largest.get()!), Math.round(1000 * state.mean.get()!));
        return [{ ...item, n: mix([...state.recent.get()].reduce(mix, 3), mix(all, mixAll(state.seen.values()))) }];
      },
    });
    shop.side(`${uid}.rare`, stream.side('rare'), options.parallelism);
    return { ...flow, stream, parallelism: options.parallelism };
  },
  // Keys come and go, so that their slots are used again.
  passing: (flow, { uid, i, shop }) => {
    if (!flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream.keyBy(byKey).process({
      ...options,
      state: { open: listState<number>() },
      onElement(item, { state }) {
        const open = [...state.open.get(), item.n];
        if (open.length <= 1 + (item.n % (i + 2))) {
          state.open.update(open);
          return [];
        }
        state.open.clear();
        return [{ ...item, n: open.reduce(mix, 5) }];
      },
    });
    return { ...flow, stream, parallelism: options.parallelism };
  },
  reduce: (flow, { uid, shop }) => {
    if (!flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream.keyBy(byKey).reduce((a, b) => ({ ...b, n: mix(a.n, b.n) }), options);
    return { ...flow, stream, parallelism: options.parallelism };
  },
  aggregates: (flow, { uid, shop }) => {
    if (!flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream
      .keyBy(byKey)
      .aggregate({ n: count(), total: sum(({ n }) => n % 1000), most: max(({ n }) => n), newest: last<Item>() }, options)
      .map(
        ({ key, value: { newest, n, total, most } }) => ({ id: newest?.id ?? '', key, n: mix(n, mix(total, most ?? 0)) }),
        beside({ parallelism: options.parallelism }, `${uid}.item`),
      );
    return { ...flow, stream, parallelism: options.parallelism };
  },
  countWindow: (flow, { uid, i, shop }) => {
    if (!flow.ordered) return undefined;
    const options = apart(flow, uid, shop);
    const stream = flow.stream
      .keyBy(byKey)
      .window(countWindow(i + 2))
      .process({ ...options, onWindow: (items) => [{ id: items.at(-1)!.id, key: items[0]!.key, n: items.map(({ n }) => n).reduce(mix) }] })
      .map(({ value }) => value, beside({ parallelism: options.parallelism }, `${uid}.item`));
    return { ...flow, stream, timed: false, parallelism: options.parallelism };
  },
  // Each item again a while after its time, beside how many the key had by then.
  timers: (flow, { uid, i, shop }) => {
    if (!flow.timed) return undefined;
    const options = apart(flow, uid, shop);
    const wait = 10 * i + 1;
    const stream = flow.stream.keyBy(byKey).process({
      ...options,
      state: { waiting: listState<Item & { readonly at: number }>(), seen: mapState<number, number>() },
      timers: { due: 'eventTime', never: 'eventTime' },
      onElement(item, { state, timers, timestamp = 0 }) {
        state.waiting.add({ ...item, at: timestamp + wait });
        state.seen.put(timestamp, (state.seen.get(timestamp) ?? 0) + 1);
        timers.set('due', { after: ms(wait) });
        timers.set('never', timestamp + 2 * wait);
        timers.cancel('never', timestamp + 2 * wait);
      },
      onTimer({ at, name }, { key, state }) {
        if (name === 'never') return [{ id: 'canceled', key, n: at }];
        const waiting = [...state.waiting.get()];
        state.waiting.update(waiting.filter((each) => each.at !== at));
        const before = [...state.seen.entries()].reduce((total, [time, seen]) => total + (time <= at ? seen : 0), 0);
        return waiting.filter((each) => each.at === at).map(({ n, id }) => ({ id, key, n: mix(n, before) }));
      },
    });
    return { ...flow, stream, ordered: false, total: false, even: false, parallelism: options.parallelism };
  },
  // Items wait together for a time of the clock.
  processingTimers: (flow, { uid, i, shop }) => {
    const options = apart(flow, uid, shop);
    const stream = flow.stream.keyBy(byKey).process({
      ...options,
      state: { waiting: listState<Item>() },
      timers: { flush: 'processingTime' },
      onElement(item, { state, timers, now }) {
        state.waiting.add(item);
        timers.set('flush', (Math.floor(now() / (10 * i + 5)) + 1) * (10 * i + 5));
      },
      onTimer(_timer, { state }) {
        const waiting = [...state.waiting.get()];
        state.waiting.clear();
        return waiting;
      },
    });
    return { stream, ordered: flow.ordered, total: false, timed: false, even: false, parallelism: options.parallelism };
  },
  // Sees for itself whether state has gone when its time was over, and not before.
  expiring: (flow, { uid, i, shop }) => {
    const options = apart(flow, uid, shop);
    const ttl = { after: ms(LIFE), cleanup: i % 2 === 0 ? 'incremental' : 'onAccess' } as const;
    const stream = flow.stream.keyBy(byKey).process({
      ...options,
      state: { written: valueState<number>(), value: valueState<number>({ ttl }), map: mapState<string, number>({ ttl }) },
      onElement(item, { key, state, now }) {
        const at = state.written.value();
        const lives = at !== undefined && now() - at < LIFE;
        const isRight = (state.value.value() === at) === lives && state.map.has(key) === lives;
        const keeps = at === undefined || item.n % 3 === 0;
        if (keeps) {
          state.written.update(now());
          state.value.update(now());
          state.map.put(key, now());
        }
        return [isRight || at === undefined ? item : { ...item, n: -1 }];
      },
    });
    return { ...flow, stream, parallelism: options.parallelism };
  },
} satisfies Record<string, Step>;
