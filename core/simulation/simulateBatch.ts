import { defineSink, fixedDelay, type Job, type RunOptions, type Sink, StreamEnvironment } from '@millrace/core';
import { type BatchSpec, drawBatchJob } from './batchSpec.ts';
import { buildBatchJob } from './buildBatchJob.ts';
import { Chance } from './chance.ts';
import { differenceOf, type Verdict } from './judge.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';
import { World } from './world.ts';

/** More attempts than any job of the simulation needs. */
const ATTEMPTS = 50;

/** What a seed of a batch job has shown. */
export interface BatchOutcome extends Verdict {
  readonly spec: BatchSpec;
  readonly lives: number;
  readonly log: readonly string[];
}

/** What sinks have made visible, and what goes wrong with them. */
class BatchTarget {
  readonly visible: string[] = [];
  /** Something was processed when a part of the results was visible already. */
  isTooEarly = false;
  private readonly process: SimulatedProcess;
  private readonly fails: () => boolean;

  constructor(process: SimulatedProcess, fails: () => boolean) {
    this.process = process;
    this.fails = fails;
  }

  sink(name: string): Sink<unknown> {
    return defineSink<unknown, string>({
      name: 'target',
      open: () => {
        let open: string[] = [];
        return {
          write: (values) => void open.push(...values.map((value) => `${name} ${JSON.stringify(value)}`)),
          prepare: () => {
            const lines = open;
            open = [];
            return this.process.outside(4, () => {
              if (this.fails()) throw new Error('the target does not take it');
              return lines;
            });
          },
          commit: (lines) => this.process.outside(4, () => void this.visible.push(...lines)),
        };
      },
    });
  }
}

/** Runs the batch job of a seed undisturbed, and once more while functions throw and its process is killed; compares what both have made visible. */
export async function simulateBatch(seed: number, change?: () => () => void): Promise<BatchOutcome> {
  const spec = drawBatchJob(seed);
  const undisturbed = await runBatchUndisturbed(spec);
  const undo = change?.();
  const chance = new Chance(seed * 37 + 3);
  const log: string[] = [];
  const failures = [...spec.failures];
  let lives = 0;
  const told = (problem: string | undefined): BatchOutcome => ({ problem, hasDuplicates: false, spec, lives, log });
  try {
    // Without checkpoints a process that was killed begins anew; what it had begun to make visible is taken away, as people have to.
    for (let left = chance.pick([0, 0, 1, 2]); ; left--) {
      lives++;
      const life = live(spec, chance.fork(), { failures, say: (text) => void log.push(text), fails: () => chance.flip(0.03) });
      await life.world.until(() => life.outcome() !== undefined, left > 0 ? chance.between(10, 10 ** chance.between(1, 3)) : undefined);
      life.process.kill();
      if (life.target.isTooEarly) return told('something is visible before the end');
      if (life.outcome() === 'finished') return told(differenceOf(life.target.visible, undisturbed));
      if (life.outcome() !== undefined) return told(`it ${life.outcome()!}`);
      if (left <= 0) return told('the last life hangs');
    }
  } catch (error) {
    return told(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    undo?.();
  }
}

/** What a batch job writes when nothing goes wrong. */
export async function runBatchUndisturbed(spec: BatchSpec): Promise<readonly string[]> {
  const life = live(spec, new Chance(spec.seed), { failures: [], say: () => undefined, fails: () => false });
  await life.world.until(() => life.outcome() !== undefined);
  life.process.kill();
  if (life.outcome() !== 'finished') throw new Error(`The undisturbed run of seed ${spec.seed} has ${life.outcome() ?? 'hung'}.`);
  return life.target.visible;
}

interface BatchTrouble {
  /** Each happens once, in whichever life. */
  readonly failures: BatchSpec['failures'][number][];
  readonly say: (text: string) => void;
  readonly fails: () => boolean;
}

interface BatchLife {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly target: BatchTarget;
  readonly outcome: () => string | undefined;
}

function live(spec: BatchSpec, chance: Chance, { failures, say, fails }: BatchTrouble): BatchLife {
  const world = new World(chance);
  const process = world.start('process');
  const target = new BatchTarget(process, fails);
  const env = new StreamEnvironment();
  buildBatchJob(env, spec, {
    sink: (name) => target.sink(name),
    visitor: (stage) => {
      let nth = 0;
      return () => {
        const call = nth++;
        if (target.visible.length > 0) target.isTooEarly = true;
        const at = failures.findIndex((failure) => failure.stage === stage && failure.nth === call);
        if (at < 0) return;
        failures.splice(at, 1);
        throw new Error('a failure on purpose');
      };
    },
  });
  const options: RunOptions = {
    mode: 'batch',
    platform: process,
    parallelism: spec.parallelism,
    logger: { debug: say, info: say, warn: say, error: say },
    restart: fixedDelay({ delay: { milliseconds: 2 }, attempts: ATTEMPTS }),
  };
  let outcome: string | undefined;
  const running = async (): Promise<void> => {
    const job: Job = await env.start('simulated', options);
    await job.finished;
  };
  running().then(
    () => (outcome = 'finished'),
    (error: unknown) => (outcome = `failed: ${String(error)}`),
  );
  return { world, process, target, outcome: () => outcome };
}
