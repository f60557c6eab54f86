import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Duration,
  formatDuration,
  parseDuration,
  toMilliseconds,
  toNonNegativeMilliseconds,
  toPositiveMilliseconds,
} from '../../src/time/duration.ts';
import { errorCode } from './errorCode.ts';

describe('toMilliseconds', () => {
  test('adds up its units', () => {
    expect(toMilliseconds({ weeks: 1, days: 1, hours: 1, minutes: 1, seconds: 1, milliseconds: 1 })).toBe(694_861_001);
    expect(toMilliseconds({})).toBe(0);
  });

  test('takes fractions that are whole milliseconds', () => {
    expect(toMilliseconds({ seconds: 0.1 })).toBe(100);
    expect(toMilliseconds({ hours: 1.1 })).toBe(3_960_000);
  });

  test.each([
    ['a bare number', 5],
    ['null', null],
    ['a month', { months: 1 }],
    ['NaN', { seconds: NaN }],
    ['text', { seconds: '5' }],
    ['an object', { seconds: {} }],
    ['half a millisecond', { milliseconds: 0.5 }],
    ['more than a timestamp holds', { weeks: 10 ** 9 }],
  ])('refuses %s', (_what, duration) => {
    expect(errorCode(() => toMilliseconds(duration as unknown as Duration))).toBe('duration/invalid');
  });
});

test('the sign is checked where it matters', () => {
  expect(errorCode(() => toPositiveMilliseconds({ seconds: 0 }))).toBe('duration/invalid');
  expect(errorCode(() => toNonNegativeMilliseconds({ seconds: -1 }))).toBe('duration/invalid');
  expect(toPositiveMilliseconds({ seconds: 1 })).toBe(1_000);
  expect(toNonNegativeMilliseconds({})).toBe(0);
});

test('what formatDuration writes, parseDuration reads', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 12 }), (length) => {
      expect(toMilliseconds(parseDuration(formatDuration(length)))).toBe(length);
    }),
  );
  expect(formatDuration(5_400_000)).toBe('1h30m');
  expect(formatDuration(-1)).toBe('-1ms');
});

test.each(['', ' ', '5', 'm', '5x', '1h 30m', '-5s'])('parseDuration refuses "%s"', (text) => {
  expect(errorCode(() => parseDuration(text))).toBe('duration/invalid');
});
