import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, type Duration, fromArray, StreamEnvironment } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions, type Event, inBothModes, play, scripts, type Step, storedState, withWatermarks } from './steps.ts';

interface Bounds {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive?: boolean;
  readonly upperInclusive?: boolean;
}

const ms = (milliseconds: number): Duration => ({ milliseconds });
const time = (stream: DataStream<number>) => stream.keyBy(() => 'key');

/** Elements are their own times; a pair is `[left, right]`. */
const pairs =
  ({ lower, upper, ...inclusive }: Bounds) =>
  (i: { left: DataStream<number>; right: DataStream<number> }) => {
    const joined = time(i.left).intervalJoin(time(i.right), {
      uid: 'join',
      between: [ms(lower), ms(upper)],
      ...inclusive,
      select: (l, r) => [l, r] as const,
    });
    return { pairs: joined, lateLeft: joined.side('lateLeft'), lateRight: joined.side('lateRight') };
  };

const join =
  ({ lower, upper, ...inclusive }: Bounds) =>
  (i: { left: DataStream<Event>; right: DataStream<Event> }) => {
    const joined = i.left
      .keyBy(({ key }) => key)
      .intervalJoin(
        i.right.keyBy(({ key }) => key),
        { uid: 'join', between: [ms(lower), ms(upper)], ...inclusive, select: (l, r) => `${l.id}-${r.id}` },
      );
    return { pairs: joined, lateLeft: joined.side('lateLeft'), lateRight: joined.side('lateRight') };
  };

const bounds: fc.Arbitrary<Bounds> = fc
  .tuple(fc.integer({ min: -4, max: 4 }), fc.integer({ min: 0, max: 5 }), fc.boolean(), fc.boolean())
  .map(([lower, span, lowerInclusive, upperInclusive]) => ({ lower, upper: lower + span, lowerInclusive, upperInclusive }))
  .filter((b) => (b.lowerInclusive ? b.lower : b.lower + 1) <= (b.upperInclusive ? b.upper : b.upper - 1));

function meets(l: number, r: number, { lower, upper, lowerInclusive = true, upperInclusive = true }: Bounds): boolean {
  const distance = r - l;
  return (lowerInclusive ? distance >= lower : distance > lower) && (upperInclusive ? distance <= upper : distance < upper);
}

/** Every pair by definition: neither late, and the earlier arrival not yet let go when the later one comes. */
function oracle(
  script: readonly Step[],
  b: Bounds,
): { readonly pairs: string[]; readonly lateLeft: number[]; readonly lateRight: number[] } {
  const events = withWatermarks(script);
  const inTime = events.filter(({ at, watermark }) => at >= watermark);
  const late = (side: string) => events.filter((event) => event.side === side && event.at < event.watermark).map(({ id }) => id);
  const held = (event: Event, until: number) => {
    const end =
      event.at +
      Math.max(
        event.side === 'left'
          ? b.upperInclusive === false
            ? b.upper - 1
            : b.upper
          : -(b.lowerInclusive === false ? b.lower + 1 : b.lower),
        0,
      );
    // Time must have gone past the end after the element came: a watermark that was there before lets nothing go.
    return !events.some(
      ({ watermark, id }) =>
        id > event.id && id <= until && watermark > events.find((e) => e.id === event.id)!.watermark && watermark >= end,
    );
  };
  const found = inTime
    .filter(({ side }) => side === 'left')
    .flatMap((l) =>
      inTime
        .filter((r) => r.side === 'right' && r.key === l.key && meets(l.at, r.at, b))
        .filter((r) => (l.id < r.id ? held(l, r.id) : held(r, l.id)))
        .map((r) => `${l.id}-${r.id}`),
    );
  return { pairs: found, lateLeft: late('left'), lateRight: late('right') };
}

