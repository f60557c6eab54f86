import type { BatchSpec } from '../../simulation/batchSpec.ts';
import { Chance } from '../../simulation/chance.ts';

/** How each of a batch job's failures shows: a function throws, its thread or child process ends, or the whole process does. */
export type BatchFate = 'throw' | 'alone' | 'all';

export function drawBatchFates({ seed, failures }: BatchSpec): readonly BatchFate[] {
  const chance = new Chance(seed * 61 + 1);
  return failures.map(() => chance.pick(['throw', 'throw', 'alone', 'alone', 'all'] as const));
}
