import { Chance } from '../simulation/chance.ts';
import { drawJob, type JobSpec } from '../simulation/jobSpec.ts';

/** What a random job is in processes, beside the job itself. */
export interface Surroundings {
  /** Its sources follow logs, which grow and are given other names; else they read files that come and stay as they are. */
  readonly isLogged: boolean;
  /** Its sinks write to tables of SQLite; else to rolling files. */
  readonly isTable: boolean;
  readonly roll: { readonly size: number; readonly checkpoint?: true };
}

/** A random job as processes run it: without what only a simulated clock makes exact. */
export function drawChaosJob(seed: number): JobSpec {
  return { ...drawJob(seed, ['expiring']), randomSeed: 0 };
}

export function surroundingsOf(seed: number): Surroundings {
  const chance = new Chance(seed * 19 + 7);
  return {
    isLogged: chance.flip(0.3),
    isTable: chance.flip(0.3),
    roll: chance.flip(0.3) ? { size: 1000, checkpoint: true } : { size: 1000 },
  };
}
