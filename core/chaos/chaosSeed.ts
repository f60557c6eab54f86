import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chance } from '../simulation/chance.ts';
import type { JobSpec } from '../simulation/jobSpec.ts';
import { judge, type Verdict } from '../simulation/judge.ts';
import { runUndisturbed } from '../simulation/simulate.ts';
import { Catalog } from '../src/checkpoint/catalog.ts';
import { crc32 } from '../src/checkpoint/checksum.ts';
import { Lease } from '../src/checkpoint/lease.ts';
import { directory } from '../src/node/directory.ts';
import { ChaosInput } from './chaosInput.ts';
import { namesIn, normal, outputIn } from './chaosOutput.ts';
import { after, type ChaosProcess, type ProcessPool } from './chaosProcess.ts';
import { drawChaosJob } from './drawChaosJob.ts';
import { MOMENTS, type Strike } from './strikes.ts';
import type { Order } from './worker.ts';

/** A job that takes longer to come to its end than this, in ms, hangs. */
const PATIENCE = 60_000;
/** Length of the epoch in the name of a manifest. */
const EPOCH = 8;
/** How long a process that was stopped keeps its lease. */
const LEASE = '400ms';
const BEGUN = /goes on from|starts fresh/;

/** What becomes of a life, some more often than others. */
const FATES = ['time', 'time', 'moment', 'moment', 'moment', 'moment', 'moment', 'sleep', 'sleep', 'move', 'thread', 'thread'] as const;

/** What all seeds of a run have in common. */
export interface ChaosSetting {
  readonly pool: ProcessPool;
  /** The file of the job's module. */
  readonly job: string;
  /** That of batch jobs. */
  readonly batchJob: string;
  /** Where subtasks run; `undefined`: here in one life, in threads of their own in another. */
  readonly driver: Order['driver'] | undefined;
  /** A fault of the processes. */
  readonly mutant: string | undefined;
  /** Told of the lives of a seed that fails, where it is to be told. */
  readonly tell: ((text: string) => void) | undefined;
}

/** One seed: a job over files in a directory of its own, whose processes are killed, stopped and resumed until it comes to its end. */
export class ChaosSeed {
  private readonly seed: number;
  private readonly spec: JobSpec;
  private readonly chance: Chance;
  private readonly setting: ChaosSetting;
  private readonly folder: string;
  private readonly input: ChaosInput;
  private readonly processes: ChaosProcess[] = [];
  /** Where its checkpoints are now: it moves with a savepoint. */
  private location: string;
  private savepoint: string | undefined;
  private moves = 0;

  constructor(seed: number, setting: ChaosSetting) {
    this.seed = seed;
    this.spec = drawChaosJob(seed);
    this.chance = new Chance(seed * 53 + 11);
    this.setting = setting;
    this.folder = mkdtempSync(join(tmpdir(), `millrace-chaos-${seed}-`));
    this.input = new ChaosInput(this.spec, join(this.folder, 'input'), this.chance.fork());
    this.location = join(this.folder, 'checkpoints');
  }

