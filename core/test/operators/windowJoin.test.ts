import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, countTrigger, deltaTrigger, session, sliding, tumbling, type WindowAssigner } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { emissions, type Event, inBothModes, play, scripts, type Step, storedState, withWatermarks } from './steps.ts';

type Timed = readonly [key: string, at: number];

const threes = tumbling({ milliseconds: 3 });
const keyOf = ([key]: Timed): string => key;

const coGrouped = (i: { first: DataStream<Timed>; second: DataStream<Timed> }) => ({
  out: i.first.keyBy(keyOf).coGroup(i.second.keyBy(keyOf), {
    uid: 'groups',
    window: threes,
    select: (lefts, rights, { key }) => [{ key, first: lefts.map(([, at]) => at), second: rights.map(([, at]) => at) }],
  }),
});

const joined =
  (window: WindowAssigner<unknown>, lateness = 0) =>
  (i: { left: DataStream<Event>; right: DataStream<Event> }) => {
    const pairs = i.left
      .keyBy(({ key }) => key)
      .join(
        i.right.keyBy(({ key }) => key),
        { uid: 'join', window, allowedLateness: { milliseconds: lateness }, select: (l, r) => `${l.id}-${r.id}` },
      );
    return { pairs, lateLeft: pairs.side('lateLeft'), lateRight: pairs.side('lateRight') };
  };

describe('coGroup', () => {
  test('gives what both sides have for a key and window, also where one has nothing', () => {
    const first: Timed[] = [['a', 0], ['a', 1], ['a', 2], ['b', 3], ['b', 4], ['b', 5], ['a', 6], ['a', 7], ['a', 8]]; // prettier-ignore
    const second: Timed[] = [['a', 0], ['a', 1], ['b', 3], ['c', 6], ['c', 7], ['c', 8]]; // prettier-ignore
    const h = harness(coGrouped);
    for (const each of first) h.push('first', each, each[1]);
    for (const each of second) h.push('second', each, each[1]);
    h.end();
    expect(h.drain('out')).toEqual([
      { key: 'a', first: [0, 1, 2], second: [0, 1] },
      { key: 'b', first: [3, 4, 5], second: [3] },
      { key: 'a', first: [6, 7, 8], second: [] },
      { key: 'c', first: [], second: [6, 7, 8] },
    ]);
  });

  test('tells the window and which firing of it this is', () => {
    const pipeline = (i: { first: DataStream<Timed>; second: DataStream<Timed> }) => ({
      out: i.first.keyBy(keyOf).coGroup(i.second.keyBy(keyOf), {
        window: threes,
        allowedLateness: { milliseconds: 5 },
        trigger: countTrigger(2),
        *select(lefts, rights, { window, pane, watermark }) {
          yield `[${window.start} ${window.end}) ${lefts.length}/${rights.length} ${pane.timing} ${pane.index} @${watermark}`;
        },
      }),
    });
    const h = harness(pipeline).push('first', ['a', 0], 0).push('second', ['a', 1], 1).watermark(4);
    h.push('first', ['a', 0], 0).push('first', ['a', 1], 1);
    expect(h.drainTimed('out')).toEqual([
      { value: `[0 3) 1/1 early 0 @${Number.MIN_SAFE_INTEGER}`, timestamp: 2 },
      { value: '[0 3) 3/1 late 1 @4', timestamp: 2 },
    ]);
  });

  test('in sessions, which elements of both sides make', () => {
    const pipeline = (i: { first: DataStream<Timed>; second: DataStream<Timed> }) => ({
      out: i.first.keyBy(keyOf).coGroup(i.second.keyBy(keyOf), {
        window: session({ milliseconds: 3 }),
        select: (lefts, rights, { window }) => [[window.start, window.end, lefts.length, rights.length]],
      }),
    });
    const script = (h: ReturnType<typeof harness<{ first: Timed; second: Timed }, { out: number[] }>>) =>
      h.push('first', ['a', 0], 0).push('first', ['a', 5], 5).push('second', ['a', 3], 3).watermark(6).end();
    expect(everyCheckpoint(pipeline, script as never)).toEqual({ out: [[0, 8, 2, 1]] });
  });
});

