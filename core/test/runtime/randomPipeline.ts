import fc from 'fast-check';
import {
  continuousEventTime,
  count,
  type DataStream,
  distinct,
  fromArray,
  listState,
  mapState,
  max,
  min,
  session,
  sliding,
  type StreamEnvironment,
  sum,
  tumbling,
  type WindowAssigner,
} from '../../src/index.ts';

/** What flows through a random pipeline. Its time is beside it, in the record. */
export interface Item {
  readonly key: string;
  readonly n: number;
}

/** An element of a source. */
export interface Timed extends Item {
  readonly at: number;
}

/** One verb of a random pipeline. `i` varies it; `other` is a stream from elsewhere in the pipeline. */
type Step = (stream: DataStream<Item>, i: number, other: DataStream<Item>) => DataStream<Item>;

const byKey = ({ key }: Item): string => key;
const brief = (n: number): { readonly milliseconds: number } => ({ milliseconds: n });
/** Times are even: whether an element just a gap later still finds its session, or a timer its element, is for the watermark to say. */
const odd = (i: number): number => 2 * i + 1;

/** A window's result as an item again; panes before its end are no results. */
function totals(stream: DataStream<Item>, window: WindowAssigner<Item>, isEarly = false): DataStream<Item> {
  return stream
    .keyBy(byKey)
    .window(window, isEarly ? { trigger: continuousEventTime(brief(3)) } : {})
    .aggregate({ n: count(), total: sum(({ n }) => n), least: min(({ n }) => n), kinds: distinct(({ n }) => n % 5) })
    .filter(({ pane }) => pane.timing === 'onTime')
    .map(({ key, window: { start }, value }) => ({ key, n: value.total + 3 * value.n + (value.least ?? 0) + value.kinds + (start % 7) }));
}

/** Moves each element to the next even time. */
function even(stream: DataStream<Item>): DataStream<Item> {
  return stream
    .keyBy(byKey)
    .window(tumbling(brief(2), { offset: brief(1) }))
    .process({ onWindow: (items) => items })
    .map(({ value }) => value);
}

