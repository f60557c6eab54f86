import type { Platform } from '../runtime/platform.ts';
import { ManualClock } from '../time/manualClock.ts';

/** A host whose time stands still and whose event loop turns by hand: everything that could happen has happened after {@link run}. */
export class ManualPlatform implements Platform {
  readonly clock: ManualClock;
  private turns: (() => void)[] = [];

  constructor(clock: ManualClock = new ManualClock()) {
    this.clock = clock;
  }

  later(callback: () => void): void {
    this.turns.push(callback);
  }

  run(): void {
    while (this.turns.length > 0) {
      const turns = this.turns;
      this.turns = [];
      for (const turn of turns) turn();
    }
  }
}
