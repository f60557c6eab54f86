import { MillraceError } from '@millrace/core';
import type { MaxPartials } from '../pattern/pattern.ts';
import { retain, type Run } from './run.ts';
import type { RunLife } from './runLife.ts';
import type { RunsOfKey } from './runsOfKey.ts';

export interface PartialLimitOptions {
  readonly maxPartials?: MaxPartials | undefined;
}

/** Keeps the runs of a key below a number: the oldest or the newest are dropped, or the job fails. */
export class PartialLimit {
  /** How many runs were dropped, over all keys. */
  dropped = 0;
  private readonly life: RunLife;
  private readonly limit: number;
  private readonly policy: MaxPartials['policy'];

  constructor(life: RunLife, { maxPartials }: PartialLimitOptions) {
    this.life = life;
    this.limit = maxPartials?.limit ?? Infinity;
    this.policy = maxPartials?.policy ?? 'fail';
  }

  /** Whether a run that comes now may wait. */
  admits(live: RunsOfKey): boolean {
    if (live.live < this.limit || this.policy !== 'dropNewest') return true;
    this.dropped++;
    return false;
  }

  /** A run has come. */
  note(live: RunsOfKey, run: Run): void {
    if (this.policy !== 'dropOldest' || this.limit === Infinity) return;
    // Those that wait no more are forgotten now and then.
    if (live.order.length > 2 * this.limit + 16) retain(live.order, isLive);
    live.order.push(run);
  }

  /** After an event: drops what is too much. */
  enforce(live: RunsOfKey): void {
    if (live.live <= this.limit) return;
    if (this.policy === 'fail')
      throw new MillraceError('cep/too-many-partials', `A key has ${live.live} partial matches; at most ${this.limit} are allowed.`, {
        remedy: "Narrow the pattern's conditions or window, or let maxPartials drop the oldest or newest.",
      });
    retain(live.order, isLive);
    const excess = live.order.splice(0, live.live - this.limit);
    for (const run of excess) this.life.drop(live, run);
    this.dropped += excess.length;
  }
}

function isLive(run: Run): boolean {
  const { start } = run;
  return run.waits && !start.pruned && start.live > 0;
}
