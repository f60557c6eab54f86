/** Where runs began: all runs from one first event share it, and are pruned and expire together. */
export class Start {
  readonly time: number;
  /** The number of the first event among those of its key. */
  readonly seq: number;
  /** How many of its runs still wait for something. */
  live = 0;
  /** Its window is over: its runs take no event any more. */
  expired = false;
  /** An after-match strategy has dropped it. */
  pruned = false;
  /** Its runs, kept where they can time out. Those that wait no more are among them until {@link Start.limit} is reached. */
  readonly runs: Run[] = [];
  limit = 8;
  previous: Start | undefined;
  next: Start | undefined;

  constructor(time: number, seq: number) {
    this.time = time;
    this.seq = seq;
  }
}

/**
 * A partial match: an event that was taken, and the run that took the ones before. Immutable but for the counts of what it waits for, so
 * that branching copies nothing: runs are the paths of a tree with pointers to parents.
 */
export class Run {
  readonly state: number;
  /** The step that took the event; −1 where it was time that moved the run. */
  readonly step: number;
  readonly event: unknown;
  readonly time: number;
  readonly seq: number;
  readonly parent: Run | undefined;
  readonly start: Start;
  /** In how many transitions it waits for an event, and in how many for being confirmed. */
  waiting = 0;
  confirming = 0;
  /** Dropped because there were too many. */
  dropped = false;

  constructor(
    state: number,
    step: number,
    taken: { readonly event: unknown; readonly time: number; readonly seq: number },
    parent: Run | undefined,
    start: Start,
  ) {
    this.state = state;
    this.step = step;
    this.event = taken.event;
    this.time = taken.time;
    this.seq = taken.seq;
    this.parent = parent;
    this.start = start;
  }
}

/** The runs from the first to the last that took an event. */
export function pathOf(last: Run): Run[] {
  const path: Run[] = [];
  for (let run: Run | undefined = last; run !== undefined; run = run.parent) if (run.step >= 0) path.push(run);
  return path.reverse();
}
