import { describe, expect, test } from 'vitest';
import { addSaturating, formatTimestamp, isTimestamp, MAX_TIMESTAMP, MIN_TIMESTAMP, NO_TIMESTAMP } from '../../src/time/timestamp.ts';

test('addSaturating stops at both ends of time', () => {
  expect(addSaturating(1, 2)).toBe(3);
  expect(addSaturating(MAX_TIMESTAMP - 1, 2)).toBe(MAX_TIMESTAMP);
  expect(addSaturating(MIN_TIMESTAMP + 1, -2)).toBe(MIN_TIMESTAMP);
  expect(addSaturating(NO_TIMESTAMP, 5)).toBe(MIN_TIMESTAMP);
});

test('isTimestamp takes integers only', () => {
  expect([0, -5, MIN_TIMESTAMP, MAX_TIMESTAMP].every(isTimestamp)).toBe(true);
  expect([NO_TIMESTAMP, NaN, 0.5, '5', undefined, 2 ** 53].some(isTimestamp)).toBe(false);
});

describe('formatTimestamp', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [MIN_TIMESTAMP, 'MIN'],
    [MAX_TIMESTAMP, 'MAX'],
    [NO_TIMESTAMP, 'no timestamp'],
    [8.64e15 + 1, '8640000000000001 ms'],
  ])('%d is %s', (at, text) => {
    expect(formatTimestamp(at)).toBe(text);
  });
});
