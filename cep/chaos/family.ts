import type { Family } from '../../core/simulation/family.ts';
import { cepMutants } from './cepMutants.ts';
import { cepSteps } from './cepSteps.ts';

/** What random jobs of the chaos do with patterns. */
export const family: Family = { steps: cepSteps, mutants: cepMutants };