  async run(): Promise<Verdict> {
    try {
      const undisturbed = (await runUndisturbed(this.spec)).map(normal);
      const problem = await this.live();
      const visible = await outputIn(join(this.folder, 'output'));
      const verdict =
        problem === undefined ? judge(this.spec, { visible, violations: [] }, undisturbed) : { problem, hasDuplicates: false };
      if (verdict.problem !== undefined) this.tell();
      return verdict;
    } finally {
      for (const process of this.processes) process.kill('SIGKILL');
      await Promise.all(this.processes.map(async ({ ended }) => ended));
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private async live(): Promise<string | undefined> {
    this.input.next();
    for (let lives = this.chance.between(1, 3); lives > 0; lives--) {
      await this.oneLife();
      this.input.next();
    }
    this.input.end();
    const last = await this.start();
    await Promise.race([last.ended, after(PATIENCE)]);
    if (!last.isOver) return `the last process hangs: ${last.said.slice(-3000)}`;
    return last.code === 0 ? undefined : `the last process ended with ${last.code}: ${last.said.slice(-3000)}`;
  }

  private async oneLife(): Promise<void> {
    const { chance } = this;
    const fate = chance.pick(FATES);
    const strike = this.strikeOf(fate);
    const process = await this.start(strike);
    await process.says(BEGUN, 20_000);
    if (fate === 'move') await this.untilItListens(process);
    await Promise.race([process.ended, after(strike === undefined ? chance.between(0, 350) : 1200)]);
    if (fate === 'sleep') return this.takeOver(process);
    if (fate === 'move') await this.move(process);
    // Nothing of the newest can have been committed: a torn or missing object is one that a crash of the machine has left.
    const mayBeDamaged = strike?.moment === 'manifest written' && process.isOver && process.code === null;
    process.kill('SIGKILL');
    await process.ended;
    if (mayBeDamaged && chance.flip(0.6)) this.damageNewest();
  }

  private strikeOf(fate: (typeof FATES)[number]): Strike | undefined {
    const { chance } = this;
    if (fate === 'moment') return { moment: chance.pick(MOMENTS), nth: chance.between(1, 6) };
    if (fate !== 'thread') return undefined;
    return chance.flip(0.3)
      ? { moment: 'time', nth: chance.between(50, 500), isAlone: true }
      : { moment: chance.pick(MOMENTS), nth: chance.between(1, 6), isAlone: true };
  }

  /** Another process takes the job over from one that was stopped, which then goes on as if nothing had happened. */
  private async takeOver(sleeper: ChaosProcess): Promise<void> {
    sleeper.kill('SIGSTOP');
    const next = await this.start();
    await next.says(BEGUN, 20_000);
    await Promise.race([next.ended, after(this.chance.between(0, 200))]);
    sleeper.kill('SIGCONT');
    await Promise.race([sleeper.ended, after(this.chance.between(50, 300))]);
    sleeper.kill('SIGKILL');
    next.kill('SIGKILL');
    await Promise.all([sleeper.ended, next.ended]);
  }

  /** The job is stopped with a savepoint, and goes on from there with another location; or it goes on, and the savepoint is of no use. */
  private async move(process: ChaosProcess): Promise<void> {
    const savepoint = join(this.folder, `savepoint-${++this.moves}`);
    const command = this.pool();
    const isLeft = this.chance.flip(0.7);
    const args = isLeft ? ['stop', this.location, '--savepoint', savepoint] : ['savepoint', this.location, savepoint];
    void command.run({ args, strike: undefined, mutant: undefined, driver: 'inline' });
    await Promise.race([command.ended, after(PATIENCE)]);
    if (!isLeft || command.code !== 0) return;
    await Promise.race([process.ended, after(PATIENCE)]);
    this.savepoint = savepoint;
    this.location = join(this.folder, `checkpoints-${this.moves}`);
  }

  /** A job can be told to stop once it runs. */
  private async untilItListens(process: ChaosProcess): Promise<void> {
    for (let looks = 0; looks < 300 && !process.isOver && !namesIn(this.location).includes('control.sock'); looks++) await after(10);
  }

  private pool(): ChaosProcess {
    const process = this.setting.pool.take();
    this.processes.push(process);
    return process;
  }

  /** Whether its location has a checkpoint that counts. */
  private async hasCheckpoint(): Promise<boolean> {
    const storage = directory(this.location);
    const catalog = new Catalog(storage, crc32, () => undefined);
    return (await catalog.manifests(await Lease.choice(storage))).length > 0;
  }

  private async start(strike?: Strike): Promise<ChaosProcess> {
    const { chance, spec, folder, setting } = this;
    const process = this.pool();
    const isAlone = strike?.isAlone === true;
    const isFirst = this.savepoint !== undefined && !(await this.hasCheckpoint());
    const flags = {
      checkpoint: this.location,
      every: chance.pick(['15ms', '40ms']),
      restore: isFirst ? this.savepoint! : 'latest',
      parallelism: String(chance.between(isAlone ? 2 : 1, 4)),
      'max-parallelism': String(spec.maxParallelism),
      retain: String(chance.between(1, 3)),
      lease: LEASE,
      restart: 'fixed:10ms:2',
      ...(spec.judgement === 'atLeastOnce' && { 'checkpoint-mode': 'at-least-once' }),
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const config = ['--job', String(this.seed), '--folder', folder, '--placement', String(chance.below(1000))];
    const apart = chance.flip(0.25) ? 'processes' : 'workers';
    const drawn = isAlone || chance.flip(0.2) ? apart : 'inline';
    const driver = setting.driver ?? drawn;
    void process.run({ args: ['run', setting.job, ...args, '--standby', '--', ...config], strike, mutant: setting.mutant, driver });
    return process;
  }

  private tell(): void {
    const { tell } = this.setting;
    tell?.((readdirSync(this.folder, { recursive: true }) as string[]).join('\n'));
    for (const { order, said, code } of this.processes) tell?.(`${JSON.stringify(order)}\n${said}\nended with ${code}\n`);
  }

  private damageNewest(): void {
    const manifests = namesIn(join(this.location, 'manifests')).filter((name) => name.endsWith('.json'));
    const [newest, before] = manifests.reverse();
    // One of an older epoch may not count.
    if (newest === undefined || before?.slice(0, EPOCH) !== newest.slice(0, EPOCH)) return;
    const stamp = newest.slice(0, -'.json'.length);
    const own = namesIn(join(this.location, 'state')).filter((name) => name.startsWith(`${stamp}-`));
    const paths = [...own.map((name) => join('state', name)), join('manifests', newest)];
    const path = join(this.location, this.chance.pick(paths));
    if (this.chance.flip(0.5)) rmSync(path);
    else truncateSync(path, this.chance.below(readFileSync(path).length));
  }
}
