import { type BatchSpec, isBatch } from './batchSpec.ts';
import { Chance } from './chance.ts';
import { Fates } from './fates.ts';
import { drawJob, type JobSpec } from './jobSpec.ts';
import { type Life, NO_TROUBLE } from './life.ts';
import { type Verdict, judge } from './judge.ts';
import { simulateBatch } from './simulateBatch.ts';
import { Universe } from './universe.ts';

/** What a seed has shown. */
export interface Outcome extends Verdict {
  readonly seed: number;
  readonly spec: JobSpec | BatchSpec;
  /** How often the job was started. */
  readonly lives: number;
  /** What its processes have told. */
  readonly log: readonly string[];
}

/** Something done to the engine from outside, and undone by the result. */
export type Change = () => () => void;

/**
 * Runs the job of a seed undisturbed, and once more while everything goes wrong; compares what both have made visible. `change` is in
 * place only while things go wrong.
 */
export async function simulate(seed: number, change?: Change): Promise<Outcome> {
  if (isBatch(seed)) return { seed, ...(await simulateBatch(seed, change)) };
  const spec = drawJob(seed);
  const undisturbed = await runUndisturbed(spec);
  const undo = change?.();
  const universe = new Universe(spec, new Chance(seed * 31 + 5));
  try {
    const problem = await new Fates(universe).play();
    const verdict = problem === undefined ? judge(spec, universe.target, undisturbed) : { problem, hasDuplicates: false };
    return { ...verdict, seed, spec, ...told(universe.lives) };
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problem, hasDuplicates: false, seed, spec, ...told(universe.lives) };
  } finally {
    undo?.();
    universe.end();
  }
}

/** What the job writes when nothing goes wrong. */
export async function runUndisturbed(spec: JobSpec): Promise<readonly string[]> {
  const universe = new Universe(spec, new Chance(spec.seed * 17 + 3));
  const life = universe.begin(NO_TROUBLE);
  await universe.world.until(() => life.outcome !== undefined);
  universe.end();
  if (life.outcome !== 'finished')
    throw new Error(`The undisturbed run of seed ${spec.seed} has not come to its end.`, { cause: life.failure });
  return universe.target.visible;
}

function told(lives: readonly Life[]): { readonly lives: number; readonly log: readonly string[] } {
  return { lives: lives.length, log: lives.flatMap(({ log }) => log) };
}
