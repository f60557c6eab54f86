import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeWindows } from '../../src/time/mergingWindows.ts';
import { session } from '../../src/time/session.ts';
import { MAX_TIMESTAMP, NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import { canMerge } from '../../src/time/trigger.ts';
import { errorCode } from './errorCode.ts';

const ms = (milliseconds: number) => ({ milliseconds });

describe('session', () => {
  test('gives each element a window as long as the gap', () => {
    const sessions = session(ms(5_000));
    expect(sessions.assign(undefined, 4_999, NaN)).toEqual([{ start: 4_999, end: 9_999 }]);
    expect(sessions).toMatchObject({ name: 'session 5s', domain: 'eventTime', merging: true });
    expect(canMerge(sessions.trigger)).toBe(true);
  });

  test('by processing time asks the clock', () => {
    const sessions = session(ms(10), { domain: 'processingTime' });
    expect(sessions.assign(undefined, NO_TIMESTAMP, 7)).toEqual([{ start: 7, end: 17 }]);
    expect(canMerge(sessions.trigger)).toBe(true);
  });

  test('takes the gap from the element', () => {
    const sessions = session((value: { gap: number }) => ms(value.gap));
    expect(sessions.assign({ gap: 3 }, 10, NaN)).toEqual([{ start: 10, end: 13 }]);
    expect(sessions.assign({ gap: 50 }, 10, NaN)).toEqual([{ start: 10, end: 60 }]);
    expect(errorCode(() => sessions.assign({ gap: 0 }, 10, NaN))).toBe('window/invalid');
    expect(errorCode(() => sessions.assign({ gap: -1 }, 10, NaN))).toBe('window/invalid');
  });

  test('stops at the end of time', () => {
    expect(session(ms(10)).assign(undefined, MAX_TIMESTAMP - 3, NaN)).toEqual([{ start: MAX_TIMESTAMP - 3, end: MAX_TIMESTAMP }]);
  });

  test('refuses a gap that is not positive, and an element without a time', () => {
    expect(errorCode(() => session(ms(0)))).toBe('window/invalid');
    expect(errorCode(() => session(ms(-1_000)))).toBe('window/invalid');
    expect(errorCode(() => session(ms(5)).assign(undefined, NO_TIMESTAMP, 0))).toBe('timestamp/invalid');
  });

  test('splits the elements where nothing came for longer than the gap', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 20 }), (times, gap) => {
        const sessions = session(ms(gap));
        const merged = mergeWindows(times.flatMap((at) => sessions.assign(undefined, at, NaN)));
        const sorted = times.toSorted((a, b) => a - b);
        const runs: number[][] = [];
        for (const at of sorted) {
          const run = runs.at(-1);
          if (run !== undefined && at - run.at(-1)! <= gap) run.push(at);
          else runs.push([at]);
        }
        const expected = runs.filter((run) => run.length > 1).map((run) => ({ start: run[0], end: run.at(-1)! + gap }));
        expect(merged.map(({ result }) => result)).toEqual(expected);
      }),
    );
  });
});
