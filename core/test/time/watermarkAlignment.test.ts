import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AlignmentGroups } from '../../src/time/watermarkAlignment.ts';
import { errorCode } from './errorCode.ts';

const within = (milliseconds: number, group = 'g') => ({ group, maxDrift: { milliseconds } });

describe('AlignmentGroups', () => {
  test('holds back who is too far ahead, until the slowest has followed', () => {
    const groups = new AlignmentGroups();
    const woken: string[] = [];
    const fast = groups.join(within(10), () => woken.push('fast'));
    const slow = groups.join(within(10), () => woken.push('slow'));
    // Nobody is ahead of a beginning; whoever has begun is far ahead of who has not.
    expect([fast.mayRead(), slow.mayRead()]).toEqual([true, true]);
    fast.report(100);
    expect([fast.mayRead(), slow.mayRead()]).toEqual([false, true]);
    slow.report(89);
    expect(woken).toEqual([]);
    slow.report(90);
    expect(woken).toEqual(['fast']);
    expect([fast.mayRead(), slow.mayRead()]).toEqual([true, true]);
    fast.report(101);
    expect(fast.mayRead()).toBe(false);
  });

  test('a member that joins later holds the others back', () => {
    const groups = new AlignmentGroups();
    const first = groups.join(within(10));
    first.report(100);
    expect(first.mayRead()).toBe(true);
    const second = groups.join(within(10));
    expect(first.mayRead()).toBe(false);
    second.report(95);
    expect(first.mayRead()).toBe(true);
  });

  test('groups do not know each other', () => {
    const groups = new AlignmentGroups();
    const fast = groups.join(within(10, 'one'));
    groups.join(within(10, 'other'));
    fast.report(1_000);
    expect(fast.mayRead()).toBe(true);
  });

  test('idle members and those that left hold nobody back', () => {
    const groups = new AlignmentGroups();
    let woken = 0;
    const fast = groups.join(within(0), () => woken++);
    const slow = groups.join(within(0));
    const other = groups.join(within(0));
    fast.report(50);
    slow.report(5);
    expect(fast.mayRead()).toBe(false);
    slow.setIdle(true);
    expect([woken, fast.mayRead()]).toEqual([0, false]);
    other.leave();
    expect([woken, fast.mayRead()]).toEqual([1, true]);
    slow.setIdle(false);
    expect(fast.mayRead()).toBe(false);
    slow.setIdle(true);
    // A member that says something is idle no longer.
    slow.report(6);
    expect(fast.mayRead()).toBe(false);
    slow.leave();
    slow.leave();
    expect([woken, fast.mayRead()]).toEqual([3, true]);
    fast.setIdle(true);
    expect(fast.mayRead()).toBe(true);
  });

  test('wakes only who was told to wait', () => {
    const groups = new AlignmentGroups();
    let woken = 0;
    const fast = groups.join(within(5), () => woken++);
    const slow = groups.join(within(5));
    fast.report(100);
    slow.report(200);
    expect(woken).toBe(0);
  });

  test('refuses a negative drift', () => {
    expect(errorCode(() => new AlignmentGroups().join(within(-1)))).toBe('duration/invalid');
  });

  test('equals the recomputed minimum, and wakes whoever it lets go on', () => {
    const step = fc.record({
      member: fc.nat({ max: 3 }),
      do: fc.constantFrom('report' as const, 'report' as const, 'idle' as const, 'leave' as const),
      by: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat({ max: 30 }), (steps, drift) => {
        const groups = new AlignmentGroups();
        const woken = new Set<number>();
        const members = [0, 1, 2, 3].map((id) => ({
          id,
          handle: groups.join(within(drift), () => woken.add(id)),
          at: 0,
          state: 'active',
        }));
        for (const { handle } of members) handle.report(0);
        for (const { member: id, do: what, by } of steps) {
          const member = members[id]!;
          const present = members.filter(({ state }) => state !== 'left');
          if (!present.includes(member)) continue;
          const waiting = present.filter((each) => each !== member && !each.handle.mayRead());
          woken.clear();
          if (what === 'report') member.handle.report((member.at += by));
          else if (what === 'idle') member.handle.setIdle(true);
          else member.handle.leave();
          member.state = { report: 'active', idle: 'idle', leave: 'left' }[what];
          const minimum = Math.min(...members.filter(({ state }) => state === 'active').map(({ at }) => at));
          const free = present.filter((each) => each.state !== 'left' && each.at <= minimum + drift);
          expect(present.filter((each) => each.state !== 'left' && each.handle.mayRead())).toEqual(free);
          expect([...woken]).toEqual(expect.arrayContaining(waiting.filter((each) => free.includes(each)).map((each) => each.id)));
        }
      }),
      { numRuns: 500 },
    );
  });
});
