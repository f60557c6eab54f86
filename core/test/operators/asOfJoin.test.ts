import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { type DataStream, fromArray, StreamEnvironment } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions, type Event, inBothModes, play, scripts, type Step, storedState, withWatermarks } from './steps.ts';

const join = (wait: number) => (i: { left: DataStream<Event>; right: DataStream<Event> }) => {
  const joined = i.left
    .keyBy(({ key }) => key)
    .joinAsOf(
      i.right.keyBy(({ key }) => key),
      { uid: 'join', wait: { milliseconds: wait }, select: (l, version) => `${l.id}<${version?.id ?? '-'}` },
    );
  return { out: joined, late: joined.side('late'), lateVersions: joined.side('lateVersions') };
};

/**
 * By definition. What is not late meets the latest version at or before its time among those that were there when the clock passed it:
 * versions in time count by their time, late ones from when they came.
 */
function oracle(
  script: readonly Step[],
  wait: number,
): { readonly out: [string, number][]; readonly late: number[]; readonly lateVersions: number[] } {
  const events = withWatermarks(script).map((event) => ({ ...event, late: event.at <= event.watermark - wait }));
  const end = script.length;
  const clocks = [...script.entries()].flatMap(([step, s]) => (typeof s === 'number' ? [{ step, clock: s - wait }] : []));
  /** The step of the script at which the clock passes a time. */
  const passedAt = (event: Event): number =>
    Math.min(end, ...clocks.filter(({ step, clock }) => step > event.id && clock >= event.at).map(({ step }) => step));
  const lefts = events.filter(({ side, late }) => side === 'left' && !late);
  const out = lefts.map((l) => {
    const given = passedAt(l);
    // Arrivals in the order in which they took effect: those in time at their time, late ones when they came, if nothing newer was there.
    const versions = events.filter((v) => v.side === 'right' && v.key === l.key && v.at <= l.at && (!v.late || v.id < given));
    const newest = versions.sort((a, b) => a.at - b.at || a.id - b.id).at(-1);
    return { text: `${l.id}<${newest?.id ?? '-'}`, at: l.at, given, id: l.id };
  });
  out.sort((a, b) => a.at - b.at || a.id - b.id);
  const late = (side: string) => events.filter((event) => event.side === side && event.late).map(({ id }) => id);
  return { out: out.map(({ text, at }) => [text, at]), late: late('left'), lateVersions: late('right') };
}

interface Price {
  readonly product: string;
  readonly cents: number;
}

const priced = (wait?: number) => (i: { orders: DataStream<string>; prices: DataStream<Price> }) => {
  const joined = i.orders
    .keyBy((product) => product)
    .joinAsOf(
      i.prices.keyBy(({ product }) => product),
      {
        uid: 'priced',
        ...(wait !== undefined && { wait: { milliseconds: wait } }),
        select: (product, price) => `${product} ${price?.cents}`,
      },
    );
  return { out: joined, late: joined.side('late'), lateVersions: joined.side('lateVersions') };
};
const price = (cents: number, product = 'tea'): Price => ({ product, cents });

