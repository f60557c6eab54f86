import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import type { EventTime } from '../../src/time/watermark.ts';
import { createWatermarkGenerator } from '../../src/time/watermarkGenerator.ts';
import { errorCode } from './errorCode.ts';

const timestamp = (at: number): number => at;

function bounded(milliseconds: number) {
  return createWatermarkGenerator({ timestamp, outOfOrder: { milliseconds } });
}

describe('bounded out-of-orderness', () => {
  test('is the largest timestamp less the bound and 1', () => {
    const watermark = bounded(10);
    expect(watermark.current()).toBe(MIN_TIMESTAMP);
    for (const at of [12_345, 12_300, 12_340, 12_280]) watermark.onMaxTimestamp(at);
    expect(watermark.current()).toBe(12_334);
    expect('onElement' in watermark).toBe(false);
  });

  test('without a bound is 1 behind', () => {
    const watermark = createWatermarkGenerator({ timestamp });
    watermark.onMaxTimestamp(0);
    expect(watermark.current()).toBe(-1);
  });

  test('stops at both ends of time', () => {
    const watermark = bounded(10);
    watermark.onMaxTimestamp(MIN_TIMESTAMP + 3);
    expect(watermark.current()).toBe(MIN_TIMESTAMP);
    watermark.onMaxTimestamp(NO_TIMESTAMP);
    expect(watermark.current()).toBe(MIN_TIMESTAMP);
    watermark.onMaxTimestamp(MAX_TIMESTAMP);
    expect(watermark.current()).toBe(MAX_TIMESTAMP - 11);
  });

  test('no element that is late by the bound at most is behind it; it never goes back; a snapshot changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 })), fc.nat({ max: 50 }), (times, bound) => {
        let watermark = bounded(bound);
        let [largest, before] = [-Infinity, MIN_TIMESTAMP];
        for (const at of times) {
          if (at >= largest - bound) expect(at).toBeGreaterThan(watermark.current());
          largest = Math.max(largest, at);
          watermark.onMaxTimestamp(at);
          const state = watermark.snapshot();
          watermark = bounded(bound);
          watermark.restore(state);
          expect(watermark.current()).toBe(largest - bound - 1);
          expect(watermark.current()).toBeGreaterThanOrEqual(before);
          before = watermark.current();
        }
      }),
    );
  });

  test('a larger bound after a restore does not open what was closed', () => {
    const watermark = bounded(0);
    watermark.onMaxTimestamp(100);
    const wider = bounded(50);
    wider.restore(watermark.snapshot());
    wider.onMaxTimestamp(120);
    expect(wider.current()).toBe(99);
  });
});

describe('punctuated', () => {
  const eventTime: EventTime<number | undefined> = { timestamp: () => 0, punctuated: (value) => value };

  test('is what the elements carry', () => {
    const watermark = createWatermarkGenerator(eventTime);
    expect([5, undefined, 3, 5, 8].map((value) => watermark.onElement!(value, 0))).toEqual([true, false, false, false, true]);
    watermark.onMaxTimestamp(1_000);
    expect(watermark.current()).toBe(8);
    const restored = createWatermarkGenerator(eventTime);
    restored.restore(watermark.snapshot());
    expect([restored.current(), restored.onElement!(7, 0), restored.onElement!(9, 0)]).toEqual([8, false, true]);
  });

  test('refuses what is no timestamp', () => {
    const watermark = createWatermarkGenerator(eventTime);
    for (const value of [NaN, 1.5, Infinity]) expect(errorCode(() => watermark.onElement!(value, 0))).toBe('watermark/invalid');
  });
});

test('refuses options that make no sense', () => {
  expect(errorCode(() => bounded(-1))).toBe('duration/invalid');
  const both: EventTime<number> = { timestamp, outOfOrder: { seconds: 1 }, punctuated: () => undefined };
  expect(errorCode(() => createWatermarkGenerator(both))).toBe('watermark/invalid');
});
