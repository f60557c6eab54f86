import type { Clock } from '../time/clock.ts';

/** The largest batch. Larger ones save nothing more. */
const LARGEST = 1024;
/** Making a batch should take about this long, in ms: a slow function of the user must not hold the event loop. */
const WANTED_TIME = 1;

/** How many elements the next batch should have: one at first, more while they come quickly. */
export class BatchSize {
  /** The next batch's size. */
  limit = 1;
  private readonly clock: Clock;
  private start = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** A batch is begun. */
  begin(): void {
    this.start = this.clock.monotonic();
  }

  /** The batch that was begun has so many elements. */
  end(elements: number): void {
    const took = this.clock.monotonic() - this.start;
    if (took > WANTED_TIME * 2) this.limit = Math.max(1, Math.floor(elements / Math.ceil(took / WANTED_TIME)));
    else if (elements >= this.limit && took < WANTED_TIME / 2) this.limit = Math.min(LARGEST, this.limit * 2);
  }
}
