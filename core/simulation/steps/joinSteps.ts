import { mapState, sum, tumbling } from '@millrace/core';
import { apart, beside, byKey, type Flow, ms, type Step, type StepParts } from '../flow.ts';
import { type Item, mix, mixAll } from '../item.ts';

function joined({ timed, even }: Flow, stream: Flow['stream'], parallelism: number | undefined): Flow {
  return { stream, ordered: false, total: false, timed, even, parallelism };
}

const fit = (flow: Flow, { other }: StepParts): boolean => flow.timed && other.timed;

/** Steps in which two streams meet. */
export const joinSteps = {
  windowJoin: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const select = (a: Item, b: Item): Item => ({ id: '', key: a.key, n: mix(a.n, b.n) });
    const results = flow.stream.keyBy(byKey).join(other.stream.keyBy(byKey), { ...options, window: tumbling(ms(i * 6 + 8)), select });
    return { ...joined(flow, results, options.parallelism), even: false };
  },
  coGroup: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const results = flow.stream.keyBy(byKey).coGroup(other.stream.keyBy(byKey), {
      ...options,
      window: tumbling(ms(i * 20 + 20)),
      select: (as, bs, { key }) => [{ id: '', key, n: mix(mixAll(as.map(({ n }) => n)), mixAll(bs.map(({ n }) => n))) }],
    });
    return { ...joined(flow, results, options.parallelism), ordered: true, even: false };
  },
  intervalJoin: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const results = flow.stream.keyBy(byKey).intervalJoin(other.stream.keyBy(byKey), {
      ...options,
      between: [ms(-2 * i), ms(5)],
      select: (a, b) => ({ id: '', key: a.key, n: mix(a.n, b.n) }),
    });
    return { ...joined(flow, results, options.parallelism), even: flow.even && other.even };
  },
  // One version per key and time: of several the last to arrive would count.
  asOf: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const versions = other.stream
      .keyBy(byKey)
      .window(tumbling(ms(20 * (i + 1))))
      .aggregate({ total: sum(({ n }) => n % 1000) }, { ...options, uid: `${uid}.versions` });
    const results = flow.stream.keyBy(byKey).joinAsOf(
      versions.keyBy(({ key }) => key),
      { ...options, select: (item, version) => ({ ...item, n: mix(item.n, version?.value.total ?? -1) }) },
    );
    return joined(flow, results, options.parallelism);
  },
  // What both sides had of a key when a span of time was over.
  connect: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const span = 10 * i + 15;
    const results = flow.stream
      .keyBy(byKey)
      .connect(other.stream.keyBy(byKey))
      .process({
        ...options,
        state: { spans: mapState<number, readonly [number, number]>() },
        timers: { over: 'eventTime' },
        onLeft({ n }, { state, timers, timestamp = 0 }) {
          const end = (Math.floor(timestamp / span) + 1) * span;
          const [left, right] = state.spans.get(end) ?? [0, 0];
          state.spans.put(end, [left + (n % 1000), right]);
          timers.set('over', end);
        },
        onRight({ n }, { state, timers, timestamp = 0 }) {
          const end = (Math.floor(timestamp / span) + 1) * span;
          const [left, right] = state.spans.get(end) ?? [0, 0];
          state.spans.put(end, [left, right + (n % 1000)]);
          timers.set('over', end);
        },
        onTimer({ at }, { key, state }) {
          const [left, right] = state.spans.get(at)!;
          state.spans.remove(at);
          return [{ id: '', key, n: mix(left, right) }];
        },
      });
    return { ...joined(flow, results, options.parallelism), ordered: true, even: false };
  },
  // Rules that were there when a span of time was over, known to all subtasks.
  broadcast: (flow, parts) => {
    if (!fit(flow, parts)) return undefined;
    const { uid, i, other, shop } = parts;
    const options = apart(flow, uid, shop);
    const span = 12 * i + 20;
    const rules = other.stream
      .filter(({ n }) => n % 7 === 0, beside(other, `${uid}.rules`))
      .map(({ n, id, key }) => ({ n, name: `${id} ${key}` }), beside(other, `${uid}.rule`));
    const results = flow.stream
      .keyBy(byKey)
      .connectBroadcast(rules)
      .process({
        ...options,
        broadcast: { rules: mapState<string, { readonly sum: number; readonly at: number }>() },
        state: { seen: mapState<number, number>() },
        timers: { over: 'eventTime' },
        onElement({ n }, { state, timers, timestamp = 0 }) {
          const end = (Math.floor(timestamp / span) + 1) * span;
          state.seen.put(end, (state.seen.get(end) ?? 0) + (n % 1000));
          timers.set('over', end);
        },
        onBroadcast({ n, name }, { broadcast, timestamp = 0 }) {
          const address = `${name} ${timestamp}`;
          broadcast.rules.put(address, { sum: (broadcast.rules.get(address)?.sum ?? 0) + n, at: timestamp });
        },
        onTimer({ at }, { key, state, broadcast }) {
          const known = [...broadcast.rules.values()].filter((rule) => rule.at <= at).map(({ sum: each }) => each);
          const seen = state.seen.get(at)!;
          state.seen.remove(at);
          return [{ id: '', key, n: mix(seen, mixAll(known)) }];
        },
      });
    return { ...joined(flow, results, options.parallelism), ordered: true, even: false };
  },
} satisfies Record<string, Step>;