describe('join', () => {
  test('gives every pair of a key and window, at the window’s last ms, and nothing where a side is empty', () => {
    const first: Timed[] = [['a', 0], ['a', 1], ['a', 2], ['b', 3], ['b', 5], ['a', 6], ['a', 7], ['a', 8]]; // prettier-ignore
    const second: Timed[] = [['a', 0], ['a', 1], ['b', 3], ['b', 5], ['a', 6], ['a', 8], ['c', 9]]; // prettier-ignore
    const pipeline = (i: { first: DataStream<Timed>; second: DataStream<Timed> }) => ({
      out: i.first.keyBy(keyOf).join(i.second.keyBy(keyOf), { window: threes, select: ([, l], [, r]) => [l, r] }),
    });
    const h = harness(pipeline);
    for (const each of first) h.push('first', each, each[1]);
    for (const each of second) h.push('second', each, each[1]);
    h.end();
    expect(emissions(h.drainTimed('out'))).toEqual([
      ...[[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]].map((pair) => [pair, 2]), // prettier-ignore
      ...[[3, 3], [3, 5], [5, 3], [5, 5]].map((pair) => [pair, 5]), // prettier-ignore
      ...[[6, 6], [6, 8], [7, 6], [7, 8], [8, 6], [8, 8]].map((pair) => [pair, 8]), // prettier-ignore
    ]);
  });

  test('the result of a window [5, 10) is at 9', () => {
    const fives = tumbling({ milliseconds: 5 });
    const event = (side: Event['side'], at: number): Event => ({ side, key: 'k', at, id: at });
    const h = harness(joined(fives)).push('left', event('left', 5), 5).push('right', event('right', 7), 7).end();
    expect(h.drainTimed('pairs')).toEqual([{ value: '5-7', timestamp: 9 }]);
  });

  /** Every pair by definition: for each window that is open for both when they come, once, at its end. */
  function oracle(size: number, slide: number, script: readonly Step[]): Record<string, unknown[]> {
    const events = withWatermarks(script);
    const windowsOf = ({ at }: Event): number[] => {
      const starts = [];
      for (let start = Math.floor(at / slide) * slide; start > at - size; start -= slide) starts.push(start);
      return starts;
    };
    const open = (event: Event & { watermark: number }): number[] => windowsOf(event).filter((start) => start + size - 1 > event.watermark);
    const late = (side: string) => events.filter((event) => event.side === side && open(event).length === 0).map(({ id }) => id);
    const pairs = events
      .filter(({ side }) => side === 'left')
      .flatMap((l) => events.filter((r) => r.side === 'right' && r.key === l.key).map((r) => [l, r] as const))
      .flatMap(([l, r]) => open(l).filter((start) => open(r).includes(start)).map((start) => JSON.stringify([`${l.id}-${r.id}`, start + size - 1]))); // prettier-ignore
    return { pairs: pairs.sort(), lateLeft: late('left'), lateRight: late('right') };
  }

  const shapes = fc
    .record({ size: fc.integer({ min: 1, max: 8 }), slide: fc.integer({ min: 1, max: 8 }) })
    .filter(({ size, slide }) => slide <= size);

  test('pairs and late elements are those of the definition', () => {
    fc.assert(
      fc.property(shapes, scripts({ steps: 40 }), ({ size, slide }, script) => {
        const h = harness(joined(sliding({ milliseconds: size }, { every: { milliseconds: slide } })));
        play(h, script);
        const ids = (output: 'lateLeft' | 'lateRight') => h.drain(output).map(({ id }) => id);
        const pairs = emissions(h.drainTimed('pairs')).map((pair) => JSON.stringify(pair));
        expect({ pairs: pairs.sort(), lateLeft: ids('lateLeft'), lateRight: ids('lateRight') }).toEqual(oracle(size, slide, script));
        expect(storedState(h.snapshot(), 'join').keyed).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('a crash between any two steps changes nothing', () => {
    fc.assert(
      fc.property(scripts({ steps: 20 }), (script) => {
        everyCheckpoint(joined(threes, 4), (h) => play(h as never, script));
      }),
      { numRuns: 30 },
    );
  });

  test('both modes give the same pairs', async () => {
    await fc.assert(
      fc.asyncProperty(scripts({ steps: 40, watermarks: false }), fc.integer({ min: 1, max: 3 }), async (script, parallelism) => {
        const { streaming, batch } = await inBothModes(script as Event[], (sides) => joined(threes)(sides).pairs, parallelism);
        expect(batch).toEqual(streaming);
      }),
      { numRuns: 20 },
    );
  });

  test('is refused for a stream without a key, and for a trigger that sessions cannot have', () => {
    const unkeyed = (i: { left: DataStream<Event>; right: DataStream<Event> }) => ({
      out: i.left.keyBy(({ key }) => key).join(i.right as never, { window: threes, select: (l) => l }),
    });
    expect(errorCode(() => harness(unkeyed))).toBe('graph/option');
    const merging = (i: { left: DataStream<Event>; right: DataStream<Event> }) => ({
      out: i.left
        .keyBy(({ key }) => key)
        .join(
          i.right.keyBy(({ key }) => key),
          { window: session({ seconds: 1 }), trigger: deltaTrigger({ threshold: 1, delta: () => 0 }), select: (l) => l },
        ),
    });
    expect(errorCode(() => harness(merging))).toBe('trigger/no-merge');
  });
});
