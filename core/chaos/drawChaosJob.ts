import { drawJob, type JobSpec } from '../simulation/jobSpec.ts';

/** A random job as processes run it: without what only a simulated clock makes exact. */
export function drawChaosJob(seed: number): JobSpec {
  return { ...drawJob(seed, ['expiring']), randomSeed: 0 };
}

/** Only with files that end at every checkpoint can a job go on from an older one. */
export function survivesDamage(seed: number): boolean {
  return seed % 3 === 0;
}

export function rollingOf(seed: number): { readonly size: number; readonly checkpoint?: true } {
  return survivesDamage(seed) ? { size: 1000, checkpoint: true } : { size: 1000 };
}
