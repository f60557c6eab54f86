import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { aggregate, avg, count, type DataStream, distinct, fromArray, list, max, StreamEnvironment, sum, topK } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions, type Event, inBothModes, scripts, type Step, storedState, withWatermarks } from './steps.ts';

const SHAPE = {
  n: count(),
  total: sum(({ id }: Event) => id / 10),
  mean: avg(({ id }: Event) => id),
  latest: max(({ id }: Event) => id),
  ids: list<Event>(),
  sides: distinct(({ side }: Event) => side),
  top: topK(2, ({ id }: Event) => id),
};

const over =
  (last: number, shape = SHAPE) =>
  (i: { in: DataStream<Event> }) => {
    const framed = i.in.keyBy(({ key }) => key).over({ last: { milliseconds: last } }, shape, { uid: 'over' });
    return {
      out: framed.map(({ value, over: o }) => ({ id: value.id, ...o, ids: o.ids.map(({ id }) => id), top: o.top.map(({ id }) => id) })),
      late: framed.side('late'),
    };
  };

/** By definition, with what every element sees in time order. */
function oracle(script: readonly Step[], last: number) {
  const events = withWatermarks(script);
  const inTime = events.filter(({ at, watermark }) => at > watermark);
  const sorted = inTime.toSorted((a, b) => a.at - b.at || a.id - b.id);
  const out = sorted.map((event) => {
    const frame = sorted.filter(({ key, at }) => key === event.key && at >= event.at - last && at <= event.at);
    const ids = frame.map(({ id }) => id);
    const total = ids.reduce((a, id) => a + id, 0);
    return {
      id: event.id,
      n: frame.length,
      total: expect.closeTo(total / 10, 9) as number,
      mean: total / ids.length,
      latest: Math.max(...ids),
      ids,
      sides: new Set(frame.map(({ side }) => side)).size,
      top: ids.toSorted((a, b) => b - a).slice(0, 2),
    };
  });
  return { out, times: sorted.map(({ at }) => at), late: events.filter(({ at, watermark }) => at <= watermark).map(({ id }) => id) };
}

function feed<O>(h: { push(input: 'in', value: Event, at: number): O; watermark(at: number): O; end(): O }, script: readonly Step[]): void {
  let watermark = Number.MIN_SAFE_INTEGER;
  for (const step of script) {
    if (typeof step === 'number') h.watermark((watermark = Math.max(watermark, step)));
    else h.push('in', step, step.at);
  }
  h.end();
}

interface Payment {
  readonly card: string;
  readonly cents: number;
}

const spending = (i: { payments: DataStream<Payment> }) => {
  const framed = i.payments
    .keyBy(({ card }) => card)
    .over({ last: { milliseconds: 10 } }, { n: count(), spent: sum(({ cents }) => cents) }, { uid: 'spending' });
  return { out: framed, late: framed.side('late') };
};
const pay = (cents: number, card = 'a'): Payment => ({ card, cents });