describe('interval join', () => {
  const four = [1, 2, 3, 4];
  test.each([
    [
      'inclusive, both before',
      { lower: -2, upper: -1 },
      [
        [2, 1],
        [3, 1],
        [3, 2],
        [4, 2],
        [4, 3],
      ],
    ],
    [
      'inclusive and exclusive, both after',
      { lower: 1, upper: 3, upperInclusive: false },
      [
        [1, 2],
        [1, 3],
        [2, 3],
        [2, 4],
        [3, 4],
      ],
    ],
    ['exclusive on both sides', { lower: -1, upper: 1, lowerInclusive: false, upperInclusive: false }, four.map((at) => [at, at])],
  ] as const)('%s: the same pairs whichever side comes first, with the later time', (_, b, expected) => {
    for (const order of [
      ['left', 'right'],
      ['right', 'left'],
    ] as const) {
      const h = harness(pairs(b));
      for (const side of order) for (const at of four) h.push(side, at, at);
      const out = h.drainTimed('pairs');
      expect(new Set(out.map(({ value }) => value.join()))).toEqual(new Set(expected.map((pair) => pair.join())));
      expect(out).toHaveLength(expected.length);
      for (const { value, timestamp } of out) expect(timestamp).toBe(Math.max(...value));
    }
  });

  test('an element of the watermark itself still joins, an older one is late', () => {
    const h = harness(pairs({ lower: -1, upper: 1 }));
    h.push('left', 3, 3).push('right', 3, 3).watermark(3);
    h.push('left', 4, 4).push('right', 4, 4).push('left', 1, 1).push('right', 2, 2).push('left', 5, 5).push('right', 5, 5);
    expect(h.drain('pairs').map((pair) => pair.join())).toEqual(['3,3', '4,3', '3,4', '4,4', '5,4', '4,5', '5,5']);
    expect(emissions(h.drainTimed('lateLeft'))).toEqual([[1, 1]]);
    expect(emissions(h.drainTimed('lateRight'))).toEqual([[2, 2]]);
  });

  const five = [1, 2, 3, 4, 5];
  test.each([
    [
      { lower: -1, upper: 0 },
      { 1: [[2, 3, 4, 5], five], 4: [[5], [4, 5]], 6: [[], []] },
    ],
    [
      { lower: 0, upper: 1 },
      { 1: [five, [2, 3, 4, 5]], 4: [[4, 5], [5]], 6: [[], []] },
    ],
    [
      { lower: 2, upper: 3 },
      { 1: [five, [2, 3, 4, 5]], 4: [[2, 3, 4, 5], [5]], 8: [[], []] },
    ],
    [
      { lower: -3, upper: -2 },
      { 1: [[2, 3, 4, 5], five], 4: [[5], [2, 3, 4, 5]], 8: [[], []] },
    ],
  ])('within %o it holds what can still find a partner, and nothing for a key without', (b, expected) => {
    for (const order of [five, [...five].reverse(), [3, 5, 1, 2, 4]]) {
      const h = harness(pairs(b));
      for (const side of ['left', 'right'] as const) for (const at of order) h.push(side, at, at);
      const held = (side: string) => {
        const entries = storedState(h.snapshot(), 'join').keyed.filter(({ state }) => state === side);
        return entries.flatMap(({ value }) => (value as { times: number[] }).times);
      };
      for (const [watermark, [left, right]] of Object.entries(expected)) {
        h.watermark(Number(watermark));
        expect([held('left'), held('right')]).toEqual([left, right]);
      }
      expect(storedState(h.snapshot(), 'join').keyed).toEqual([]);
    }
  });

  test('any script: the pairs of the definition, also through every checkpoint', () => {
    fc.assert(
      fc.property(scripts({ steps: 12 }), bounds, (script, b) => {
        const out = everyCheckpoint(join(b), (h) => play(h, script));
        const expected = oracle(script, b);
        expect([...out.pairs].sort()).toEqual(expected.pairs.sort());
        expect(out.lateLeft.map(({ id }) => id)).toEqual(expected.lateLeft);
        expect(out.lateRight.map(({ id }) => id)).toEqual(expected.lateRight);
      }),
      { numRuns: 50 },
    );
  });

  test('long scripts, where buffers are cut and refilled', () => {
    fc.assert(
      fc.property(scripts({ steps: 400, times: 60 }), bounds, (script, b) => {
        const ordered = script
          .map((step, i) => (typeof step === 'number' ? i / 4 - 8 : { ...step, at: Math.round(i / 4 + step.at / 10) }))
          .map((s) => (typeof s === 'number' ? Math.round(s) : s));
        const h = harness(join(b));
        play(h, ordered);
        expect(h.drain('pairs').sort()).toEqual(oracle(ordered, b).pairs.sort());
      }),
      { numRuns: 15 },
    );
  });

  test('in-order input gives the same in both modes, at any parallelism', async () => {
    await fc.assert(
      fc.asyncProperty(scripts({ steps: 40, watermarks: false }), bounds, fc.constantFrom(1, 3), async (script, b, parallelism) => {
        const events = script as Event[];
        const { streaming, batch } = await inBothModes(events, (sides) => join(b)(sides).pairs, parallelism);
        expect(batch).toEqual(streaming);
        expect(streaming).toEqual(
          oracle(events, b)
            .pairs.map((pair) => JSON.stringify(pair))
            .sort(),
        );
      }),
      { numRuns: 15 },
    );
  });

  test('elements at the ends of time', () => {
    const h = harness(pairs({ lower: -1, upper: 1 }));
    const end = Number.MAX_SAFE_INTEGER;
    h.push('left', end, end)
      .push('right', end - 1, end - 1)
      .push('left', -end, -end)
      .push('right', -end, -end)
      .end();
    expect(h.drain('pairs')).toEqual([
      [end, end - 1],
      [-end, -end],
    ]);
  });

  test('an element without a timestamp is refused on either side', () => {
    const pipeline = pairs({ lower: 0, upper: 0 });
    for (const side of ['left', 'right'] as const) {
      expect(errorCode(() => harness(pipeline).push(side, 1))).toBe('timestamp/invalid');
      const h = harness(pipeline, { run: { onError: 'skip' } });
      h.push(side, 1).push('left', 2, 2).push('right', 2, 2);
      expect(h.drain('pairs')).toEqual([[2, 2]]);
    }
  });

  test('what select throws names the join', () => {
    const h = harness((i: { left: DataStream<number>; right: DataStream<number> }) => ({
      out: time(i.left).intervalJoin(time(i.right), {
        uid: 'broken',
        between: [ms(0), ms(0)],
        select: () => {
          throw new Error('no');
        },
      }),
    }));
    expect(() => h.push('left', 1, 1).push('right', 1, 1)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'broken' }));
  });

  test('bounds that no distance can meet are refused when the job is built', () => {
    expect(errorCode(() => harness(pairs({ lower: 1, upper: 0 })))).toBe('graph/option');
    expect(errorCode(() => harness(pairs({ lower: 1, upper: 1, lowerInclusive: false })))).toBe('graph/option');
    expect(errorCode(() => harness(pairs({ lower: 0.5, upper: 1 })))).toBe('duration/invalid');
  });

  test('a source without time, or a stream without a key, is refused when the job is built', () => {
    const env = new StreamEnvironment();
    const numbers = env.from(fromArray([1]));
    time(numbers).intervalJoin(time(numbers), { between: [ms(0), ms(0)], select: () => 0 });
    expect(errorCode(() => env.plan())).toBe('graph/no-timestamps');
    // @ts-expect-error the other side has no key
    expect(errorCode(() => time(numbers).intervalJoin(numbers, { between: [ms(0), ms(0)], select: () => 0 }))).toBe('graph/option');
  });
});
