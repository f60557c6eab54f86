import { ManualClock } from '../src/time/manualClock.ts';
import type { Chance } from './chance.ts';
import { SimulatedProcess } from './simulatedProcess.ts';

/** More steps than any job of the simulation needs: one that goes on and on hangs. */
const MOST_STEPS = 400_000;

/** How long nothing happens although something could, in ms. */
const LONGEST_PAUSE = 60;

/** What happens in the world, for whoever waits for a moment to strike at. */
export type Happening = 'state written' | 'manifest written' | 'commit begun' | 'committed' | 'prepared' | 'restored' | 'stepped';

/**
 * Everything outside of the processes: time, and whose turn it is. Nothing happens at the same time here: what could happen next waits in a
 * list, and chance picks from it, so that a seed replays a run to the last step.
 */
export class World {
  readonly clock: ManualClock = new ManualClock(1_000_000);
  readonly chance: Chance;
  readonly processes: SimulatedProcess[] = [];
  /** Told of everything that happens. */
  onHappening: (what: Happening, process: SimulatedProcess) => void = () => undefined;
  steps = 0;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  start(name: string): SimulatedProcess {
    const process = new SimulatedProcess(name, this);
    this.processes.push(process);
    return process;
  }

  /** Lets things happen until something is the case; `false` if it never is. */
  async until(isSo: () => boolean, steps = MOST_STEPS): Promise<boolean> {
    for (let left = steps; left > 0; left--) {
      await settled();
      if (isSo()) return true;
      if (!this.step()) return false;
    }
    return false;
  }

  /** One thing happens. False when nothing is left that could. */
  private step(): boolean {
    if (++this.steps > MOST_STEPS) throw new Error(`nothing has come to an end after ${MOST_STEPS} steps`);
    const ready = this.processes.filter((process) => process.isReady);
    const next = this.clock.next();
    // Time passes while there is something to do, but not for so long that everybody runs out of patience.
    const isNear = next !== undefined && next - this.clock.now() < LONGEST_PAUSE;
    if (ready.length > 0 && !(isNear && this.chance.flip(0.04))) {
      this.chance.pick(ready).step();
      return true;
    }
    if (next !== undefined) this.clock.advanceTo(Math.max(next, this.clock.now()));
    return next !== undefined || ready.length > 0;
  }
}

/** Fulfilled when no promise is about to be. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
