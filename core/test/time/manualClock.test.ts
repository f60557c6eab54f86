import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/time/manualClock.ts';
import { errorCode } from './errorCode.ts';

describe('ManualClock', () => {
  test('runs what is due in the order of time, then of scheduling', () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    const at = (time: number, name: string) => clock.schedule(time, () => ran.push(`${name}@${clock.now()}`));
    at(20, 'b');
    at(10, 'a');
    at(20, 'c');
    at(30, 'd');
    expect(clock.next()).toBe(10);
    clock.advanceTo(25);
    expect(ran).toEqual(['a@10', 'b@20', 'c@20']);
    expect([clock.now(), clock.next()]).toEqual([25, 30]);
  });

  test('what is due already waits for the next move, even if that goes nowhere', () => {
    const clock = new ManualClock(100);
    const ran: number[] = [];
    clock.schedule(50, () => ran.push(clock.now()));
    expect(ran).toEqual([]);
    clock.advanceTo(100);
    expect(ran).toEqual([100]);
    expect(clock.next()).toBeUndefined();
  });

  test('callbacks may schedule more, and move the clock', () => {
    const clock = new ManualClock();
    const ran: number[] = [];
    const tick = (): void => {
      ran.push(clock.now());
      clock.schedule(clock.now() + 10, tick);
    };
    clock.schedule(10, tick);
    clock.advanceTo(35);
    expect(ran).toEqual([10, 20, 30]);
    clock.schedule(36, () => clock.advanceTo(39));
    clock.advanceTo(37);
    expect(clock.now()).toBe(39);
  });

  test('a call that was cancelled does not run, another does', () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    const cancel = clock.schedule(5, () => ran.push('cancelled'));
    clock.schedule(5, () => ran.push('kept'));
    cancel();
    clock.advanceTo(10);
    cancel();
    expect(ran).toEqual(['kept']);
  });

  test('a call that throws is over, the others are not', () => {
    const clock = new ManualClock();
    let ran = 0;
    clock.schedule(5, () => {
      throw new Error('no');
    });
    clock.schedule(6, () => ran++);
    expect(() => clock.advanceTo(10)).toThrow('no');
    expect([clock.now(), ran]).toEqual([5, 0]);
    clock.advanceTo(10);
    expect([clock.now(), ran]).toEqual([10, 1]);
  });

  test('measures lengths of time', () => {
    const clock = new ManualClock(5_000);
    const before = clock.monotonic();
    clock.advanceBy({ seconds: 2 });
    expect([clock.now(), clock.monotonic() - before]).toEqual([7_000, 2_000]);
  });

  test('does not go back', () => {
    const clock = new ManualClock(10);
    expect(errorCode(() => clock.advanceTo(9))).toBe('timestamp/invalid');
    expect(errorCode(() => clock.advanceTo(NaN))).toBe('timestamp/invalid');
    expect(errorCode(() => clock.advanceBy({ seconds: -1 }))).toBe('duration/invalid');
  });

  test('equals a sorted list, however it is moved', () => {
    const times = fc.array(fc.nat({ max: 50 }), { maxLength: 30 });
    fc.assert(
      fc.property(times, times, (times, moves) => {
        const clock = new ManualClock();
        const ran: number[] = [];
        times.forEach((time, index) => clock.schedule(time, () => ran.push(index)));
        for (const move of [...moves, 50].toSorted((a, b) => a - b)) {
          clock.advanceTo(move);
          const due = times.map((time, index) => ({ time, index })).filter(({ time }) => time <= move);
          expect(ran).toEqual(due.sort((a, b) => a.time - b.time).map(({ index }) => index));
        }
      }),
    );
  });
});
