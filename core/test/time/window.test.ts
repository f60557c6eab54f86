import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_TIMESTAMP } from '../../src/time/timestamp.ts';
import { GLOBAL_WINDOW, maxTimestamp, windowStart } from '../../src/time/window.ts';

describe('windowStart', () => {
  test.each([
    [-8, 0, 7, -14],
    [-7, 0, 7, -7],
    [-1, 0, 7, -7],
    [6, 0, 7, 0],
    [7, 0, 7, 7],
    [-10, 3, 7, -11],
    [-4, 3, 7, -4],
    [2, 3, 7, -4],
    [10, 3, 7, 10],
    [-12, -2, 7, -16],
    [-2, -2, 7, -2],
    [4, -2, 7, -2],
    [12, -2, 7, 12],
    [1_470_902_048_450, -28_800_000, 86_400_000, 1_470_844_800_000],
  ])('%i with offset %i and size %i starts at %i', (at, offset, size, start) => {
    expect(windowStart(at, size, offset)).toBe(start);
  });

  test('equals the remainder in exact arithmetic, however large the numbers', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 10 ** 13 }));
    const offset = fc.integer({ min: -(10 ** 13), max: 10 ** 13 });
    const at = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -(10 ** 13), max: 10 ** 13 }));
    fc.assert(
      fc.property(at, size, offset, (at, size, offset) => {
        fc.pre(Number.isSafeInteger(at - offset) && Number.isSafeInteger(at - offset - size) && Number.isSafeInteger(at - size));
        const [t, s] = [BigInt(at) - BigInt(offset), BigInt(size)];
        expect(windowStart(at, size, offset)).toBe(Number(BigInt(at) - (((t % s) + s) % s)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is exact at the borders of windows near the largest timestamps', () => {
    const size = fc.integer({ min: 1, max: 10 ** 9 });
    fc.assert(
      fc.property(size, fc.constantFrom(-1, 1), fc.integer({ min: 1, max: 1_000 }), (size, sign, back) => {
        const border = sign * (Math.floor(Number.MAX_SAFE_INTEGER / size) - back) * size;
        expect(windowStart(border, size)).toBe(border);
        expect(windowStart(border - 1, size)).toBe(border - size);
      }),
    );
  });
});

describe('maxTimestamp', () => {
  test('is the last ms of a window', () => {
    expect(maxTimestamp({ start: 0, end: 10 })).toBe(9);
  });

  test('is the end of time for a window without an end', () => {
    expect(maxTimestamp(GLOBAL_WINDOW)).toBe(MAX_TIMESTAMP);
  });
});
