import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Evictor } from '../../src/time/evictor.ts';
import { countEvictor } from '../../src/time/evictors/count.ts';
import { deltaEvictor } from '../../src/time/evictors/delta.ts';
import { timeEvictor } from '../../src/time/evictors/time.ts';
import { NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import { GLOBAL_WINDOW } from '../../src/time/window.ts';
import { errorCode } from './errorCode.ts';

/** What stays of elements whose value and timestamp are the same number. */
function kept(evictor: Evictor<number>, ...numbers: number[]): number[] {
  const elements = numbers.map((value) => ({ value, timestamp: value }));
  return evictor.keep(elements, GLOBAL_WINDOW).map(({ value }) => value);
}

describe('countEvictor', () => {
  test('keeps the last n', () => {
    expect(kept(countEvictor(2), 5, 1, 3)).toEqual([1, 3]);
    expect(kept(countEvictor(3), 5, 1, 3)).toEqual([5, 1, 3]);
    expect(kept(countEvictor(9))).toEqual([]);
  });

  test('equals dropping from the front one by one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 10 }), (numbers, n) => {
        const rest = [...numbers];
        while (rest.length > n) rest.shift();
        expect(kept(countEvictor(n), ...numbers)).toEqual(rest);
      }),
    );
  });

  test.each([0, -1, 0.5])('refuses %d', (n) => expect(errorCode(() => countEvictor(n))).toBe('window/invalid'));
});

describe('timeEvictor', () => {
  test('removes what is as old as its size, or older, from anywhere', () => {
    expect(kept(timeEvictor({ milliseconds: 10 }), 21, 10, 11, 20, 9, 12)).toEqual([21, 20, 12]);
    expect(kept(timeEvictor({ milliseconds: 10 }))).toEqual([]);
  });

  test('keeps elements that have no timestamp', () => {
    const elements = [NO_TIMESTAMP, NO_TIMESTAMP].map((timestamp, value) => ({ value, timestamp }));
    expect(timeEvictor({ seconds: 1 }).keep(elements, GLOBAL_WINDOW)).toEqual(elements);
  });

  test('refuses a size that is not positive', () => expect(errorCode(() => timeEvictor({}))).toBe('window/invalid'));
});

describe('deltaEvictor', () => {
  const near = deltaEvictor({ threshold: 3, delta: (from: number, to) => Math.abs(to - from) });

  test('removes what is as far from the last element as the threshold, or further', () => {
    expect(kept(near, 1, 8, 4, 7, 2, 13, 10)).toEqual([8, 10]);
    expect(kept(near)).toEqual([]);
  });

  test('gives the older element first', () => {
    expect(kept(deltaEvictor({ threshold: 2, delta: (from: number, to) => to - from }), 9, 1, 4, 5)).toEqual([9, 4, 5]);
  });

  test('refuses a threshold that is no number', () => {
    expect(errorCode(() => deltaEvictor({ threshold: NaN, delta: () => 0 }))).toBe('window/invalid');
  });
});

test('evict before the window function unless told otherwise', () => {
  const delta = () => 0;
  const before = [countEvictor(1), timeEvictor({ days: 1 }), deltaEvictor({ threshold: 1, delta })];
  const after = [
    countEvictor(1, { when: 'after' }),
    timeEvictor({ days: 1 }, { when: 'after' }),
    deltaEvictor({ threshold: 1, delta, when: 'after' }),
  ];
  expect(before.map((evictor) => evictor.when)).toEqual(['before', 'before', 'before']);
  expect(after.map((evictor) => evictor.when)).toEqual(['after', 'after', 'after']);
});
