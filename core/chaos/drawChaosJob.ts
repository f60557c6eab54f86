import { drawJob, type JobSpec } from '../simulation/jobSpec.ts';

/** A random job as processes run it: without what only a simulated clock makes exact. */
export function drawChaosJob(seed: number): JobSpec {
  return { ...drawJob(seed, ['expiring']), randomSeed: 0 };
}
