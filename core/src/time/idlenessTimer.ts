import type { Clock } from './clock.ts';
import { type Duration, toPositiveMilliseconds } from './duration.ts';

/**
 * Finds out when a split has gone silent. Asked at intervals, it counts from the first question after an activity, and answers
 * yes when more than `after` has passed since then. Time in which elements wait for the reader, because the job is slow or the
 * split is ahead of others, is no silence: report `activity` then.
 *
 * @throws MillraceError `duration/invalid` unless `after` is positive.
 *
 * @example
 * const timer = new IdlenessTimer({ seconds: 30 }, clock);
 * timer.activity();
 * timer.check(); // false
 */
export class IdlenessTimer {
  private readonly after: number;
  private readonly clock: Clock;
  private active = false;
  private silentSince: number | undefined;

  constructor(after: Duration, clock: Clock) {
    this.after = toPositiveMilliseconds(after, 'idleAfter');
    this.clock = clock;
  }

  /** An element came. Cheap enough to be called for each. */
  activity(): void {
    this.active = true;
  }

  /** Whether the split is idle now. */
  check(): boolean {
    if (this.active) {
      this.active = false;
      this.silentSince = undefined;
      return false;
    }
    const now = this.clock.monotonic();
    this.silentSince ??= now;
    return now - this.silentSince > this.after;
  }
}
