import { platform } from '#platform';
import type { Platform } from '../runtime/platform.ts';
import { ManualClock } from '../time/manualClock.ts';
import type { Timestamp } from '../time/timestamp.ts';

/** With so many turns of the host in which nothing happened, nothing more is going to. */
const QUIET_TURNS = 3;

/**
 * A host whose time stands still and whose event loop turns by hand. Whole jobs run on it, with promises: `platform` of the run options,
 * then {@link advanceTo}.
 *
 * @example
 * const platform = new ManualPlatform();
 * env.from(generator({ rate: 1, create: (i) => i })).sinkTo(forEach((i) => console.log(i)));
 * const starting = env.start('ticks', { platform });
 * await platform.advanceTo(2_000);
 * // 0
 * // 1
 * // 2
 * const stopping = (await starting).stop();
 * await platform.settle();
 * await stopping;
 */
export class ManualPlatform implements Platform {
  readonly clock: ManualClock;
  private turns: (() => void)[] = [];

  constructor(clock: ManualClock = new ManualClock()) {
    this.clock = clock;
  }

  /**
   * As any host does, here when the loop is turned.
   *
   * @internal
   */
  later(callback: () => void): void {
    this.turns.push(callback);
  }

  /**
   * Turns the event loop: everything that could happen without promises has happened then.
   *
   * @example
   * const platform = new ManualPlatform();
   * platform.clock.schedule(0, () => console.log('due'));
   * platform.run(); // due
   */
  run(): void {
    do {
      const turns = this.turns;
      this.turns = [];
      for (const turn of turns) turn();
      // What was scheduled for a time that has passed, such as a timer that a restore finds overdue.
      this.clock.advanceTo(this.clock.now());
    } while (this.turns.length > 0);
  }

  /**
   * Turns the event loop, and lets promises settle, until nothing more happens. What waits for I/O is not waited for.
   *
   * @example
   * const platform = new ManualPlatform();
   * void Promise.resolve().then(() => platform.later(() => console.log('later')));
   * await platform.settle(); // later
   */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet = this.turns.length > 0 ? 0 : quiet + 1) {
      this.run();
      await new Promise<void>((resolve) => platform.later(resolve));
    }
  }

  /**
   * Moves the clock, from one thing that is due to the next, and lets what follows from each happen before time goes on.
   *
   * @example
   * const platform = new ManualPlatform();
   * platform.clock.schedule(5_000, () => console.log(platform.clock.now()));
   * await platform.advanceTo(60_000); // 5000
   */
  async advanceTo(time: Timestamp): Promise<void> {
    await this.settle();
    for (let next = this.clock.next(); next !== undefined && next <= time; next = this.clock.next()) {
      this.clock.advanceTo(Math.max(next, this.clock.now()));
      await this.settle();
    }
    this.clock.advanceTo(time);
    await this.settle();
  }
}
