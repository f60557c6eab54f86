import type { Mutant } from '../chaos/mutants/mutant.ts';
import type { Step } from './flow.ts';

/** What a package of the house adds to random jobs: it exports one, called `family`, from its `chaos/family.ts`. */
export interface Family {
  readonly steps: Readonly<Record<string, Step>>;
  /** Deliberate faults of the package itself. */
  readonly mutants: readonly Mutant[];
}