describe('over', () => {
  test('each element with what came before it and its peers, when the watermark has reached it, in time order', () => {
    const h = harness(spending);
    h.push('payments', pay(1), 5)
      .push('payments', pay(2), 3)
      .push('payments', pay(4), 5)
      .push('payments', pay(8, 'b'), 4)
      .push('payments', pay(16), 15);
    expect(h.drain('out')).toEqual([]);
    h.watermark(5);
    expect(emissions(h.drainTimed('out'))).toEqual([
      [{ value: pay(2), over: { n: 1, spent: 2 } }, 3],
      [{ value: pay(8, 'b'), over: { n: 1, spent: 8 } }, 4],
      [{ value: pay(1), over: { n: 3, spent: 7 } }, 5],
      [{ value: pay(4), over: { n: 3, spent: 7 } }, 5],
    ]);
    h.push('payments', pay(32), 5).push('payments', pay(64), 6).end();
    expect(emissions(h.drainTimed('late'))).toEqual([[pay(32), 5]]);
    expect(emissions(h.drainTimed('out'))).toEqual([
      [{ value: pay(64), over: { n: 4, spent: 71 } }, 6],
      [{ value: pay(16), over: { n: 4, spent: 85 } }, 15],
    ]);
  });

  test('a frame of no length holds an element and its peers', () => {
    const { out } = everyCheckpoint(over(0), (h) =>
      feed(h, [
        { side: 'left', key: 'a', at: 1, id: 0 },
        { side: 'left', key: 'a', at: 2, id: 1 },
        { side: 'left', key: 'a', at: 2, id: 2 },
      ]),
    );
    expect(out.map(({ ids }) => ids)).toEqual([[0], [1, 2], [1, 2]]);
  });

  test('any script: what the definition says, to the last bit through every checkpoint', () => {
    fc.assert(
      fc.property(scripts({ steps: 14 }), fc.integer({ min: 0, max: 8 }), (script, last) => {
        const expected = oracle(script, last);
        const h = harness(over(last));
        feed(h, script);
        expect(h.drainTimed('out').map(({ timestamp }) => timestamp)).toEqual(expected.times);
        const { out, late } = everyCheckpoint(over(last), (s) => feed(s, script));
        expect(out).toEqual(expected.out);
        expect(late.map(({ id }) => id)).toEqual(expected.late);
      }),
      { numRuns: 50 },
    );
  });

  test('long scripts, out of order, with frames that turn over many times', () => {
    fc.assert(
      fc.property(scripts({ steps: 500, times: 20 }), fc.integer({ min: 0, max: 30 }), (script, last) => {
        const moving = script.map((step, i) =>
          typeof step === 'number' ? Math.round(i / 2) + step - 10 : { ...step, at: Math.round(i / 2) + step.at },
        );
        const h = harness(over(last));
        feed(h, moving);
        expect(h.drain('out')).toEqual(oracle(moving, last).out);
      }),
      { numRuns: 10 },
    );
  });

  test('in-order input gives the same in both modes, at any parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(
        scripts({ steps: 40, watermarks: false }),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(1, 3),
        async (script, last, parallelism) => {
          const events = (script as Event[]).map((event): Event => ({ ...event, side: 'left' }));
          const { streaming, batch } = await inBothModes(events, ({ left }) => over(last)({ in: left }).out, parallelism);
          expect(batch).toEqual(streaming);
          expect(streaming.length).toBe(events.length);
        },
      ),
      { numRuns: 15 },
    );
  });

  test('a key whose rows have all left the frame holds nothing', () => {
    const h = harness(spending);
    const keys = (): unknown[] => [...new Set(storedState(h.snapshot(), 'spending').keyed.map(({ key }) => key))];
    h.push('payments', pay(1, 'a'), 0).push('payments', pay(1, 'b'), 5).push('payments', pay(1, 'a'), 8).watermark(8);
    expect(keys()).toEqual(['a', 'b']);
    expect(storedState(h.snapshot(), 'spending').keyed.filter(({ state }) => state === 'expiry')).toHaveLength(2);
    h.watermark(14);
    expect(keys()).toEqual(['a', 'b']);
    h.push('payments', pay(1, 'c'), 40).watermark(15);
    expect(keys()).toEqual(['a', 'c']);
    h.watermark(18);
    expect(keys()).toEqual(['c']);
    h.watermark(50);
    expect(storedState(h.snapshot(), 'spending')).toEqual({ keyed: [], operator: [] });
  });

  test('rows that a waiting element will see are not freed by a watermark that passes both', () => {
    const h = harness(spending);
    h.push('payments', pay(1), 0).watermark(0);
    h.push('payments', pay(2), 10).watermark(1_000);
    expect(h.drain('out').map(({ over: { n } }) => n)).toEqual([1, 2]);
  });

  test('an element whose aggregate throws goes as onError says; its peers and the rest are as if it had not been', () => {
    const shape = {
      ...SHAPE,
      total: sum(({ id }: Event) => {
        if (id === 1) throw new Error('no');
        return id;
      }),
    };
    const events = [0, 1, 2, 3].map((id): Event => ({ side: 'left', key: 'a', at: id >> 1, id }));
    expect(() => feed(harness(over(5, shape)), events)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'over' }));
    const h = harness(over(5, shape), { run: { onError: 'skip' } });
    feed(h, events);
    expect(h.drain('out').map(({ ids }) => ids)).toEqual([[0], [0, 2, 3], [0, 2, 3]]);
  });

  test('so does one whose result throws', () => {
    const odd = aggregate({
      create: () => 0,
      add: (n, { at }: Event) => n + Math.sign(at + 1),
      merge: (a, b) => a + b,
      result(n) {
        if (n === 2) throw new Error('no');
        return n;
      },
    });
    const pipeline = (i: { in: DataStream<Event> }) => ({ out: i.in.keyBy(() => 0).over({ last: { days: 1 } }, { odd }, { uid: 'over' }) });
    const events = [0, 1, 2].map((id): Event => ({ side: 'left', key: 'a', at: id, id }));
    expect(() => feed(harness(pipeline), events)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'over' }));
    const h = harness(pipeline, { run: { onError: 'skip' } });
    feed(h, events);
    expect(h.drain('out').map((r) => r.over.odd)).toEqual([1, 3]);
  });

  test('refusals: no timestamp, a negative frame, a source without time', () => {
    expect(errorCode(() => harness(spending).push('payments', pay(1)))).toBe('timestamp/invalid');
    expect(errorCode(() => harness(over(-1)))).toBe('duration/invalid');
    const env = new StreamEnvironment();
    env
      .from(fromArray([pay(1)]))
      .keyBy(({ card }) => card)
      .over({ last: { minutes: 1 } }, { n: count() });
    expect(errorCode(() => env.plan())).toBe('graph/no-timestamps');
  });

  test('types', () => {
    const env = new StreamEnvironment();
    const framed = env
      .input<Payment>('p')
      .keyBy(({ card }) => [card, 1])
      .over({ last: { days: 1 } }, { n: count(), all: list<Payment>() }, { uid: 'o' });
    expectTypeOf(framed.map((r) => r.over)).toEqualTypeOf<DataStream<{ n: number; all: Payment[] }>>();
    expectTypeOf(framed.side('late')).toEqualTypeOf<DataStream<Payment>>();
    const keyed = env.input<Payment>('q').keyBy(({ card }) => card);
    // @ts-expect-error a card is no number
    keyed.over({ last: { days: 1 } }, { n: sum((p) => p.card) });
  });
});
