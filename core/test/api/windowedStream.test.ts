import { expectTypeOf } from 'expect-type';
import { describe, expect, test } from 'vitest';
import {
  type DataStream,
  type OperatorStream,
  type WindowResult,
  count,
  countEvictor,
  countTrigger,
  countWindow,
  explainText,
  fromArray,
  globalWindow,
  output,
  session,
  sliding,
  StreamEnvironment,
  sum,
  tumbling,
  valueState,
} from '../../src/index.ts';
import { errorCode } from '../time/errorCode.ts';

interface Order {
  readonly shop: string;
  readonly cents: number;
  readonly at: number;
}

const minute = tumbling({ minutes: 1 });
const totals = { n: count(), total: sum(({ cents }: Order) => cents) };

function orders(env: StreamEnvironment, rows: readonly Order[] = []): DataStream<Order> {
  return env.from(fromArray(rows), { uid: 'orders', time: { timestamp: ({ at }) => at } });
}

function detailsOf(build: (stream: DataStream<Order>) => DataStream<unknown>): Readonly<Record<string, unknown>> {
  const env = new StreamEnvironment();
  build(orders(env));
  return env.plan().graph.nodes.at(-1)!.details;
}

describe('the operator that windows get', () => {
  const keyed = (stream: DataStream<Order>) => stream.keyBy(({ shop }) => shop);

  test('slices where windows are aligned, fire once at their end, and hold aggregates', () => {
    expect(detailsOf((s) => keyed(s).window(minute).aggregate(totals))).toEqual({ window: 'tumbling 1m', operator: 'slicing' });
    expect(
      detailsOf((s) =>
        keyed(s)
          .window(sliding({ hours: 1 }, { every: { minutes: 7 } }))
          .reduce((a) => a),
      )['operator'],
    ).toBe('slicing');
    expect(detailsOf((s) => s.windowAll(minute).aggregate(totals))['operator']).toBe('slicing');
  });

  test.each([
    [
      'lateness',
      (s: DataStream<Order>) =>
        keyed(s)
          .window(minute, { allowedLateness: { minutes: 5 } })
          .aggregate(totals),
      { allowedLateness: '5m' },
    ],
    [
      'a trigger',
      (s: DataStream<Order>) =>
        keyed(s)
          .window(minute, { trigger: countTrigger(3) })
          .aggregate(totals),
      { trigger: 'count 3' },
    ],
    [
      'an evictor',
      (s: DataStream<Order>) =>
        keyed(s)
          .window(minute, { evictor: countEvictor(3) })
          .aggregate(totals),
      { evictor: 'last 3' },
    ],
    [
      'a function of all elements',
      (s: DataStream<Order>) =>
        keyed(s)
          .window(minute)
          .process({ onWindow: () => [] }),
      {},
    ],
  ])('the generic one for %s', (_what, build, details) => {
    expect(detailsOf(build)).toEqual({ window: 'tumbling 1m', operator: 'generic', ...details });
  });

  test.each([
    [session({ minutes: 1 }), 'session 1m'],
    [globalWindow({ fireAtEnd: true }), 'global at end'],
    [countWindow(3), 'count 3'],
    [tumbling({ minutes: 1 }, { domain: 'processingTime' }), 'tumbling 1m (processing time)'],
  ])('the generic one for windows that are not aligned in event time', (assigner, window) => {
    expect(detailsOf((s) => keyed(s).window(assigner).aggregate(totals))).toMatchObject({ window, operator: 'generic' });
  });

  test('explain shows it', () => {
    const env = new StreamEnvironment();
    keyed(orders(env)).window(minute).aggregate(totals, { uid: 'minutes' });
    expect(explainText(env.plan())).toContain('[minutes] (window: tumbling 1m; operator: slicing)');
  });
});

