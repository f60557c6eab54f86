import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants/allMutants.ts';
import type { Mutant } from './mutants/mutant.ts';
import { huntSimulated, runSimulated } from './simulated.ts';
import { runProcesses, huntProcesses } from './processes.ts';
import { Tally } from './tally.ts';

/** How many seeds find every mutant. */
const MUTANT_SEEDS = 200;

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  seeds: { type: 'string' },
  simulate: { type: 'boolean', default: false },
  processes: { type: 'boolean', default: false },
  workers: { type: 'boolean', default: false },
  mutant: { type: 'string' },
  mutants: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const USAGE = `Usage: npm run chaos -- [--seeds N] [--seed S] [options]
Runs seeds S to S + N - 1 (25 from 1 on): jobs that are killed in many ways must give what an undisturbed run gives. One seed alone replays it.
  --simulate       everything in this process, with a seeded clock and scheduler (300 seeds)
  --workers        jobs in processes, their tasks on worker threads only
  --mutant NAME    breaks the engine on purpose: some seed has to find out (--seeds: 200)
  --mutants        the same with every mutant
  --processes      with --mutant or --mutants: by killing processes, not simulated
  --verbose        tells of each seed
The last line is "N passed, M failed".`;

const values = options();
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

function options(): ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'] {
  try {
    const { values: given } = parseArgs({ options: OPTIONS });
    for (const each of [given.seed, given.seeds ?? '1']) if (!/^\d+$/.test(each)) throw new Error(`"${each}" is no number of seeds.`);
    if (!given.help) return given;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

function chosen(name: string | undefined): readonly Mutant[] {
  if (name === undefined) return MUTANTS;
  const found = MUTANTS.filter((mutant) => mutant.name === name);
  if (found.length > 0) return found;
  console.error(`There is no mutant "${name}". There are:\n${MUTANTS.map((each) => `  ${each.name.padEnd(26)} ${each.about}`).join('\n')}`);
  process.exit(2);
}
