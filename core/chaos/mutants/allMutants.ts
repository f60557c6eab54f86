import { FAMILIES } from '../../simulation/families.ts';
import { barrierMutants } from './barrierMutants.ts';
import { batchMutants } from './batchMutants.ts';
import type { Mutant } from './mutant.ts';
import { sinkMutants } from './sinkMutants.ts';
import { stateMutants } from './stateMutants.ts';
import { timeMutants } from './timeMutants.ts';

/** Every deliberate fault that chaos has to find. */
export const MUTANTS: readonly Mutant[] = [
  ...barrierMutants,
  ...batchMutants,
  ...sinkMutants,
  ...stateMutants,
  ...timeMutants,
  ...FAMILIES.flatMap(({ mutants }) => mutants),
];