describe('windowAll', () => {
  const rows = [10, 20, 70_000].map((at, i) => ({ shop: `s${i}`, cents: i + 1, at }));

  test.each(['streaming', 'batch'] as const)('is over all elements, whatever their key, in %s mode', async (mode) => {
    const env = new StreamEnvironment({ mode, parallelism: 3 });
    const results = await orders(env, rows)
      .rebalance()
      .map((order) => order)
      .windowAll(minute)
      .aggregate(totals)
      .collect();
    const pane = { timing: 'onTime', index: 0, final: true };
    expect(results).toEqual([
      { key: undefined, window: { start: 0, end: 60_000 }, value: { n: 2, total: 3 }, pane },
      { key: undefined, window: { start: 60_000, end: 120_000 }, value: { n: 1, total: 3 }, pane },
    ]);
  });

  test('gives its key to nobody', async () => {
    const results = await orders(new StreamEnvironment(), rows)
      .windowAll(minute, { evictor: countEvictor(1) })
      .process({ onWindow: (elements, { key }) => [[elements.length, key]] })
      .collect();
    expect(results.map(({ key, value }) => [key, value])).toEqual([[undefined, [1, undefined]], [undefined, [1, undefined]]]); // prettier-ignore
  });

  test('is in one place', () => {
    const windowed = orders(new StreamEnvironment()).windowAll(minute);
    expect(errorCode(() => windowed.aggregate(totals, { parallelism: 2 }))).toBe('graph/option');
    expect(() => windowed.aggregate(totals, { parallelism: 1 })).not.toThrow();
  });
});

describe('what a window needs', () => {
  test('timestamps, for windows and triggers of event time', () => {
    const plan = (build: (stream: DataStream<Order>) => unknown) => () => {
      const env = new StreamEnvironment();
      build(env.from(fromArray<Order>([])));
      return env.plan();
    };
    const keyed = (s: DataStream<Order>) => s.keyBy(({ shop }) => shop);
    expect(errorCode(plan((s) => keyed(s).window(minute).aggregate(totals)))).toBe('graph/no-timestamps');
    expect(errorCode(plan((s) => keyed(s).join(keyed(s), { window: minute, select: (l) => l })))).toBe('graph/no-timestamps');
    expect(errorCode(plan((s) => keyed(s).window(globalWindow(), { trigger: minute.trigger }).aggregate(totals)))).toBe(
      'graph/no-timestamps',
    );
    expect(plan((s) => keyed(s).window(countWindow(3)).aggregate(totals))).not.toThrow();
    expect(
      plan((s) =>
        keyed(s)
          .window(tumbling({ minutes: 1 }, { domain: 'processingTime' }))
          .aggregate(totals),
      ),
    ).not.toThrow();
  });

  test('a lateness that is a length of time', () => {
    const keyed = orders(new StreamEnvironment()).keyBy(({ shop }) => shop);
    expect(errorCode(() => keyed.window(minute, { allowedLateness: { minutes: -1 } }))).toBe('duration/invalid');
  });
});

test('everything is inferred', () => {
  const keyed = orders(new StreamEnvironment()).keyBy(({ shop }) => shop);
  expectTypeOf(keyed.window(minute).aggregate(totals)).toEqualTypeOf<
    OperatorStream<WindowResult<string, { n: number; total: number }>, { late: Order }>
  >();
  expectTypeOf(keyed.window(minute).reduce((a) => a)).toEqualTypeOf<OperatorStream<WindowResult<string, Order>, { late: Order }>>();
  const processed = keyed.window(session(({ cents }) => ({ minutes: cents }))).process({
    state: { seen: valueState({ initial: 0 }) },
    outputs: { odd: output<boolean>() },
    onWindow(elements, { key, state, output: emit }) {
      emit('odd', elements.length % 2 === 1);
      // @ts-expect-error no such output
      emit('even', true);
      state.seen.update(elements.length);
      return [`${key} ${elements[0]!.cents}`];
    },
  });
  expectTypeOf(processed.side('late')).toEqualTypeOf<DataStream<Order>>();
  expectTypeOf(processed.side('odd')).toEqualTypeOf<DataStream<boolean>>();
  expectTypeOf<typeof processed extends DataStream<infer T> ? T : never>().toEqualTypeOf<WindowResult<string, string>>();
  // @ts-expect-error not an assigner
  keyed.window({});
  // @ts-expect-error shop is not a number
  expect(() => keyed.window(minute).aggregate({ t: sum((order) => order.shop) })).not.toThrow();
  const refunds = keyed.map(({ shop }) => ({ refund: shop })).keyBy(({ refund }) => refund);
  expectTypeOf(keyed.join(refunds, { window: minute, select: (order, { refund }) => `${order.cents}${refund}` })).toEqualTypeOf<
    OperatorStream<string, { lateLeft: Order; lateRight: { refund: string } }>
  >();
  expectTypeOf(
    keyed.coGroup(refunds, { window: minute, select: (lefts, rights, { key }) => [[key, lefts.length, rights.length] as const] }),
  ).toEqualTypeOf<OperatorStream<readonly [string, number, number], { lateLeft: Order; lateRight: { refund: string } }>>();
});
