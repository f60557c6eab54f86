import { Chance } from './chance.ts';

/** Of so many seeds one is a batch job. */
const BATCH_EVERY = 10;

/** What stands between two exchanges of a batch job. */
export type BatchStage = 'sums' | 'each' | 'pairs' | 'even';

/** Something that goes wrong, once: at the n-th element that a subtask of a stage is given, counted from 0. */
export interface BatchFailure {
  readonly stage: number;
  readonly nth: number;
}

/** A random batch job, as data: what a seed stands for. Its results depend on no order. */
export interface BatchSpec {
  readonly seed: number;
  readonly elements: number;
  readonly parallelism: number;
  /** A blocking exchange leads into each. */
  readonly stages: readonly { readonly kind: BatchStage; readonly keys: number; readonly hasSink: boolean; readonly parallelism: number }[];
  readonly failures: readonly BatchFailure[];
}

export function isBatch(seed: number): boolean {
  return seed % BATCH_EVERY === 0;
}

export function drawBatchJob(seed: number): BatchSpec {
  const chance = new Chance(seed * 43 + 29);
  const elements = chance.between(20, 300);
  const parallelism = chance.between(1, 3);
  const stages = Array.from({ length: chance.between(2, 4) }, () => ({
    kind: chance.pick(['sums', 'sums', 'each', 'pairs', 'even'] as const),
    keys: chance.pick([1, 3, 20]),
    hasSink: chance.flip(0.4),
    parallelism: chance.flip(0.7) ? parallelism : chance.between(1, 3),
  }));
  // Most of them behind the first exchange: then there is something that need not be done again.
  const failures = Array.from({ length: chance.between(1, 4) }, () => ({
    stage: chance.flip(0.2) ? 0 : chance.between(1, stages.length),
    nth: chance.below(chance.pick([3, 30, elements])),
  }));
  return { seed, elements, parallelism, stages, failures };
}
