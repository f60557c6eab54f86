import type { State, Transition } from '../automaton/automaton.ts';
import type { TakenEvent } from './executor.ts';

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
  /** Its runs, where they must be known when it ends. Those that wait no more are among them until {@link Start.limit} is reached. */
  runs: Run[] | undefined;
  limit = 8;
  previous: Start | undefined;
  next: Start | undefined;

  constructor(time: number, seq: number) {
    this.time = time;
    this.seq = seq;
  }
}

/** An event as it came to its key: one for all runs that take it. */
export class Arrival {
  readonly event: unknown;
  readonly time: number;
  readonly seq: number;

  constructor(event: unknown, time: number, seq: number) {
    this.event = event;
    this.time = time;
    this.seq = seq;
  }
}

/**
 * A partial match: an event that was taken, and the run that took the ones before. Immutable but for the counts of what it waits for, so
 * that branching copies nothing: runs are the paths of a tree with pointers to parents.
 */
export class Run implements TakenEvent {
  readonly state: State;
  readonly arrival: Arrival;
  readonly parent: Run | undefined;
  readonly start: Start;
  /** In how many transitions it waits for an event; −1: it was dropped because there were too many. */
  waiting = 0;
  /** In how many it waits for being confirmed. */
  confirming = 0;
  /** A bit for each transition in which it waits no more although it may still be found there. */
  gone = 0;

  constructor(state: State, arrival: Arrival, parent: Run | undefined, start: Start) {
    this.state = state;
    this.arrival = arrival;
    this.parent = parent;
    this.start = start;
  }

  /** The step that took the event; −1 where it was time that moved the run. */
  get step(): number {
    return this.state.step;
  }

  get event(): unknown {
    return this.arrival.event;
  }

  get time(): number {
    return this.arrival.time;
  }

  get seq(): number {
    return this.arrival.seq;
  }

  /** It still waits for something. */
  get waits(): boolean {
    return this.waiting + this.confirming > 0;
  }

  get dropped(): boolean {
    return this.waiting < 0;
  }

  drop(): void {
    this.waiting = -1;
    this.confirming = 0;
  }
}

/** The runs from the first to the last that took an event. */
export function pathOf(last: Run): Run[] {
  const path: Run[] = [];
  for (let run: Run | undefined = last; run !== undefined; run = run.parent) if (run.step >= 0) path.push(run);
  return path.reverse();
}

/** Whether a run that was put in a transition is still there. */
export function isIn(transition: Transition, run: Run): boolean {
  const { start } = run;
  return !(run.dropped || start.pruned || (start.expired && !transition.outlasts) || (run.gone & transition.bit) !== 0);
}

/** Removes in place what does not pass. */
export function retain(runs: Run[], isToStay: (run: Run) => boolean): void {
  let kept = 0;
  for (const run of runs) if (isToStay(run)) runs[kept++] = run;
  runs.length = kept;
}
