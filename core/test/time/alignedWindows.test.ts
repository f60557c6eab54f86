import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WindowAssigner } from '../../src/time/assigner.ts';
import { sliding } from '../../src/time/sliding.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import { tumbling } from '../../src/time/tumbling.ts';
import { maxTimestamp } from '../../src/time/window.ts';
import { errorCode } from './errorCode.ts';

const ms = (milliseconds: number) => ({ milliseconds });

function assigned(assigner: WindowAssigner<unknown>, at: number): [number, number][] {
  return assigner.assign(undefined, at, NaN).map(({ start, end }) => [start, end]);
}

/** Every window of the grid that holds `at`, found by trying all. */
function naive(at: number, size: number, slide: number, offset: number): [number, number][] {
  const found: [number, number][] = [];
  for (let n = Math.floor((at - size) / slide) - 2; n <= Math.ceil(at / slide) + 2; n++) {
    const start = n * slide + offset;
    if (start <= at && at < start + size) found.push([start, start + size]);
  }
  return found;
}

describe('tumbling', () => {
  test.each([
    [0, 4_999, [0, 5_000]],
    [0, 5_000, [5_000, 10_000]],
    [0, -1, [-5_000, 0]],
    [100, 99, [-4_900, 100]],
    [100, 5_099, [100, 5_100]],
    [-100, 4_899, [-100, 4_900]],
    [-100, 4_900, [4_900, 9_900]],
  ])('with offset %i puts %i into %j', (offset, at, window) => {
    expect(assigned(tumbling(ms(5_000), { offset: ms(offset) }), at)).toEqual([window]);
  });

  test('by processing time asks the clock, not the element', () => {
    const byClock = tumbling(ms(10), { domain: 'processingTime' });
    expect(byClock.assign(undefined, NO_TIMESTAMP, 25)).toEqual([{ start: 20, end: 30 }]);
    expect(byClock.trigger.definition.domain).toBe('processingTime');
  });

  test('says what it is', () => {
    const hours = tumbling({ hours: 1 }, { offset: { minutes: 5 } });
    expect(hours).toMatchObject({ name: 'tumbling 1h', domain: 'eventTime', merging: false });
    expect(hours.alignment).toEqual({ size: 3_600_000, slide: 3_600_000, offset: 300_000 });
    expect(tumbling({ hours: 1 }, { domain: 'processingTime' }).name).toBe('tumbling 1h (processing time)');
  });

  test('holds the ends of time', () => {
    const windows = tumbling(ms(7));
    for (const at of [MIN_TIMESTAMP, MIN_TIMESTAMP + 1, MAX_TIMESTAMP - 1, MAX_TIMESTAMP]) {
      const [window] = windows.assign(undefined, at, NaN);
      expect(window!.start).toBeLessThanOrEqual(at);
      expect(window!.start).toBeGreaterThanOrEqual(MIN_TIMESTAMP);
      expect(maxTimestamp(window!)).toBeGreaterThanOrEqual(at);
      expect(window!.end).toBeLessThanOrEqual(MAX_TIMESTAMP);
    }
  });
});

describe('sliding', () => {
  test('assigns the windows that overlap the element, the earliest first', () => {
    expect(assigned(sliding(ms(5_000), { every: ms(1_000) }), 0)).toEqual([
      [-4_000, 1_000],
      [-3_000, 2_000],
      [-2_000, 3_000],
      [-1_000, 4_000],
      [0, 5_000],
    ]);
  });

  test('assigns none to an element in a gap', () => {
    const windows = sliding(ms(2), { every: ms(5) });
    expect([-1, 0, 1, 2, 3, 4, 5].map((at) => assigned(windows, at).length)).toEqual([0, 1, 1, 0, 0, 0, 1]);
  });

  test('by processing time asks the clock', () => {
    const windows = sliding(ms(20), { every: ms(10), domain: 'processingTime' });
    expect(windows.assign(undefined, 0, 25)).toEqual([
      { start: 10, end: 30 },
      { start: 20, end: 40 },
    ]);
  });

  test('ends at the beginning of time too', () => {
    expect(sliding(ms(50), { every: ms(1) }).assign(undefined, MIN_TIMESTAMP, NaN).length).toBeGreaterThan(0);
  });
});

test('elements in any order get the windows that a search through all of them finds', () => {
  const times = fc.array(fc.oneof(fc.integer({ min: -200, max: 200 }), fc.integer({ min: 0, max: 20 })), { minLength: 1, maxLength: 50 });
  const grid = fc
    .record({ size: fc.integer({ min: 1, max: 40 }), slide: fc.integer({ min: 1, max: 40 }) })
    .chain(({ size, slide }) =>
      fc.record({ size: fc.constant(size), slide: fc.constant(slide), offset: fc.integer({ min: 1 - slide, max: slide - 1 }) }),
    );
  fc.assert(
    fc.property(grid, times, ({ size, slide, offset }, times) => {
      const windows = sliding(ms(size), { every: ms(slide), offset: ms(offset) });
      for (const at of times) expect(assigned(windows, at)).toEqual(naive(at, size, slide, offset));
    }),
    { numRuns: 500 },
  );
});

test('an element is in size / slide windows, all of which hold it', () => {
  const input = fc.record({ slide: fc.integer({ min: 1, max: 10 ** 6 }), times: fc.integer({ min: 1, max: 30 }), at: fc.integer() });
  fc.assert(
    fc.property(input, ({ slide, times, at }) => {
      const windows = assigned(sliding(ms(slide * times), { every: ms(slide) }), at);
      expect(windows).toHaveLength(times);
      expect(windows.every(([start, end]) => start <= at && at < end)).toBe(true);
    }),
  );
});

describe('refused', () => {
  test.each([
    ['a negative size', () => sliding(ms(-2_000), { every: ms(1_000) })],
    ['a negative distance', () => sliding(ms(2_000), { every: ms(-1_000) })],
    ['an offset below the distance', () => sliding(ms(20_000), { every: ms(10_000), offset: ms(-11_000) })],
    ['an offset above the distance', () => sliding(ms(20_000), { every: ms(10_000), offset: ms(11_000) })],
    ['a negative tumbling size', () => tumbling(ms(-1_000))],
    ['no size', () => tumbling({})],
    ['an offset of a size', () => tumbling(ms(10_000), { offset: ms(10_000) })],
    ['an offset of more than a size', () => tumbling(ms(10_000), { offset: ms(20_000) })],
    ['an offset of a size backwards', () => tumbling(ms(10_000), { offset: ms(-10_000) })],
  ])('%s', (_what, make) => {
    expect(errorCode(make)).toBe('window/invalid');
  });

  test('an element without a time', () => {
    for (const at of [NO_TIMESTAMP, NaN, 1.5]) expect(errorCode(() => tumbling(ms(5)).assign(undefined, at, 0))).toBe('timestamp/invalid');
  });
});
