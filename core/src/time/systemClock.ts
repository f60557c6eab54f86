import type { Clock } from './clock.ts';
import type { Timestamp } from './timestamp.ts';

/** `setTimeout` takes at most this much: longer waits are made of several. */
const LONGEST_TIMEOUT = 2_147_483_647;

/** The clock of the host: wall time and timeouts. A timeout keeps the process alive until it is cancelled. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(time: Timestamp, callback: () => void): () => void {
    let handle: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const wait = time - Date.now();
      handle = setTimeout(() => (Date.now() >= time ? callback() : arm()), Math.min(Math.max(wait, 0), LONGEST_TIMEOUT));
    };
    arm();
    return () => clearTimeout(handle);
  },
};
