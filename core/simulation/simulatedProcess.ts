import type { Clock, Platform } from '@millrace/core';
import type { Happening, World } from './world.ts';

/** How much processor time passes between two looks at it, in ms: portions and slices end by it. */
const QUICK = 0.01;
const SLOW = 3;

/** A process, as its job sees its host. It can be stopped, resumed and killed between any two steps. */
export class SimulatedProcess implements Platform {
  readonly name: string;
  readonly clock: Clock;
  readonly identity: NonNullable<Platform['identity']>;
  readonly random: () => number;
  isStopped = false;
  isDead = false;
  private readonly world: World;
  /** What could happen next. */
  private readonly agenda: (() => void)[] = [];
  private readonly underWay = new Set<Effect>();
  private worked = 0;

  constructor(name: string, world: World) {
    this.name = name;
    this.world = world;
    this.random = () => world.chance.next();
    this.clock = {
      now: () => world.clock.now(),
      monotonic: () => (this.worked += world.chance.flip(0.2) ? SLOW * world.chance.next() : QUICK),
      schedule: (time, callback) => this.schedule(time, callback),
    };
    this.identity = { own: name, isGone: (owner) => world.processes.some((process) => process.name === owner && process.isDead) };
  }

  get isReady(): boolean {
    return !this.isDead && !this.isStopped && this.agenda.length > 0;
  }

  later(callback: () => void): void {
    if (!this.isDead) this.agenda.push(callback);
  }

  /** One of the things that could happen does. */
  step(): void {
    const at = this.world.chance.below(this.agenda.length);
    const [next] = this.agenda.splice(at, 1);
    next!();
    this.world.onHappening('stepped', this);
  }

  kill(): void {
    this.isDead = true;
    this.agenda.length = 0;
    // What was on its way to a disk may have arrived.
    for (const effect of this.underWay) if (this.world.chance.flip(0.5)) effect();
    this.underWay.clear();
  }

  tell(what: Happening): void {
    if (!this.isDead) this.world.onHappening(what, this);
  }

  /** Has something done outside of the process, which takes up to `delay` ms. It is done although the process was stopped meanwhile. */
  outside<R>(delay: number, effect: () => R): Promise<R> {
    if (this.isDead) return new Promise(() => undefined);
    const { clock, chance } = this.world;
    return new Promise((resolve, reject) => {
      const work: Effect = () => {
        try {
          const result = effect();
          this.later(() => resolve(result));
        } catch (error) {
          this.later(() => reject(error as Error));
        }
      };
      if (delay === 0 || chance.flip(0.5)) return work();
      this.underWay.add(work);
      clock.schedule(clock.now() + chance.next() * delay, () => {
        if (this.underWay.delete(work)) work();
      });
    });
  }

  private schedule(time: number, callback: () => void): () => void {
    let isCanceled = false;
    const cancel = this.world.clock.schedule(time, () => {
      this.later(() => {
        if (!isCanceled) callback();
      });
    });
    return () => {
      isCanceled = true;
      cancel();
    };
  }
}

type Effect = () => void;
