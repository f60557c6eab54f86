import type { SpillSpace } from '../state/spill.ts';
import type { Clock } from '../time/clock.ts';

/** What the engine asks of its host. */
export interface Platform {
  readonly clock: Clock;
  /** Calls back in a later turn of the event loop, after waiting I/O had its turn. */
  later(callback: () => void): void;
  /** Storage for what does not fit into memory; where there is none, everything stays in memory. */
  readonly spill?: SpillSpace;
  /** How many bytes of memory this process may use in all; unknown when left out. */
  readonly memoryLimit?: number;
}