/** Steps whose results depend neither on the order of arrival nor on processing time. */
const STEPS = {
  map: (s, i) => s.map(({ key, n }) => ({ key, n: n + i })),
  filter: (s, i) => s.filter(({ n }) => n % (i + 2) !== 0),
  flatMap: (s) => s.flatMap((item) => [item, { ...item, n: -item.n }]),
  rekey: (s, i) => s.map(({ key, n }) => ({ key: String((Math.abs(n) + key.length) % (i + 1)), n })),
  rebalance: (s) => s.rebalance(),
  partitionCustom: (s) => s.partitionCustom(({ n }, subtasks) => n % subtasks),
  parallel: (s, i) => s.map((item) => item, { parallelism: (i % 4) + 1 }),
  union: (s, _, other) => s.union(other),
  asyncMap: (s) => s.asyncMap({ run: async (item) => item, capacity: 4 }),
  tumbling: (s, i) => totals(s, tumbling(brief(i * 4 + 3), { offset: brief(i) })),
  sliding: (s, i) => totals(s, sliding(brief(i * 6 + 6), { every: brief(4) })),
  early: (s, i) => totals(s, tumbling(brief(i * 4 + 3)), true),
  session: (s, i) => totals(even(s), session(brief(odd(i)))),
  windowAll: (s, i) =>
    s
      .windowAll(tumbling(brief(i * 4 + 3)))
      .process({ onWindow: (items) => [items.reduce((total, { n }) => total + n, 0)] })
      .map(({ value }) => ({ key: 'all', n: value })),
  over: (s, i) =>
    s
      .keyBy(byKey)
      .over({ last: brief(i * 5) }, { total: sum(({ n }) => n), most: max(({ n }) => n) })
      .map(({ value, over }) => ({ key: value.key, n: value.n + 2 * over.total + (over.most ?? 0) })),
  windowJoin: (s, i, other) =>
    s.keyBy(byKey).join(other.keyBy(byKey), { window: tumbling(brief(i * 2 + 1)), select: (a, b) => ({ key: a.key, n: a.n - b.n }) }),
  coGroup: (s, i, other) =>
    s.keyBy(byKey).coGroup(other.keyBy(byKey), {
      window: tumbling(brief(i * 2 + 2)),
      select: (as, bs, { key }) => [{ key, n: as.length * 10 + bs.length + as.reduce((total, { n }) => total + n, 0) }],
    }),
  intervalJoin: (s, i, other) =>
    s
      .keyBy(byKey)
      .intervalJoin(other.keyBy(byKey), { between: [brief(-i), brief(3)], select: (a, b) => ({ key: a.key, n: a.n * 2 + b.n }) }),
  // One version per key and time: of several the last to arrive would count.
  asOf: (s, i, other) =>
    s.keyBy(byKey).joinAsOf(totals(other, tumbling(brief(i + 2))).keyBy(byKey), {
      select: ({ key, n }, version) => ({ key, n: n + (version?.n ?? -1) }),
    }),
  // Each element again a while after its time, beside how many the key had by then.
  timers: (s, i) =>
    s.keyBy(byKey).process({
      state: { waiting: listState<{ readonly n: number; readonly at: number }>(), seen: mapState<number, number>() },
      timers: { due: 'eventTime' },
      onElement({ n }, { state, timers, timestamp = 0 }) {
        state.waiting.add({ n, at: timestamp + odd(i) });
        state.seen.put(timestamp, (state.seen.get(timestamp) ?? 0) + 1);
        timers.set('due', { after: brief(odd(i)) });
      },
      onTimer({ at }, { key, state }) {
        const waiting = [...state.waiting.get()];
        state.waiting.update(waiting.filter((each) => each.at !== at));
        const before = [...state.seen.entries()].reduce((total, [time, count]) => total + (time <= at ? count : 0), 0);
        return waiting.filter((each) => each.at === at).map(({ n }) => ({ key, n: n + 100 * before }));
      },
    }),
  // What both sides had of a key when a span of time was over.
  connect: (s, i, other) =>
    s
      .keyBy(byKey)
      .connect(other.keyBy(byKey))
      .process({
        state: { spans: mapState<number, readonly [number, number]>() },
        timers: { over: 'eventTime' },
        onLeft({ n }, { state, timers, timestamp = 0 }) {
          const end = (Math.floor(timestamp / (i + 3)) + 1) * (i + 3);
          const [left, right] = state.spans.get(end) ?? [0, 0];
          state.spans.put(end, [left + n, right]);
          timers.set('over', end);
        },
        onRight({ n }, { state, timers, timestamp = 0 }) {
          const end = (Math.floor(timestamp / (i + 3)) + 1) * (i + 3);
          const [left, right] = state.spans.get(end) ?? [0, 0];
          state.spans.put(end, [left, right + n]);
          timers.set('over', end);
        },
        onTimer({ at }, { key, state }) {
          const [left, right] = state.spans.get(at)!;
          state.spans.remove(at);
          return [{ key, n: left * 3 - right }];
        },
      }),
} satisfies Record<string, Step>;

/** A pipeline as data: what a counterexample shows. */
export interface RandomPipeline {
  readonly sources: readonly (readonly Timed[])[];
  readonly steps: readonly {
    readonly step: keyof typeof STEPS;
    readonly i: number;
    /** Of the streams so far, the one that the step is over, and another one. */
    readonly on: number;
    readonly other: number;
  }[];
}

/** Elements in order of their times, several of them at once. */
export const inOrder: fc.Arbitrary<readonly Timed[]> = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      n: fc.integer({ min: -9, max: 20 }),
      at: fc.integer({ min: -10, max: 40 }).map((half) => 2 * half),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((items) => items.sort((a, b) => a.at - b.at));

const step = fc.record({
  step: fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])),
  i: fc.integer({ min: 0, max: 5 }),
  // 0 is the newest stream: most pipelines are chains with a branch here and there.
  on: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(6) }),
  other: fc.nat(6),
});

/** Pipelines over one or two sources whose elements come in order of their times. */
export const randomPipeline: fc.Arbitrary<RandomPipeline> = fc.record({
  sources: fc.array(inOrder, { minLength: 1, maxLength: 2 }),
  steps: fc.array(step, { minLength: 1, maxLength: 5 }),
});

/** Builds a pipeline; returns its last stream. */
export function buildPipeline(env: StreamEnvironment, { sources, steps }: RandomPipeline): DataStream<Item> {
  const streams: DataStream<Item>[] = sources.map((items) =>
    env.from(fromArray(items), { time: { timestamp: ({ at }) => at } }).map(({ key, n }) => ({ key, n })),
  );
  for (const { step: name, i, on, other } of steps) {
    const at = (back: number): DataStream<Item> => streams[Math.max(0, streams.length - 1 - back)]!;
    streams.push((STEPS[name] as Step)(at(on), i, at(other)));
  }
  return streams.at(-1)!;
}
