import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chance } from '../simulation/chance.ts';
import { eventsOf, type JobSpec, splitsOf } from '../simulation/jobSpec.ts';
import { judge, type Verdict } from '../simulation/judge.ts';
import { runUndisturbed } from '../simulation/simulate.ts';
import { after, type ChaosProcess, type ProcessPool } from './chaosProcess.ts';
import { drawChaosJob, survivesDamage } from './drawChaosJob.ts';
import { MOMENTS, type Strike } from './strikes.ts';
import { END } from './waveSource.ts';
import type { Order } from './worker.ts';

/** A job that takes longer to come to its end than this, in ms, hangs. */
const PATIENCE = 60_000;
/** Length of the epoch in the name of a manifest. */
const EPOCH = 8;
/** How long a process that was stopped keeps its lease. */
const LEASE = '400ms';

/** What all seeds of a run have in common. */
export interface ChaosSetting {
  readonly pool: ProcessPool;
  /** The file of the job's module. */
  readonly job: string;
  readonly driver: Order['driver'];
  /** A fault of the processes. */
  readonly mutant: string | undefined;
}

/** One seed: a job over files in a directory of its own, whose processes are killed, stopped and resumed until it comes to its end. */
export class ChaosSeed {
  private readonly seed: number;
  private readonly spec: JobSpec;
  private readonly chance: Chance;
  private readonly pool: ProcessPool;
  /** The file of the job's module. */
  private readonly job: string;
  private readonly mutant: string | undefined;
  private readonly driver: Order['driver'];
  private readonly folder: string;
  private readonly processes: ChaosProcess[] = [];
  private wave = 0;

  constructor(seed: number, { pool, job, mutant, driver }: ChaosSetting) {
    this.seed = seed;
    this.spec = drawChaosJob(seed);
    this.chance = new Chance(seed * 53 + 11);
    this.pool = pool;
    this.job = job;
    this.driver = driver;
    this.mutant = mutant;
    this.folder = mkdtempSync(join(tmpdir(), `millrace-chaos-${seed}-`));
  }

