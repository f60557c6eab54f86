import { describe, expect, test } from 'vitest';
import { MAX_TIMESTAMP, NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import { canMerge, defineTrigger, type Trigger } from '../../src/time/trigger.ts';
import { atEnd } from '../../src/time/triggers/atEnd.ts';
import { continuousEventTime } from '../../src/time/triggers/continuousEventTime.ts';
import { continuousProcessingTime } from '../../src/time/triggers/continuousProcessingTime.ts';
import { countTrigger } from '../../src/time/triggers/count.ts';
import { deltaTrigger } from '../../src/time/triggers/delta.ts';
import { eventTimeTrigger } from '../../src/time/triggers/eventTime.ts';
import { never } from '../../src/time/triggers/never.ts';
import { processingTimeTrigger } from '../../src/time/triggers/processingTime.ts';
import { purging } from '../../src/time/triggers/purging.ts';
import { GLOBAL_WINDOW } from '../../src/time/window.ts';
import { errorCode } from './errorCode.ts';
import { TriggerHarness } from './triggerHarness.ts';

const ms = (milliseconds: number) => ({ milliseconds });
const A = { start: 0, end: 2 };
const B = { start: 2, end: 4 };
const AB = { start: 0, end: 4 };
const LONG = { start: 0, end: 100 };

describe('eventTimeTrigger', () => {
  test('fires each window at its last ms', () => {
    const harness = new TriggerHarness(eventTimeTrigger());
    expect([harness.element(A), harness.element(A), harness.element(B)]).toEqual(['continue', 'continue', 'continue']);
    expect(harness.advanceWatermark(0)).toEqual([]);
    expect(harness.advanceWatermark(1)).toEqual([[[0, 2], 'fire']]);
    expect(harness.advanceWatermark(3)).toEqual([[[2, 4], 'fire']]);
  });

  test('fires at once for an element that is late', () => {
    const harness = new TriggerHarness(eventTimeTrigger());
    harness.advanceWatermark(1);
    expect(harness.element(A)).toBe('fire');
    expect(harness.eventTimers(A)).toEqual([]);
    expect(harness.element(B)).toBe('continue');
  });

  test('windows that merge fire as one', () => {
    const harness = new TriggerHarness(eventTimeTrigger());
    harness.element(A);
    harness.element(B);
    expect(harness.merge(AB, [A, B])).toBe('continue');
    expect(harness.eventTimers(AB)).toEqual([3]);
    expect(harness.advanceWatermark(2)).toEqual([]);
    expect(harness.advanceWatermark(3)).toEqual([[[0, 4], 'fire']]);
  });

  test('a merged window that is over already sets no timer', () => {
    const harness = new TriggerHarness(eventTimeTrigger());
    harness.advanceWatermark(3);
    harness.merge(AB, [A, B]);
    expect(harness.eventTimers(AB)).toEqual([]);
  });

  test('clearing takes its timer away', () => {
    const harness = new TriggerHarness(eventTimeTrigger());
    harness.element(A);
    harness.clear(A);
    expect(harness.advanceWatermark(10)).toEqual([]);
  });
});

describe('processingTimeTrigger', () => {
  test('fires each window when the clock is at its last ms', () => {
    const harness = new TriggerHarness(processingTimeTrigger());
    harness.element(A);
    harness.element(B);
    expect(harness.advanceClock(0)).toEqual([]);
    expect(harness.advanceClock(1)).toEqual([[[0, 2], 'fire']]);
    harness.clear(B);
    expect(harness.advanceClock(3)).toEqual([]);
  });

  test('windows that merge fire as one', () => {
    const harness = new TriggerHarness(processingTimeTrigger());
    harness.element(A);
    harness.element(B);
    harness.merge(AB, [A, B]);
    expect(harness.advanceClock(2)).toEqual([]);
    expect(harness.advanceClock(3)).toEqual([[[0, 4], 'fire']]);
    harness.merge(LONG, [AB]);
    expect(harness.processingTimers(LONG)).toEqual([99]);
  });
});

describe('countTrigger', () => {
  test('counts each window for itself and anew after each firing', () => {
    const harness = new TriggerHarness(countTrigger(3));
    expect([harness.element(A), harness.element(A), harness.element(B)]).toEqual(['continue', 'continue', 'continue']);
    expect(harness.element(A)).toBe('fire');
    expect([harness.state(A), harness.state(B)]).toEqual([0, 1]);
    expect(harness.element(A)).toBe('continue');
  });

  test('windows that merge add up, and fire with the next element', () => {
    const harness = new TriggerHarness(countTrigger(3));
    for (const window of [A, A, B, B]) harness.element(window);
    expect(harness.merge(AB, [A, B])).toBe('continue');
    expect(harness.state(AB)).toBe(4);
    expect(harness.element(AB)).toBe('fire');
    expect(harness.state(AB)).toBe(0);
  });

  test.each([0, -3, 2.5, NaN])('refuses %d', (n) => {
    expect(errorCode(() => countTrigger(n))).toBe('window/invalid');
  });
});

describe('continuousEventTime', () => {
  test('fires windows at their own ends when those come before the first tick', () => {
    const harness = new TriggerHarness(continuousEventTime({ hours: 1 }));
    for (const window of [A, A, A, B, B]) expect(harness.element(window)).toBe('continue');
    expect(harness.advanceWatermark(2)).toEqual([[[0, 2], 'fire']]);
    expect(harness.advanceWatermark(4)).toEqual([[[2, 4], 'fire']]);
  });

  test('fires at each tick and at the end', () => {
    const harness = new TriggerHarness(continuousEventTime(ms(30)));
    harness.element(LONG, undefined, 35);
    expect(harness.advanceWatermark(59)).toEqual([]);
    expect(harness.strayTimer(LONG, 50)).toEqual(['continue', 'continue']);
    expect(harness.advanceWatermark(60)).toEqual([[[0, 100], 'fire']]);
    harness.snapshotRestore();
    expect(harness.advanceWatermark(1_000)).toEqual([
      [[0, 100], 'fire'],
      [[0, 100], 'fire'],
    ]);
    expect(harness.eventTimers(LONG)).toEqual([]);
    expect(harness.element(LONG, undefined, 50)).toBe('fire');
  });

  test('ticks before the epoch are multiples too', () => {
    const harness = new TriggerHarness(continuousEventTime(ms(10)));
    harness.element({ start: -100, end: 0 }, undefined, -45);
    expect(harness.eventTimers({ start: -100, end: 0 })).toEqual([-40, -1]);
  });

  test('windows that merge keep the earliest tick', () => {
    const harness = new TriggerHarness(continuousEventTime(ms(10)));
    const [first, second, third] = [
      { start: 0, end: 50 },
      { start: 40, end: 90 },
      { start: 80, end: 100 },
    ];
    harness.element(first, undefined, 45);
    harness.element(second, undefined, 5);
    harness.merge(LONG, [first, second, third]);
    expect(harness.state(LONG)).toBe(10);
    expect(harness.eventTimers(LONG)).toEqual([10, 99]);
    harness.clear(LONG);
    expect(harness.advanceWatermark(1_000)).toEqual([]);
  });

  test('refuses a distance that is not positive, and an element without a time', () => {
    expect(errorCode(() => continuousEventTime(ms(0)))).toBe('window/invalid');
    expect(errorCode(() => new TriggerHarness(continuousEventTime(ms(5))).element(LONG, undefined, NO_TIMESTAMP))).toBe(
      'timestamp/invalid',
    );
  });
});

describe('continuousProcessingTime', () => {
  test('fires at each tick of the clock and at the end of a processing-time window', () => {
    const harness = new TriggerHarness(continuousProcessingTime(ms(30)));
    harness.advanceClock(35);
    harness.element(LONG);
    harness.element(LONG);
    expect(harness.processingTimers(LONG)).toEqual([60]);
    // The tick is kept, even when an element comes between it and the firing.
    harness.now = 61;
    harness.element(LONG);
    expect(harness.processingTimers(LONG)).toEqual([60]);
    expect(harness.strayTimer(LONG, 50)).toEqual(['continue', 'continue']);
    expect(harness.advanceClock(60)).toEqual([[[0, 100], 'fire']]);
    harness.snapshotRestore();
    expect(harness.advanceClock(98)).toEqual([[[0, 100], 'fire']]);
    expect(harness.advanceClock(99)).toEqual([[[0, 100], 'fire']]);
    harness.clear(LONG);
    expect(harness.advanceClock(1_000)).toEqual([]);
  });

  test('goes on ticking on a window whose end is not the clock’s', () => {
    const harness = new TriggerHarness(continuousProcessingTime(ms(30)));
    harness.advanceClock(1_000);
    harness.element(LONG);
    expect(harness.processingTimers(LONG)).toEqual([1_020]);
    expect(harness.advanceClock(1_085)).toHaveLength(3);
  });

  test('windows that merge keep the earliest tick', () => {
    const harness = new TriggerHarness(continuousProcessingTime(ms(3)));
    harness.advanceClock(0);
    harness.element(B);
    harness.advanceClock(1);
    harness.element(LONG);
    harness.merge(LONG, [A, B]);
    expect(harness.processingTimers(LONG)).toEqual([3]);
    harness.clear(LONG);
    expect(harness.advanceClock(50)).toEqual([]);
  });
});

describe('deltaTrigger', () => {
  test('fires when an element is further than the threshold from the one that fired last', () => {
    const harness = new TriggerHarness(deltaTrigger({ threshold: 10, delta: (from: number, to) => to - from }));
    const results = [5, 15, 16, 20, 26, 27].map((value) => {
      harness.snapshotRestore();
      return harness.element(LONG, value);
    });
    expect(results).toEqual(['continue', 'continue', 'fire', 'continue', 'continue', 'fire']);
  });

  test('is not for windows that merge', () => {
    expect(canMerge(deltaTrigger({ threshold: 1, delta: () => 0 }))).toBe(false);
    expect(errorCode(() => deltaTrigger({ threshold: NaN, delta: () => 0 }))).toBe('window/invalid');
  });
});

describe('purging', () => {
  test('forgets whenever the other fires', () => {
    const byCount = new TriggerHarness(purging(countTrigger(2)));
    expect([byCount.element(A), byCount.element(A), byCount.element(A)]).toEqual(['continue', 'fireAndPurge', 'continue']);
    const byTime = new TriggerHarness(purging(eventTimeTrigger()));
    byTime.element(A);
    expect(byTime.advanceWatermark(1)).toEqual([[[0, 2], 'fireAndPurge']]);
    expect(byTime.element(A)).toBe('fireAndPurge');
    const byClock = new TriggerHarness(purging(processingTimeTrigger()));
    byClock.element(A);
    expect(byClock.advanceClock(1)).toEqual([[[0, 2], 'fireAndPurge']]);
  });

  test('merges as the other does', () => {
    const harness = new TriggerHarness(purging(countTrigger(3)));
    for (const window of [A, B]) harness.element(window);
    harness.merge(AB, [A, B]);
    expect(harness.element(AB)).toBe('fireAndPurge');
    expect(canMerge(purging(countTrigger(3)))).toBe(true);
    expect(canMerge(purging(deltaTrigger({ threshold: 1, delta: () => 0 })))).toBe(false);
    const onMerge = defineTrigger({ name: 'merge', domain: 'none', onElement: () => 'continue', onMerge: () => 'fire' });
    expect(new TriggerHarness(purging(onMerge)).merge(AB, [A, B])).toBe('fireAndPurge');
  });

  test('leaves a purge and the name of the clock alone', () => {
    const purge = defineTrigger({ name: 'purge', domain: 'eventTime', onElement: () => 'purge' });
    expect(new TriggerHarness(purging(purge)).element(A)).toBe('purge');
    expect(purging(purge).definition).toMatchObject({ name: 'purging purge', domain: 'eventTime' });
    expect(new TriggerHarness(purging(purge)).advanceWatermark(5)).toEqual([]);
  });
});

test('never never fires', () => {
  const harness = new TriggerHarness(never());
  expect(harness.element(A)).toBe('continue');
  harness.merge(AB, [A]);
  expect([...harness.advanceWatermark(MAX_TIMESTAMP), ...harness.advanceClock(MAX_TIMESTAMP)]).toEqual([]);
});

test('atEnd fires when time ends, whatever the window', () => {
  const harness = new TriggerHarness(atEnd());
  harness.element(GLOBAL_WINDOW);
  harness.element(A);
  harness.element(B);
  harness.merge(AB, [A]);
  harness.clear(B);
  expect(harness.advanceWatermark(MAX_TIMESTAMP - 1)).toEqual([]);
  expect(harness.advanceWatermark(MAX_TIMESTAMP)).toEqual([
    [[GLOBAL_WINDOW.start, GLOBAL_WINDOW.end], 'fire'],
    [[0, 4], 'fire'],
  ]);
});

test('the triggers of sessions can merge', () => {
  const mergeable: Trigger<unknown>[] = [
    eventTimeTrigger(),
    processingTimeTrigger(),
    countTrigger(1),
    continuousEventTime(ms(1)),
    continuousProcessingTime(ms(1)),
    never(),
    atEnd(),
  ];
  expect(mergeable.every(canMerge)).toBe(true);
  expect(canMerge(defineTrigger({ name: 'no onMerge', domain: 'none', onElement: () => 'fire' }))).toBe(false);
});