describe('as-of join', () => {
  test('the version valid at the element’s time, whatever came first; of one time, the one that came last', () => {
    const { out } = everyCheckpoint(priced(), (h) =>
      h
        .push('orders', 'tea', 10)
        .push('orders', 'tea', 5)
        .push('orders', 'milk', 10)
        .push('prices', price(1), 6)
        .push('prices', price(2), 10)
        .push('prices', price(3), 10)
        .push('prices', price(4), 11)
        .push('orders', 'tea', 9)
        .end(),
    );
    expect(out).toEqual(['tea undefined', 'tea 1', 'tea 3', 'milk undefined']);
  });

  test('results wait for the watermark, come in time order over all keys and have the element’s time', () => {
    const h = harness(priced());
    h.push('orders', 'tea', 10).push('orders', 'milk', 8).push('orders', 'tea', 7).push('orders', 'milk', 12);
    expect(h.drain('out')).toEqual([]);
    h.watermark(9);
    expect(emissions(h.drainTimed('out'))).toEqual([
      ['tea undefined', 7],
      ['milk undefined', 8],
    ]);
    h.watermark(10);
    expect(emissions(h.drainTimed('out'))).toEqual([['tea undefined', 10]]);
    h.end();
    expect(emissions(h.drainTimed('out'))).toEqual([['milk undefined', 12]]);
  });

  test('elements behind the watermark are late; a late version counts for those to come unless a newer one is there', () => {
    const h = harness(priced());
    h.push('prices', price(1), 5).push('orders', 'tea', 10).watermark(10);
    h.push('orders', 'tea', 10).push('prices', price(2), 8).push('prices', price(3), 7);
    expect(emissions(h.drainTimed('late'))).toEqual([['tea', 10]]);
    expect(emissions(h.drainTimed('lateVersions'))).toEqual([
      [price(2), 8],
      [price(3), 7],
    ]);
    h.push('orders', 'tea', 11).watermark(11);
    expect(h.drain('out')).toEqual(['tea 1', 'tea 2']);
  });

  test('with a wait, what comes late by no more than that still counts, and time goes on later downstream', () => {
    const watermarks = (i: Parameters<ReturnType<typeof priced>>[0]) => {
      const { out, late, lateVersions } = priced(5)(i);
      const seen = out
        .keyBy(() => 0)
        .process({ onElement: (value, { watermark, timestamp }) => [`${value} ${timestamp! > watermark ? 'in time' : 'late'}`] });
      return { out: seen, late, lateVersions };
    };
    const h = harness(watermarks);
    h.push('orders', 'tea', 10).watermark(12).push('prices', price(1), 9).push('orders', 'tea', 8).watermark(14);
    expect(h.drain('out')).toEqual(['tea undefined in time']);
    h.watermark(15);
    expect(h.drain('out')).toEqual(['tea 1 in time']);
    h.push('orders', 'tea', 10).push('orders', 'tea', 11).push('prices', price(2), 10).end();
    expect(h.drain('late')).toEqual(['tea']);
    expect(h.drain('lateVersions')).toEqual([price(2)]);
    expect(h.drain('out')).toEqual(['tea 2 in time']);
  });

  test('behind the clock one version per key is held, and a key without any costs nothing', () => {
    const h = harness(priced());
    for (let at = 0; at < 50; at++)
      h.push('prices', price(at), at)
        .push('orders', at % 2 === 0 ? 'tea' : 'milk', at)
        .watermark(at);
    const { keyed } = storedState(h.snapshot(), 'priced');
    expect(keyed.map(({ key, value }) => [key, value])).toEqual([['tea', { since: 49, value: price(49) }]]);
  });

  test('any script: what the definition says, in order, also through every checkpoint', () => {
    fc.assert(
      fc.property(scripts({ steps: 14 }), fc.constantFrom(0, 0, 2, 5), (script, wait) => {
        const expected = oracle(script, wait);
        const h = harness(join(wait));
        play(h, script);
        expect(emissions(h.drainTimed('out'))).toEqual(expected.out);
        const out = everyCheckpoint(join(wait), (s) => play(s, script));
        expect(out.out).toEqual(expected.out.map(([text]) => text));
        expect(out.late.map(({ id }) => id)).toEqual(expected.late);
        expect(out.lateVersions.map(({ id }) => id)).toEqual(expected.lateVersions);
      }),
      { numRuns: 50 },
    );
  });

  test('long scripts out of order', () => {
    fc.assert(
      fc.property(scripts({ steps: 600, times: 40 }), fc.constantFrom(0, 7), (script, wait) => {
        const moving = script.map((step, i) =>
          typeof step === 'number' ? Math.round(i / 3) + step - 20 : { ...step, at: Math.round(i / 3) + step.at },
        );
        const h = harness(join(wait));
        play(h, moving);
        expect(emissions(h.drainTimed('out'))).toEqual(oracle(moving, wait).out);
      }),
      { numRuns: 10 },
    );
  });

  test('in-order input gives the same in both modes, at any parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(
        scripts({ steps: 40, watermarks: false }),
        fc.constantFrom(0, 4),
        fc.constantFrom(1, 3),
        async (script, wait, parallelism) => {
          const events = (script as Event[]).map((event, i, all) => ({
            ...event,
            at: i === 0 || event.side !== all[i - 1]!.side ? event.at : all[i - 1]!.at,
          }));
          const { streaming, batch } = await inBothModes(events, (sides) => join(wait)(sides).out, parallelism);
          expect(batch).toEqual(streaming);
          expect(streaming).toEqual(
            oracle(events, wait)
              .out.map(([text]) => JSON.stringify(text))
              .sort(),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  test('an element that select refuses goes as onError says, and the rest goes on', () => {
    const broken = (i: { left: DataStream<Event>; right: DataStream<Event> }) => ({
      out: i.left
        .keyBy(({ key }) => key)
        .joinAsOf(
          i.right.keyBy(({ key }) => key),
          {
            uid: 'broken',
            select(l) {
              if (l.id === 1) throw new Error('no');
              return l.id;
            },
          },
        ),
    });
    const events = [0, 1, 2].map((id): Event => ({ side: 'left', key: 'a', at: id, id }));
    expect(() => play(harness(broken), events)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'broken' }));
    const h = harness(broken, { run: { onError: 'skip' } });
    play(h, events);
    expect(h.drain('out')).toEqual([0, 2]);
  });

  test('refusals: no timestamp, a negative wait, no time, no key', () => {
    expect(errorCode(() => harness(priced()).push('orders', 'tea'))).toBe('timestamp/invalid');
    expect(errorCode(() => harness(priced()).push('prices', price(1)))).toBe('timestamp/invalid');
    expect(errorCode(() => harness(priced(-1)))).toBe('duration/invalid');
    const env = new StreamEnvironment();
    const numbers = env.from(fromArray([1]));
    const keyed = numbers.keyBy((n) => n);
    keyed.joinAsOf(keyed, { select: () => 0 });
    expect(errorCode(() => env.plan())).toBe('graph/no-timestamps');
    // @ts-expect-error the versions have no key
    expect(errorCode(() => keyed.joinAsOf(numbers, { select: () => 0 }))).toBe('graph/option');
  });

  test('types: the version may be undefined, side outputs keep their element', () => {
    const env = new StreamEnvironment();
    const orders = env.input<string>('orders').keyBy((product) => product);
    const joined = orders.joinAsOf(
      env.input<Price>('prices').keyBy(({ product }) => product),
      { select: (order, version) => ({ order, cents: version?.cents }) },
    );
    expectTypeOf(joined.side('late')).toEqualTypeOf<DataStream<string>>();
    expectTypeOf(joined.side('lateVersions')).toEqualTypeOf<DataStream<Price>>();
    expectTypeOf(joined.map(({ cents }) => cents)).toEqualTypeOf<DataStream<number | undefined>>();
  });
});