  async run(): Promise<Verdict> {
    try {
      const undisturbed = (await runUndisturbed(this.spec)).map(normal);
      const problem = await this.live();
      return problem === undefined
        ? judge(this.spec, { visible: this.output(), violations: [] }, undisturbed)
        : { problem, hasDuplicates: false };
    } finally {
      for (const process of this.processes) process.kill('SIGKILL');
      await Promise.all(this.processes.map(async ({ ended }) => ended));
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private async live(): Promise<string | undefined> {
    for (const { uid } of this.spec.sources) mkdirSync(join(this.folder, 'input', uid), { recursive: true });
    this.nextWave();
    for (let lives = this.chance.between(1, 3); lives > 0; lives--) {
      await this.oneLife();
      this.nextWave();
    }
    while (this.nextWave());
    for (const { uid } of this.spec.sources) mkdirSync(join(this.folder, 'input', uid, END));
    const last = this.start(undefined);
    await Promise.race([last.ended, after(PATIENCE)]);
    if (!last.isOver) return `the last process hangs: ${last.said.slice(-500)}`;
    return last.code === 0 ? undefined : `the last process ended with ${last.code}: ${last.said.slice(-700)}`;
  }

  private async oneLife(): Promise<void> {
    const { chance } = this;
    const fate = chance.pick(['time', 'moment', 'moment', 'moment', 'sleep'] as const);
    const strike = fate === 'moment' ? { moment: chance.pick(MOMENTS), nth: chance.between(1, 6) } : undefined;
    const process = this.start(strike);
    await process.says(/goes on from|starts fresh/, 20_000);
    await Promise.race([process.ended, after(fate === 'moment' ? 1200 : chance.between(0, 350))]);
    if (fate === 'sleep') return this.takeOver(process);
    process.kill('SIGKILL');
    await process.ended;
    // Nothing of it can have been committed: a torn or missing object is one that a crash of the machine has left.
    if (strike?.moment === 'manifest written' && survivesDamage(this.seed) && chance.flip(0.6)) this.damageNewest();
  }

  /** Another process takes the job over from one that was stopped, which then goes on as if nothing had happened. */
  private async takeOver(sleeper: ChaosProcess): Promise<void> {
    sleeper.kill('SIGSTOP');
    const next = this.start(undefined);
    await next.says(/goes on from|starts fresh/, 20_000);
    await Promise.race([next.ended, after(this.chance.between(0, 200))]);
    sleeper.kill('SIGCONT');
    await Promise.race([sleeper.ended, after(this.chance.between(50, 300))]);
    sleeper.kill('SIGKILL');
    next.kill('SIGKILL');
    await Promise.all([sleeper.ended, next.ended]);
  }

  private start(strike: Strike | undefined): ChaosProcess {
    const { chance, spec, folder } = this;
    const process = this.pool.take();
    this.processes.push(process);
    const flags = {
      checkpoint: join(folder, 'checkpoints'),
      every: chance.pick(['15ms', '40ms']),
      restore: 'latest',
      parallelism: String(chance.between(1, 4)),
      'max-parallelism': String(spec.maxParallelism),
      retain: String(chance.between(1, 3)),
      lease: LEASE,
      restart: 'fixed:10ms:2',
      ...(spec.judgement === 'atLeastOnce' && { 'checkpoint-mode': 'at-least-once' }),
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const config = ['--job', String(this.seed), '--folder', folder, '--placement', String(chance.below(1000))];
    void process.run({ args: ['run', this.job, ...args, '--standby', '--', ...config], strike, mutant: this.mutant, driver: this.driver });
    return process;
  }

  /** Lets the next wave of files appear, all of them at once. False when there is none. */
  private nextWave(): boolean {
    const wave = this.wave++;
    let isAny = false;
    for (const source of this.spec.sources) {
      const splits = splitsOf(source)[wave];
      if (splits === undefined) continue;
      isAny = true;
      const hidden = join(this.folder, 'input', source.uid, `.wave-${wave}`);
      mkdirSync(hidden);
      for (const split of splits) {
        const lines = eventsOf(source, this.spec.seed, split).map(({ id, key, n, at, isRefused }) =>
          JSON.stringify({ id, key, n: isRefused ? 'none' : n, at }),
        );
        writeFileSync(join(hidden, `${split}.jsonl`), `${lines.join('\n')}\n`);
      }
      renameSync(hidden, join(this.folder, 'input', source.uid, `wave-${wave}`));
    }
    return isAny;
  }

  private damageNewest(): void {
    const manifests = filesIn(join(this.folder, 'checkpoints', 'manifests')).filter((name) => name.endsWith('.json'));
    const [newest, before] = manifests.reverse();
    // One of an older epoch may not count.
    if (newest === undefined || before?.slice(0, EPOCH) !== newest.slice(0, EPOCH)) return;
    const stamp = newest.slice(0, -'.json'.length);
    const own = filesIn(join(this.folder, 'checkpoints', 'state')).filter((name) => name.startsWith(`${stamp}-`));
    const paths = [...own.map((name) => join('state', name)), join('manifests', newest)];
    const path = join(this.folder, 'checkpoints', this.chance.pick(paths));
    if (this.chance.flip(0.5)) rmSync(path);
    else truncateSync(path, this.chance.below(readFileSync(path).length));
  }

  private output(): string[] {
    const sinks = filesIn(join(this.folder, 'output'));
    return sinks.flatMap((sink) =>
      filesIn(join(this.folder, 'output', sink))
        .filter((file) => !file.startsWith('.'))
        .flatMap((file) =>
          readFileSync(join(this.folder, 'output', sink, file), 'utf8')
            .trimEnd()
            .split('\n'),
        )
        .map((line) => normal(`${sink} ${line}`)),
    );
  }
}

/** Lines say the same however their fields stand. What is told of a dead letter beside its value is not compared. */
function normal(line: string): string {
  const space = line.indexOf(' ');
  const value = JSON.parse(line.slice(space + 1)) as Record<string, unknown>;
  const sorted = Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${line.slice(0, space)} ${JSON.stringify(sorted)}`;
}

function filesIn(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}
