import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MUTANTS } from '../chaos/mutants/allMutants.ts';
import { seedTurns } from '../simulation/seededTurns.ts';
import { simulate } from '../simulation/simulate.ts';

const SEEDS = process.env['MILLRACE_LONG'] === '1' ? 10_000 : 300;
/** Mutants that one of the first few seeds finds. `npm run chaos -- --mutants` hunts all of them. */
const QUICK = [
  'skip-alignment',
  'commit-early',
  'lose-committables',
  'lose-split',
  'lose-seen-splits',
  'forget-elements',
  'skip-on-end',
  'results-twice',
  'commit-with-region',
];
const QUICK_SEEDS = 30;

let putBack: () => void;
// A job that failed may leave a promise behind that nobody waits for: its processes are gone.
const ignore = (): void => undefined;

beforeAll(() => {
  putBack = seedTurns();
  process.on('unhandledRejection', ignore);
});
afterAll(() => {
  putBack();
  process.off('unhandledRejection', ignore);
});

describe('a simulated world in which everything goes wrong', () => {
  test(
    `${SEEDS} seeds: what becomes visible is what an undisturbed run writes`,
    async () => {
      let duplicates = 0;
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { problem, hasDuplicates } = await simulate(seed);
        if (hasDuplicates) duplicates++;
        if (problem !== undefined) failures.push(`npm run chaos -- --simulate --seed ${seed} --seeds 1: ${problem}`);
      }
      expect(failures).toEqual([]);
      // At-least-once is not exactly-once under another name.
      expect(duplicates).toBeGreaterThan(0);
    },
    SEEDS * 1000,
  );

  test('the same seed is the same run', async () => {
    const [first, second] = [await simulate(7), await simulate(7)];
    expect(second).toEqual(first);
    expect(first.lives).toBeGreaterThan(1);
  });

  test.each(QUICK)('finds the mutant %s', async (name) => {
    const mutant = MUTANTS.find((each) => each.name === name)!;
    let problem: string | undefined;
    for (let seed = 1; seed <= QUICK_SEEDS && problem === undefined; seed++) ({ problem } = await simulate(seed, mutant.apply));
    expect(problem).toBeDefined();
  });

  test('mutants have names of their own, and leave nothing behind', async () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
    for (const { apply } of MUTANTS) apply()();
    expect((await simulate(5)).problem).toBeUndefined();
  });
});
