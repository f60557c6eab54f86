import { setImmediate } from 'node:timers';
import { getHeapStatistics } from 'node:v8';
import type { Platform } from '../runtime/platform.ts';
import { systemClock } from '../time/systemClock.ts';
import { temporaryDirectory } from './spillDirectory.ts';

/** Node.js. */
export const platform: Platform = {
  clock: systemClock,
  later: (callback) => void setImmediate(callback),
  spill: temporaryDirectory(),
  memoryLimit: getHeapStatistics().heap_size_limit,
};
