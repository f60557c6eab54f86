import { setImmediate } from 'node:timers';
import type { Platform } from '../runtime/platform.ts';
import { systemClock } from '../time/systemClock.ts';
import { temporaryDirectory } from './spillDirectory.ts';

/** Node.js. */
export const platform: Platform = {
  clock: systemClock,
  later: (callback) => void setImmediate(callback),
  spill: temporaryDirectory(),
};
