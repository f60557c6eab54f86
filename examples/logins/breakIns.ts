import { type DataStream, mapState } from '@millrace/core';
import type { Attempt } from './attempts.ts';
import { type BreakIn, ENOUGH_FAILURES } from './findings.ts';

/** How far back failures count, in ms. */
const MEMORY = 600_000;

/**
 * Guessed passwords: a success with at least five failed passwords from the same address in the 600 seconds before it, both ends
 * included. Within a second the order of the lines decides: what failed after the success does not count.
 *
 * A success is looked at when the watermark has reached it, so that failures whose lines come a little late are not missed.
 */
export const breakIns = (attempts: DataStream<Attempt>) =>
  attempts
    .keyBy(({ address }) => address)
    .process({
      uid: 'break-ins',
      state: { attempts: mapState<number, readonly Attempt[]>() },
      timers: { look: 'eventTime', forget: 'eventTime' },
      onElement(attempt, { state, timers }) {
        const { at, succeeded } = attempt;
        state.attempts.put(at, [...(state.attempts.get(at) ?? []), attempt]);
        if (succeeded) timers.set('look', at);
        timers.set('forget', at + MEMORY + 1);
      },
      onTimer({ name, at }, { state }) {
        if (name === 'look') return breakInsAt(at, state.attempts.entries());
        state.attempts.remove(at - MEMORY - 1);
        return [];
      },
    });

/** The break-ins at a time, given what an address tried by time. */
function breakInsAt(now: number, attempts: Iterable<[number, readonly Attempt[]]>): BreakIn[] {
  const before = [...attempts].filter(([at]) => at >= now - MEMORY && at <= now).toSorted(([a], [b]) => a - b);
  const found: BreakIn[] = [];
  let failures = 0;
  for (const { at, address, user, succeeded, times } of before.flatMap(([, same]) => same)) {
    if (!succeeded) failures += times;
    else if (at === now && failures >= ENOUGH_FAILURES)
      found.push({ type: 'breakin', address, user, at: new Date(at).toISOString(), failures });
  }
  return found;
}
