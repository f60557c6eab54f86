import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BatchSpec, drawBatchJob } from '../../simulation/batchSpec.ts';
import { Chance } from '../../simulation/chance.ts';
import { differenceOf, type Verdict } from '../../simulation/judge.ts';
import { runBatchUndisturbed } from '../../simulation/simulateBatch.ts';
import { COMMITTED } from './job.ts';
import { namesIn, outputIn } from '../chaosOutput.ts';
import { after, type ChaosProcess } from '../chaosProcess.ts';
import type { ChaosSetting } from '../chaosSeed.ts';
import type { Strike } from '../strikes.ts';

/** A job that takes longer to come to its end than this, in ms, hangs. */
const PATIENCE = 60_000;
/** More attempts than there are failures. */
const RESTART = 'fixed:10ms:12';

/**
 * One seed of a batch job: its functions throw, its threads and child processes end behind a blocking exchange, and its process is killed. Without
 * checkpoints a process that was killed begins anew; what it had begun to make visible is taken away, as people have to.
 */
export class BatchSeed {
  private readonly seed: number;
  private readonly spec: BatchSpec;
  private readonly chance: Chance;
  private readonly setting: ChaosSetting;
  private readonly folder: string;
  private readonly processes: ChaosProcess[] = [];

  constructor(seed: number, setting: ChaosSetting) {
    this.seed = seed;
    this.spec = drawBatchJob(seed);
    this.chance = new Chance(seed * 59 + 13);
    this.setting = setting;
    this.folder = mkdtempSync(join(tmpdir(), `millrace-chaos-${seed}-`));
  }

  async run(): Promise<Verdict> {
    try {
      const undisturbed = await runBatchUndisturbed(this.spec);
      const problem = (await this.live()) ?? differenceOf(await this.output(), undisturbed);
      if (problem !== undefined) this.tell();
      return { problem, hasDuplicates: false };
    } finally {
      for (const process of this.processes) process.kill('SIGKILL');
      await Promise.all(this.processes.map(async ({ ended }) => ended));
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** What went wrong, if something did that must not; else the job has come to its end. */
  private async live(): Promise<string | undefined> {
    const { chance, spec } = this;
    // Each failure may take a life, and each strike.
    for (let left = spec.failures.length + 3; left > 0; left--) {
      const strike = left > spec.failures.length + 1 && chance.flip(0.4) ? this.strike() : undefined;
      const process = this.start(strike);
      await Promise.race([process.ended, after(PATIENCE)]);
      if (process.code === 0) return undefined;
      const problem = await this.problemOf(process, strike);
      if (problem !== undefined) return problem;
      for (const name of ['output', COMMITTED]) rmSync(join(this.folder, name), { recursive: true, force: true });
    }
    return 'it does not come to its end';
  }

  /** What is wrong with a life that has not come to the job's end. */
  private async problemOf(process: ChaosProcess, strike: Strike | undefined): Promise<string | undefined> {
    if (!process.isOver) return `it hangs: ${process.said.slice(-3000)}`;
    // A host that is lost while sinks commit is the end of the job, as the end of its process is.
    if (namesIn(this.folder).includes(COMMITTED)) return undefined;
    if ((await this.output()).length > 0) return 'something is visible before the end';
    // A strike hits the hosts of every attempt.
    const isStruckDown = process.code === null || (strike !== undefined && process.said.includes('worker/lost'));
    return isStruckDown ? undefined : `it ended with ${process.code}: ${process.said.slice(-3000)}`;
  }

  private strike(): Strike {
    const { chance } = this;
    const isAlone = chance.flip(0.4);
    if (chance.flip(0.5)) return { moment: 'time', nth: chance.between(20, 500), isAlone };
    return { moment: chance.pick(['prepared', 'commit begun', 'committed'] as const), nth: chance.between(1, 4), isAlone };
  }

  private start(strike: Strike | undefined): ChaosProcess {
    const { setting, spec, chance } = this;
    const process = setting.pool.take();
    this.processes.push(process);
    const driver = setting.driver ?? chance.pick(['inline', 'workers', 'workers', 'processes'] as const);
    const args = ['run', setting.batchJob, '--mode', 'batch', '--parallelism', String(spec.parallelism), '--restart', RESTART];
    const config = ['--job', String(this.seed), '--folder', this.folder];
    void process.run({ args: [...args, '--', ...config], strike, mutant: setting.mutant, driver });
    return process;
  }

  private async output(): Promise<string[]> {
    return outputIn(join(this.folder, 'output'));
  }

  private tell(): void {
    const { tell } = this.setting;
    tell?.((readdirSync(this.folder, { recursive: true }) as string[]).join('\n'));
    for (const { order, said, code } of this.processes) tell?.(`${JSON.stringify(order)}\n${said}\nended with ${code}\n`);
  }
}
