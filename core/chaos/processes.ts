import { isBatch } from '../simulation/batchSpec.ts';
import type { Verdict } from '../simulation/judge.ts';
import { seedTurns } from '../simulation/seededTurns.ts';
import { BatchSeed } from './batch/batchSeed.ts';
import { ProcessPool } from './chaosProcess.ts';
import { ChaosSeed, type ChaosSetting } from './chaosSeed.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { Tally } from './tally.ts';
import type { Order } from './worker.ts';
import { workerBundle } from './workerBundle.ts';

/** Seeds that run at the same time, and processes that wait for their turn. */
const AT_ONCE = 3;
const WAITING = 3;
/** Of so many seeds one shows that at-least-once is not exactly-once. */
const SHOWS_DUPLICATES = 300;

/** Runs seeds with real processes. */
export async function runProcesses(
  first: number,
  count: number,
  driver: Order['driver'] | undefined,
  tally: Tally,
  verbose: boolean,
): Promise<void> {
  let duplicates = 0;
  const tell = verbose ? (text: string): void => tally.say(text) : undefined;
  await inProcesses(first, count, { driver, mutant: undefined, tell }, (seed, { problem, hasDuplicates }) => {
    if (hasDuplicates) duplicates++;
    tally.add(problem === undefined, () => `seed ${seed}: ${problem}\n  replay: npm run chaos -- --seed ${seed} --seeds 1`);
    return true;
  });
  if (duplicates > 0) tally.say(`at-least-once: ${duplicates} seeds show a duplicate`);
  else if (count >= SHOWS_DUPLICATES) {
    tally.add(false, () => `at-least-once: none of ${count} seeds shows a duplicate, so its barriers seem to be aligned`);
  }
}

/** Looks for a seed with real processes that finds a mutant. */
export async function huntProcesses(
  mutant: Mutant,
  first: number,
  count: number,
  driver: Order['driver'] | undefined,
  tally: Tally,
): Promise<void> {
  let found: string | undefined;
  await inProcesses(first, count, { driver, mutant: mutant.name, tell: undefined }, (seed, { problem }) => {
    if (problem !== undefined) found ??= `seed ${seed}: ${problem.slice(0, 90).replaceAll('\n', ' ')}`;
    return found === undefined;
  });
  tally.add(found !== undefined, () => `${mutant.name} (${mutant.about}): not found in ${count} seeds`);
  if (found !== undefined) tally.say(`caught   ${mutant.name.padEnd(26)} ${found}`);
}

async function inProcesses(
  first: number,
  count: number,
  setting: Omit<ChaosSetting, 'pool' | 'job' | 'batchJob'>,
  onSeed: (seed: number, verdict: Verdict) => boolean,
): Promise<void> {
  const undo = seedTurns();
  const { worker, job, batchJob } = await workerBundle();
  const pool = new ProcessPool(worker, WAITING);
  let next = first;
  let goesOn = true;
  const work = async (): Promise<void> => {
    while (goesOn && next < first + count) {
      const seed = next++;
      const whole = { pool, job, batchJob, ...setting };
      goesOn = onSeed(seed, await (isBatch(seed) ? new BatchSeed(seed, whole) : new ChaosSeed(seed, whole)).run()) && goesOn;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  pool.close();
  undo();
}
