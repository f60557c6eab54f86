import type { Chance } from './chance.ts';
import type { JobSpec } from './jobSpec.ts';
import { Life, type Trouble } from './life.ts';
import { SharedDisk } from './simulatedStorage.ts';
import { Target } from './transactions.ts';
import { World } from './world.ts';

/** A world with a disk and a target, in which one job lives again and again. */
export class Universe {
  readonly spec: JobSpec;
  readonly chance: Chance;
  readonly world: World;
  /** Where its checkpoints are now: it moves with a savepoint. */
  disk: SharedDisk = new SharedDisk();
  /** What it goes on from where there are none yet. */
  savepoint: SharedDisk | undefined;
  readonly target: Target = new Target(() => this.disk);
  readonly lives: Life[] = [];

  constructor(spec: JobSpec, chance: Chance) {
    this.spec = spec;
    this.chance = chance;
    this.world = new World(chance.fork());
  }

  /** Starts the job in a new process. */
  begin(trouble: Trouble): Life {
    const life = new Life(this.world.start(`process ${this.lives.length + 1}`));
    this.lives.push(life);
    life.begin(this.spec, this, trouble, this.chance.fork());
    return life;
  }

  /** The job has been stopped with a savepoint: it goes on from there in another location. */
  move(savepoint: SharedDisk): void {
    this.savepoint = savepoint;
    this.disk = new SharedDisk();
  }

  end(): void {
    for (const { process } of this.lives) process.kill();
  }
}
