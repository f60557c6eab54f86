import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FAMILIES } from '../../core/simulation/families.ts';
import { drawJob } from '../../core/simulation/jobSpec.ts';
import { seedTurns } from '../../core/simulation/seededTurns.ts';
import { simulate } from '../../core/simulation/simulate.ts';
import { family } from '../chaos/family.ts';

/** Those of the first 200 seeds whose jobs have patterns, rules or statecharts. */
const SEEDS = Array.from({ length: 200 }, (_, at) => at + 1).filter((seed) => drawJob(seed).steps.some(({ step }) => step in family.steps));
const PASS = 30;

let putBack: () => void;
const ignore = (): void => undefined;

beforeAll(() => {
  putBack = seedTurns();
  // A job that failed may leave a promise behind that nobody waits for: its processes are gone.
  process.on('unhandledRejection', ignore);
});
afterAll(() => {
  putBack();
  process.off('unhandledRejection', ignore);
});

describe('jobs with patterns, rules and statecharts in which everything goes wrong', () => {
  test('are among the random jobs of the core', () => {
    expect(FAMILIES).toContain(family);
    const drawn = SEEDS.flatMap((seed) => drawJob(seed).steps.map(({ step }) => step));
    for (const step of Object.keys(family.steps)) expect(drawn.filter((each) => each === step).length).toBeGreaterThan(10);
  });

  test(`${PASS} seeds: what becomes visible is what an undisturbed run writes`, async () => {
    const failures: string[] = [];
    for (const seed of SEEDS.slice(0, PASS)) {
      const { problem } = await simulate(seed);
      if (problem !== undefined) failures.push(`npm run chaos -- --simulate --seed ${seed} --seeds 1: ${problem}`);
    }
    expect(failures).toEqual([]);
  });

  test.each(family.mutants.map(({ name, apply }) => ({ name, apply })))('find the mutant $name', async ({ apply }) => {
    let problem: string | undefined;
    for (const seed of SEEDS) {
      ({ problem } = await simulate(seed, apply));
      if (problem !== undefined) break;
    }
    expect(problem).toBeDefined();
  });
});
