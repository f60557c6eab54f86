import type { CompactNode } from './compactNode.ts';
import type { LiveKey } from './executor.ts';

/** The partial matches that wait in one transition. */
export class CompactBucket {
  waiting: CompactNode | undefined;
  /** Those that came with the last event, where a transition asks something of the very next one. */
  fresh: CompactNode | undefined;
  /** How many were added since what has expired was cut off last, and after how many it is time again. */
  added = 0;
  limit = 16;
}

/** All that is known of one key: the state of the *compact* executor. */
export class CompactOfKey implements LiveKey {
  timer: number = Infinity;
  /** The number of the last event. */
  seq = 0;
  readonly buckets: (CompactBucket | undefined)[] = [];
  /** The times at which runs began whose window is not over, each once; those before `head` are over. */
  starts: number[] = [];
  head = 0;

  get isIdle(): boolean {
    for (const bucket of this.buckets)
      if (bucket !== undefined && (bucket.waiting !== undefined || bucket.fresh !== undefined)) return false;
    return true;
  }
}
