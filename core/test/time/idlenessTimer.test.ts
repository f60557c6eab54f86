import { expect, test } from 'vitest';
import { IdlenessTimer } from '../../src/time/idlenessTimer.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { errorCode } from './errorCode.ts';

const ms = (milliseconds: number) => ({ milliseconds });

test('counts from the first check without an activity, and is idle after more than its time', () => {
  const clock = new ManualClock(1_000_000);
  const timer = new IdlenessTimer(ms(10), clock);
  expect(timer.check()).toBe(false);
  clock.advanceBy(ms(10));
  expect(timer.check()).toBe(false);
  clock.advanceBy(ms(1));
  expect(timer.check()).toBe(true);
  clock.advanceBy(ms(100));
  expect(timer.check()).toBe(true);
  timer.activity();
  expect(timer.check()).toBe(false);
  expect(timer.check()).toBe(false);
  clock.advanceBy(ms(11));
  expect(timer.check()).toBe(true);
});

test('an activity between two checks starts it anew', () => {
  const clock = new ManualClock();
  const timer = new IdlenessTimer(ms(10), clock);
  timer.check();
  for (let i = 0; i < 5; i++) {
    clock.advanceBy(ms(9));
    timer.activity();
    expect(timer.check()).toBe(false);
  }
  clock.advanceBy(ms(50));
  expect([timer.check(), timer.check()]).toEqual([false, false]);
});

test('refuses a time that is not positive', () => {
  expect(errorCode(() => new IdlenessTimer(ms(0), new ManualClock()))).toBe('duration/invalid');
});
