import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { continuousEventTime, session } from '../../src/index.ts';
import { everyCheckpoint, type Harness, harness } from '../../src/testing.ts';
import { type Click, push, sums } from './windowClicks.ts';

describe('sessions', () => {
  interface Session {
    start: number;
    end: number;
    n: number;
  }

  /** By definition: elements that are less than a gap apart, or exactly one, are together; what is over at the watermark is gone. */
  function oracle(gap: number, script: readonly (Click | number)[]): string[] {
    const sessions = new Map<string, Session[]>();
    const out: string[] = [];
    let watermark = Number.MIN_SAFE_INTEGER;
    const fire = (to: number): void => {
      watermark = Math.max(watermark, to);
      for (const [user, held] of sessions) {
        for (const { start, end, n } of held.filter((each) => each.end - 1 <= watermark)) out.push(`${user} ${start}-${end} ${n}`);
        sessions.set(user, held.filter((each) => each.end - 1 > watermark)); // prettier-ignore
      }
    };
    for (const step of script) {
      if (typeof step === 'number') {
        fire(step);
        continue;
      }
      const held = sessions.get(step.user) ?? [];
      const merged: Session = { start: step.at, end: step.at + gap, n: step.n };
      const rest = held.filter((each) => {
        if (each.start > step.at + gap || each.end < step.at) return true;
        merged.start = Math.min(merged.start, each.start);
        merged.end = Math.max(merged.end, each.end);
        merged.n += each.n;
        return false;
      });
      if (rest.length === held.length && merged.end - 1 <= watermark) out.push(`late ${step.user} ${step.at}`);
      else sessions.set(step.user, [...rest, merged]);
    }
    fire(Number.MAX_SAFE_INTEGER);
    return out.sort();
  }

  const scripts = fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ user: fc.constantFrom('a', 'b'), at: fc.integer({ min: -30, max: 30 }), n: fc.integer({ min: 1, max: 9 }) }),
      },
      fc.integer({ min: -35, max: 35 }),
    ),
    { maxLength: 50 },
  );

  function play(h: Harness<{ clicks: Click }, unknown>, script: readonly (Click | number)[]): void {
    let watermark = Number.MIN_SAFE_INTEGER;
    for (const step of script) {
      if (typeof step === 'number') h.watermark((watermark = Math.max(watermark, step)));
      else push(h, step);
    }
    h.end();
  }

  test('are what their definition says, out of order and with late elements', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), scripts, (gap, script) => {
        const h = harness(sums(session({ milliseconds: gap })));
        play(h, script);
        const out = h.drain('out').map(({ key, window, value }) => `${key} ${window.start}-${window.end} ${value.n}`);
        expect([...out, ...h.drain('late').map(({ user, at }) => `late ${user} ${at}`)].sort()).toEqual(oracle(gap, script));
      }),
      { numRuns: 250 },
    );
  });

  test('a crash between any two steps changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), scripts, (gap, script) => {
        const options = { allowedLateness: { milliseconds: 6 }, trigger: continuousEventTime({ milliseconds: 5 }) };
        everyCheckpoint(sums(session({ milliseconds: gap }), options), (h) => play(h as never, script.slice(0, 25)));
      }),
      { numRuns: 30 },
    );
  });
});
