import { type CheckpointStorage, fixedDelay, type Job, noRestart, type RunOptions, StreamEnvironment } from '@millrace/core';
import { buildJob } from './buildJob.ts';
import type { Chance } from './chance.ts';
import type { JobSpec } from './jobSpec.ts';
import type { SimulatedProcess } from './simulatedProcess.ts';
import { simulatedSource } from './simulatedSource.ts';
import { type SharedDisk, simulatedStorage } from './simulatedStorage.ts';
import type { Target } from './transactions.ts';

/** How much goes wrong inside of a process while it lives; nothing where all is zero. */
export interface Trouble {
  /** Likelihoods: of a user function that throws, per element; of a disk and of a target that fail, per operation. */
  readonly functions: number;
  readonly disk: number;
  readonly target: number;
  /** How long writes to the disk take at most, in ms. */
  readonly delay: number;
}

/** What a process finds. */
export interface Place {
  readonly disk: SharedDisk;
  /** What to go on from where nothing is on the disk. */
  readonly savepoint: SharedDisk | undefined;
  readonly target: Target;
}

export const NO_TROUBLE: Trouble = { functions: 0, disk: 0, target: 0, delay: 4 };

/** A job in one process, from its start to its end or its death. */
export class Life {
  readonly process: SimulatedProcess;
  job: Job | undefined;
  outcome: 'finished' | 'failed' | undefined;
  failure: unknown;
  /** What the job has told, for who looks into a seed that failed. */
  readonly log: string[] = [];

  constructor(process: SimulatedProcess) {
    this.process = process;
  }

  begin(spec: JobSpec, place: Place, trouble: Trouble, chance: Chance): void {
    const env = new StreamEnvironment();
    const perhaps = (likelihood: number) => () =>
      likelihood > 0 && chance.flip(likelihood) ? (chance.flip(0.5) ? 'before' : 'after') : undefined;
    buildJob(env, spec, {
      source: (source) => simulatedSource(source, spec.seed, this.process, chance.fork()),
      sink: (name) => place.target.sink(name, spec.sinks, this.process, perhaps(trouble.target)),
      pause: () => this.process.outside(chance.flip(0.2) ? 80 : 8, () => undefined),
      visit: () => {
        if (trouble.functions > 0 && chance.flip(trouble.functions)) throw new Error('a failure on purpose');
      },
      placement: chance.below(1000),
    });
    const storageOn = (disk: SharedDisk): CheckpointStorage =>
      simulatedStorage(disk, this.process, { delay: trouble.delay, failure: perhaps(trouble.disk) });
    const { disk, savepoint } = place;
    const restore = savepoint === undefined || disk.isUsed ? 'latest' : { savepoint: storageOn(savepoint) };
    this.run(env, { ...this.options(spec, storageOn(disk), trouble, chance), restore });
  }

  private options(spec: JobSpec, storage: CheckpointStorage, { functions, disk, target }: Trouble, chance: Chance): RunOptions {
    const isCalm = functions + disk + target === 0;
    return {
      logger: { debug: () => undefined, info: (text) => this.say(text), warn: (text) => this.say(text), error: (text) => this.say(text) },
      platform: this.process,
      seed: spec.randomSeed,
      parallelism: chance.between(spec.judgement === 'atLeastOnce' ? 2 : 1, 4),
      maxParallelism: spec.maxParallelism,
      generateCode: chance.flip(0.1),
      checkpoint: {
        storage,
        every: { milliseconds: chance.pick([5, 15, 40]) },
        mode: spec.judgement === 'atLeastOnce' ? 'atLeastOnce' : 'exactlyOnce',
        timeout: { milliseconds: isCalm ? 60_000 : chance.pick([20, 200, 2000]) },
        concurrent: chance.pick([1, 1, 2, 3]),
        retain: chance.between(1, 3),
        lease: { milliseconds: 200 },
        standby: true,
      },
      restart: isCalm || chance.flip(0.3) ? noRestart() : fixedDelay({ delay: { milliseconds: 2 }, attempts: chance.between(1, 4) }),
    };
  }

  private say(text: string): void {
    this.log.push(`${this.process.name}: ${text}`);
  }

  private run(env: StreamEnvironment, options: RunOptions): void {
    const running = async (): Promise<void> => {
      this.job = await env.start('simulated', options);
      await this.job.finished;
    };
    running().then(
      () => (this.outcome = 'finished'),
      (error: unknown) => {
        this.failure = error;
        this.outcome = 'failed';
      },
    );
  }
}
