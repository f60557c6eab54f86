import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants/allMutants.ts';
import type { Mutant } from './mutants/mutant.ts';
import { huntSimulated, runSimulated } from './simulated.ts';
import { runProcesses, huntProcesses } from './processes.ts';
import { Tally } from './tally.ts';

/** How many seeds find every mutant. */
const MUTANT_SEEDS = 200;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    simulate: { type: 'boolean', default: false },
    processes: { type: 'boolean', default: false },
    workers: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const first = Number(values.seed);
const driver = values.workers ? 'workers' : undefined;
const tally = new Tally();
// What a job that fails leaves behind is no failure of the chaos itself.
process.on('unhandledRejection', (error) => {
  if (values.verbose) tally.say(`unhandled: ${String(error)}`);
});

if (values.mutant !== undefined || values.mutants) {
  const seeds = Number(values.seeds ?? MUTANT_SEEDS);
  for (const mutant of chosen(values.mutant)) {
    if (values.processes) await huntProcesses(mutant, first, seeds, driver, tally);
    else await huntSimulated(mutant, first, seeds, tally);
  }
} else if (values.simulate) await runSimulated(first, Number(values.seeds ?? 300), tally, values.verbose);
else await runProcesses(first, Number(values.seeds ?? 25), driver, tally, values.verbose);
process.exit(tally.end());

function chosen(name: string | undefined): readonly Mutant[] {
  if (name === undefined) return MUTANTS;
  const found = MUTANTS.filter((mutant) => mutant.name === name);
  if (found.length > 0) return found;
  console.error(`There is no mutant "${name}". There are:\n${MUTANTS.map((each) => `  ${each.name.padEnd(26)} ${each.about}`).join('\n')}`);
  process.exit(2);
}
