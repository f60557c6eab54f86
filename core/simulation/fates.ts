import type { Chance } from './chance.ts';
import { type Life, NO_TROUBLE, type Trouble } from './life.ts';
import { SharedDisk, simulatedStorage } from './simulatedStorage.ts';
import type { Universe } from './universe.ts';
import type { Happening } from './world.ts';

/** Moments at which a process may be killed or stopped. */
const MOMENTS: readonly Happening[] = ['state written', 'manifest written', 'commit begun', 'committed', 'prepared', 'restored'];

/** What becomes of a life, some more often than others. */
const FATES = ['steps', 'steps', 'moment', 'moment', 'moment', 'sleep', 'sleep', 'doze', 'cancel', 'stop', 'move', 'mark', 'live'] as const;

type Fate = (typeof FATES)[number];

/** Lets a job live several lives, each with an end of its own, and the last one undisturbed. */
export class Fates {
  private readonly universe: Universe;
  private readonly chance: Chance;
  /** Processes that were stopped and may be resumed while others go on. */
  private readonly sleeping: Life[] = [];

  constructor(universe: Universe) {
    this.universe = universe;
    this.chance = universe.chance.fork();
  }

  /** What went wrong, if something did that must not. */
  async play(): Promise<string | undefined> {
    for (let lives = this.chance.between(1, 6); lives > 0; lives--) {
      if (await this.live()) return this.finish();
    }
    const last = this.universe.begin(NO_TROUBLE);
    await this.universe.world.until(() => last.outcome !== undefined);
    if (last.outcome === undefined) return 'the last life hangs';
    if (last.outcome === 'failed') return `the last life failed: ${String(last.failure)}`;
    return this.finish();
  }

  /** One life. True when the job has come to its end in it. */
  private async live(): Promise<boolean> {
    const { universe, chance } = this;
    const { world, disk } = universe;
    const life = universe.begin(this.trouble());
    const fate = chance.pick(FATES);
    if (fate === 'moment') await this.strike(life, () => life.process.kill());
    else if (fate === 'sleep') await this.strike(life, () => (life.process.isStopped = true));
    else
      await world.until(() => life.outcome !== undefined, fate === 'live' ? 100_000 : chance.between(10, 1 + 10 ** chance.between(2, 4)));
    if (life.outcome === 'finished') return true;
    if (life.outcome === undefined) await this.interrupt(life, fate);
    if (!life.process.isStopped) life.process.kill();
    if (this.sleeping.length > 0) {
      if (chance.flip(0.7)) await this.wakeUp();
    } else if (chance.flip(0.15)) disk.damageNewest(chance.flip(0.5) ? 'tear' : 'lose', (end) => chance.below(end));
    return false;
  }

  /** What happens to a process in the middle of its work. */
  private async interrupt(life: Life, fate: Fate): Promise<void> {
    const isOver = (): boolean => life.outcome !== undefined;
    if (fate === 'sleep' || fate === 'doze') {
      life.process.isStopped = true;
      this.sleeping.push(life);
    } else if (fate === 'cancel') {
      void life.job?.cancel();
      await this.universe.world.until(isOver, 3000);
    }
    if (life.job?.status !== 'running') return;
    if (fate === 'stop') {
      life.job.stop().catch(() => undefined);
      await this.universe.world.until(isOver, 20_000);
    } else if ((fate === 'move' || fate === 'mark') && this.sleeping.length === 0) await this.save(life, fate === 'move');
  }

  /** A savepoint is taken: it is gone on from in another location, or not at all. */
  private async save(life: Life, isMove: boolean): Promise<void> {
    const { universe, chance } = this;
    const disk = new SharedDisk();
    const storage = simulatedStorage(disk, life.process, { delay: 4, failure: () => undefined });
    let isWritten = false;
    const saving = isMove ? life.job!.stop({ savepoint: storage }) : life.job!.savepoint(storage);
    saving.then(
      () => (isWritten = true),
      () => undefined,
    );
    await universe.world.until(() => life.outcome !== undefined || (isWritten && !isMove), 20_000);
    if (!isMove) await universe.world.until(() => life.outcome !== undefined, chance.below(200));
    else if (life.outcome === 'finished' && disk.isUsed) universe.move(disk);
  }

  /** Strikes a process at a moment of chance's choice. */
  private async strike({ process }: Life, blow: () => void): Promise<void> {
    const { world } = this.universe;
    const moment = this.chance.pick(MOMENTS);
    let left = this.chance.between(1, 12);
    world.onHappening = (what, whose) => {
      if (what === moment && whose === process && --left === 0) blow();
    };
    await world.until(() => left <= 0, 30_000);
    world.onHappening = () => undefined;
  }

  /** One that slept goes on beside the next, and believes that nothing has happened. */
  private async wakeUp(): Promise<void> {
    const { universe, chance } = this;
    const next = universe.begin(this.trouble());
    await universe.world.until(() => next.outcome !== undefined, chance.between(10, 3000));
    for (const { process } of this.sleeping) process.isStopped = false;
    await universe.world.until(() => next.outcome !== undefined, chance.between(10, 3000));
    next.process.kill();
    for (const { process } of this.sleeping.splice(0)) process.kill();
  }

  /** The job has come to its end: those that still sleep, and one that starts once more, must not change anything. */
  private async finish(): Promise<string | undefined> {
    const { universe } = this;
    const before = universe.target.visible.length;
    for (const { process } of this.sleeping) process.isStopped = false;
    const again = universe.begin(NO_TROUBLE);
    await universe.world.until(() => again.outcome !== undefined);
    if (again.outcome !== 'finished') return `started again when all was done it has ${again.outcome ?? 'hung'}: ${String(again.failure)}`;
    if (universe.target.visible.length !== before) return 'started again when all was done it has written more';
    return undefined;
  }

  private trouble(): Trouble {
    const { chance } = this;
    const perhaps = (likelihood: number): number => (chance.flip(0.4) ? likelihood * chance.next() : 0);
    return { functions: perhaps(0.02), disk: perhaps(0.05), target: perhaps(0.05), delay: chance.pick([0, 4, 30]) };
  }
}
