import type { Clock } from '../time/clock.ts';

/** How much may be under way between two subtasks. */
export interface CreditPolicy {
  /** Most records that may wait for a subtask on one of the ways into it. */
  readonly credit: number;
  /** What waits should be worked off within this time, in ms: a barrier waits behind it. */
  readonly targetDelay: number;
}

export const DEFAULT_CREDIT: CreditPolicy = { credit: 8192, targetDelay: 1000 };

/** Small, since a slow consumer shows only when it has worked some off; a quick one has eight times as much after three stops. */
const FIRST = 256;
const SMALLEST = 16;

/**
 * How many records may wait on one way: as many as its consumer works off within the target delay. It is found out by watching how long
 * a writer that had to stop has to wait until half of them are gone.
 */
export class CreditWindow {
  /** Records that may wait before the writer has to stop. */
  size: number;
  private readonly policy: CreditPolicy;
  private readonly clock: Clock;
  private stoppedAt = 0;

  constructor(policy: CreditPolicy, clock: Clock) {
    this.policy = policy;
    this.clock = clock;
    this.size = Math.min(policy.credit, FIRST);
  }

  /** The writer has to stop. */
  stop(): void {
    this.stoppedAt = this.clock.monotonic();
  }

  /** Half of what waited is gone, and the writer goes on. */
  goOn(): void {
    const { credit, targetDelay } = this.policy;
    const took = this.clock.monotonic() - this.stoppedAt;
    if (took * 4 < targetDelay) this.size = Math.min(credit, this.size * 2);
    else if (took * 2 > targetDelay) this.size = Math.max(SMALLEST, Math.floor(this.size / 2));
  }
}

/** Counts what waits on one way against its window, and stops and starts the writer. */
export class CreditGate {
  /** Records that wait. */
  waiting = 0;
  private isShut = false;
  private readonly window: CreditWindow;
  private readonly writer: { block(): void; unblock(): void };

  constructor(window: CreditWindow, writer: { block(): void; unblock(): void }) {
    this.window = window;
    this.writer = writer;
  }

  /** How many records are best sent at once. */
  get batch(): number {
    return Math.max(1, this.window.size >> 2);
  }

  sent(records: number): void {
    this.waiting += records;
    if (this.isShut || this.waiting < this.window.size) return;
    this.isShut = true;
    this.window.stop();
    this.writer.block();
  }

  taken(records: number): void {
    this.waiting -= records;
    if (!this.isShut || this.waiting > this.window.size / 2) return;
    this.isShut = false;
    this.window.goOn();
    this.writer.unblock();
  }
}
