import { describe, expect, test } from 'vitest';
import { countWindow } from '../../src/time/countWindow.ts';
import { globalWindow } from '../../src/time/global.ts';
import { MAX_TIMESTAMP } from '../../src/time/timestamp.ts';
import { GLOBAL_WINDOW } from '../../src/time/window.ts';
import { errorCode } from './errorCode.ts';
import { TriggerHarness } from './triggerHarness.ts';

describe('globalWindow', () => {
  test('puts everything into one window, which never fires', () => {
    const all = globalWindow();
    expect(all.assign('x', 5, 6)).toEqual([GLOBAL_WINDOW]);
    expect(all.domain).toBe('none');
    const harness = new TriggerHarness(all.trigger);
    expect(harness.element(GLOBAL_WINDOW)).toBe('continue');
    expect(harness.advanceWatermark(MAX_TIMESTAMP)).toEqual([]);
  });

  test('with fireAtEnd fires when the input has ended', () => {
    const harness = new TriggerHarness(globalWindow({ fireAtEnd: true }).trigger);
    expect(harness.element(GLOBAL_WINDOW)).toBe('continue');
    expect(harness.advanceWatermark(MAX_TIMESTAMP - 1)).toEqual([]);
    expect(harness.advanceWatermark(MAX_TIMESTAMP)).toEqual([[[GLOBAL_WINDOW.start, GLOBAL_WINDOW.end], 'fire']]);
  });
});

describe('countWindow', () => {
  test('fires and forgets after each n elements', () => {
    const harness = new TriggerHarness(countWindow(3).trigger);
    const results = Array.from({ length: 7 }, () => harness.element(GLOBAL_WINDOW));
    expect(results).toEqual(['continue', 'continue', 'fireAndPurge', 'continue', 'continue', 'fireAndPurge', 'continue']);
    expect(countWindow(3).evictor).toBeUndefined();
  });

  test('with every keeps the last n', () => {
    const window = countWindow(3, { every: 2 });
    const harness = new TriggerHarness(window.trigger);
    expect(Array.from({ length: 4 }, () => harness.element(GLOBAL_WINDOW))).toEqual(['continue', 'fire', 'continue', 'fire']);
    const elements = [1, 2, 3, 4].map((value) => ({ value, timestamp: value }));
    expect(window.evictor!.keep(elements, GLOBAL_WINDOW)).toEqual(elements.slice(1));
    expect(window.evictor!.when).toBe('before');
    expect(window.name).toBe('count 3 every 2');
  });

  test.each([0, -1, 1.5, NaN])('refuses %d', (n) => {
    expect(errorCode(() => countWindow(n))).toBe('window/invalid');
    expect(errorCode(() => countWindow(5, { every: n }))).toBe('window/invalid');
  });
});
