import { setImmediate } from 'node:timers';
import * as zlib from 'node:zlib';
import type { Platform } from '../runtime/platform.ts';
import { systemClock } from '../time/systemClock.ts';
import { heapLimit } from './heapLimit.ts';
import { processIdentity } from './processIdentity.ts';
import { temporaryDirectory } from './spillDirectory.ts';

/** Node.js. */
export const platform: Platform = {
  clock: systemClock,
  later: (callback) => void setImmediate(callback),
  spill: temporaryDirectory(),
  openKeyStore: async (directory) => (await import('./levelStore.ts')).openLevelStore(directory),
  memoryLimit: heapLimit(),
  identity: processIdentity,
  random: Math.random,
  // Only for jobs that are spread.
  drivers: {
    workers: async (assignment) => (await import('./drivers.ts')).workerDriver(assignment),
    processes: async (assignment) => (await import('./drivers.ts')).processDriver(assignment),
  },
  // Node 20.15 and later.
  ...('crc32' in zlib && { crc32: (bytes: Uint8Array) => (zlib.crc32 as (bytes: Uint8Array) => number)(bytes) }),
};
