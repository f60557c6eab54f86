import { seedTurns } from '../simulation/seededTurns.ts';
import { simulate } from '../simulation/simulate.ts';
import type { Mutant } from './mutants/mutant.ts';
import { Tally } from './tally.ts';

/** Runs seeds of the simulation. `mutant` has to be found by one of them: then the first that fails is a success. */
export async function runSimulated(first: number, count: number, tally: Tally, verbose = false): Promise<void> {
  const undo = seedTurns();
  let duplicates = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { problem, hasDuplicates, lives, log, spec } = await simulate(seed);
    if (hasDuplicates) duplicates++;
    tally.add(
      problem === undefined,
      () => `seed ${seed} (${lives} lives): ${problem}\n  replay: npm run chaos -- --simulate --seed ${seed} --seeds 1`,
    );
    if (verbose && problem !== undefined) tally.say(`${JSON.stringify(spec)}\n${log.join('\n')}`);
  }
  if (count >= 300 && duplicates === 0)
    tally.add(false, () => 'at-least-once: no seed shows a duplicate, so its barriers seem to be aligned');
  undo();
}

/** Looks for a seed of the simulation that finds a mutant. */
export async function huntSimulated(mutant: Mutant, first: number, count: number, tally: Tally): Promise<void> {
  const undo = seedTurns();
  const found = await firstFailure(mutant, first, count);
  undo();
  if (found === undefined) tally.add(false, () => `${mutant.name} (${mutant.about}): not found in ${count} seeds`);
  else {
    tally.add(true, () => '');
    tally.say(`caught   ${mutant.name.padEnd(26)} seed ${found.seed}: ${found.problem.slice(0, 90).replaceAll('\n', ' ')}`);
  }
}

async function firstFailure(
  mutant: Mutant,
  first: number,
  count: number,
): Promise<{ readonly seed: number; readonly problem: string } | undefined> {
  for (let seed = first; seed < first + count; seed++) {
    const { problem } = await simulate(seed, mutant.apply);
    if (problem !== undefined) return { seed, problem };
  }
  return undefined;
}
