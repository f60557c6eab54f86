import { describe, expect, test } from 'vitest';
import { canMerge, defineTrigger } from '../../src/time/trigger.ts';
import { continuousProcessingTime } from '../../src/time/triggers/continuousProcessingTime.ts';
import { countTrigger } from '../../src/time/triggers/count.ts';
import { eventTimeTrigger } from '../../src/time/triggers/eventTime.ts';
import { processingTimeTimeout } from '../../src/time/triggers/processingTimeTimeout.ts';
import { purging } from '../../src/time/triggers/purging.ts';
import { errorCode } from './errorCode.ts';
import { TriggerHarness } from './triggerHarness.ts';

const after = { milliseconds: 50 };
const WINDOW = { start: 0, end: 10_000 };

describe('processingTimeTimeout', () => {
  test('fires a while after the first element', () => {
    const harness = new TriggerHarness(processingTimeTimeout(countTrigger(3), { after }));
    harness.advanceClock(0);
    harness.element(WINDOW);
    harness.advanceClock(40);
    harness.element(WINDOW);
    harness.snapshotRestore();
    expect(harness.advanceClock(49)).toEqual([]);
    expect(harness.advanceClock(50)).toEqual([[[0, 10_000], 'fire']]);
    // The count was reset with the timeout: three more are needed.
    expect([harness.element(WINDOW), harness.element(WINDOW), harness.element(WINDOW)]).toEqual(['continue', 'continue', 'fire']);
    expect(harness.processingTimers(WINDOW)).toEqual([]);
  });

  test('does not fire again when the other has fired before', () => {
    const harness = new TriggerHarness(processingTimeTimeout(countTrigger(2), { after }));
    harness.advanceClock(0);
    expect([harness.element(WINDOW), harness.element(WINDOW)]).toEqual(['continue', 'fire']);
    expect(harness.advanceClock(1_000)).toEqual([]);
  });

  test('with resetOnElement fires a while after the last element', () => {
    const harness = new TriggerHarness(processingTimeTimeout(countTrigger(9), { after, resetOnElement: true }));
    harness.advanceClock(0);
    harness.element(WINDOW);
    harness.advanceClock(40);
    harness.element(WINDOW);
    expect(harness.advanceClock(89)).toEqual([]);
    expect(harness.advanceClock(90)).toEqual([[[0, 10_000], 'fire']]);
  });

  test('without clearOnTimeout the other goes on where it was', () => {
    const harness = new TriggerHarness(processingTimeTimeout(countTrigger(3), { after, clearOnTimeout: false }));
    harness.advanceClock(0);
    harness.element(WINDOW);
    harness.element(WINDOW);
    expect(harness.advanceClock(50)).toEqual([[[0, 10_000], 'fire']]);
    expect(harness.element(WINDOW)).toBe('fire');
  });

  test('purges when the other does', () => {
    const purge = defineTrigger({ name: 'purge', domain: 'none', onElement: () => 'continue', onProcessingTime: () => 'purge' });
    const harness = new TriggerHarness(processingTimeTimeout(purge, { after }));
    harness.advanceClock(0);
    harness.element(WINDOW);
    expect(harness.advanceClock(50)).toEqual([[[0, 10_000], 'fireAndPurge']]);
    const counting = new TriggerHarness(processingTimeTimeout(purging(countTrigger(1)), { after }));
    expect(counting.element(WINDOW)).toBe('fireAndPurge');
  });

  test('keeps the timers of the other, and clears them with its own', () => {
    const both = new TriggerHarness(processingTimeTimeout(eventTimeTrigger(), { after }));
    both.advanceClock(0);
    both.element(WINDOW);
    expect([both.eventTimers(WINDOW), both.processingTimers(WINDOW)]).toEqual([[9_999], [50]]);
    expect(both.advanceWatermark(9_999)).toEqual([[[0, 10_000], 'fire']]);
    expect(both.processingTimers(WINDOW)).toEqual([]);
    both.element(WINDOW);
    both.clear(WINDOW);
    expect([...both.advanceClock(500), ...both.advanceWatermark(10_000)]).toEqual([]);
  });

  test('of a trigger with state of its own by the clock', () => {
    const ticking = processingTimeTimeout(continuousProcessingTime({ milliseconds: 20 }), { after, clearOnTimeout: false });
    const harness = new TriggerHarness(ticking);
    harness.advanceClock(5);
    harness.element(WINDOW);
    expect(harness.processingTimers(WINDOW)).toEqual([20, 55]);
    expect(harness.advanceClock(60)).toHaveLength(4);
  });

  test('can be put into another', () => {
    const nested = processingTimeTimeout(processingTimeTimeout(countTrigger(5), { after }), { after: { milliseconds: 20 } });
    const harness = new TriggerHarness(nested);
    harness.advanceClock(0);
    harness.element(WINDOW);
    harness.snapshotRestore();
    expect(harness.processingTimers(WINDOW)).toEqual([20, 50]);
    expect(harness.advanceClock(100)).toEqual([[[0, 10_000], 'fire']]);
  });

  test('says which clock it needs, and what it refuses', () => {
    expect(processingTimeTimeout(eventTimeTrigger(), { after }).definition.domain).toBe('eventTime');
    expect(processingTimeTimeout(countTrigger(1), { after }).definition).toMatchObject({
      domain: 'processingTime',
      name: 'count 1 or after 50ms',
    });
    expect(canMerge(processingTimeTimeout(countTrigger(1), { after }))).toBe(false);
    expect(errorCode(() => processingTimeTimeout(countTrigger(1), { after: {} }))).toBe('window/invalid');
  });
});
