import type { Automaton, Guard, Transition } from '../automaton/automaton.ts';
import type { ExecutorUser } from './executorForm.ts';
import { retain, type Run, type Start } from './run.ts';
import type { RunEnd } from './runObserver.ts';
import type { RunsOfKey } from './runsOfKey.ts';

/** Counts what runs wait for, from their first place to their last. */
export class RunLife {
  private readonly automaton: Automaton;
  private readonly user: Pick<ExecutorUser, 'observer' | 'tellsTimedOut' | 'died' | 'skipped'>;
  private keeps: boolean | undefined;

  constructor(automaton: Automaton, user: Pick<ExecutorUser, 'observer' | 'tellsTimedOut' | 'died' | 'skipped'>) {
    this.automaton = automaton;
    this.user = user;
  }

  /** Whether starts must know their runs: to tell of them when they end, or to confirm them at the end of the window. */
  get keepsRuns(): boolean {
    return (this.keeps ??= this.mustKeepRuns());
  }

  /** A run is to wait in so many transitions. */
  enroll(live: RunsOfKey, run: Run, waiting: number, confirming: number): void {
    run.waiting = waiting;
    run.confirming = confirming;
    if (waiting + confirming === 0) return;
    const { start } = run;
    if (start.live++ === 0) live.link(start);
    live.live++;
    if (this.keepsRuns) keep(start, run);
  }

  /** A run waits in one transition less. */
  leave(live: RunsOfKey, run: Run, transition: Transition, end: RunEnd, guard?: Guard): void {
    if (transition.confirms) run.confirming--;
    else run.waiting--;
    run.gone |= transition.bit;
    if (run.waits) return;
    rest(live, run.start);
    if (end !== 'taken' && end !== 'window') this.tellDied(run);
    this.user.observer?.ended(run, end, transition, guard);
  }

  /** The window of a run is over: it waits for no event any more. */
  expire(live: RunsOfKey, run: Run): void {
    run.waiting = 0;
    if (run.waits) return;
    rest(live, run.start);
    this.user.observer?.ended(run, 'window');
  }

  /** The window of a start is over of which no run need be known. */
  forget(live: RunsOfKey, start: Start): void {
    live.live -= start.live;
    start.live = 0;
    live.unlink(start);
  }

  /** A run is not let in because there are too many. */
  refuse(run: Run): void {
    this.tellDied(run);
    this.user.observer?.ended(run, 'cap');
  }

  /** Drops a run because there are too many. */
  drop(live: RunsOfKey, run: Run): void {
    run.drop();
    rest(live, run.start);
    this.tellDied(run);
    this.user.observer?.ended(run, 'cap');
  }

  /** Drops all runs of a start, for a match that was given out. */
  prune(live: RunsOfKey, start: Start): void {
    const { observer, skipped } = this.user;
    start.pruned = true;
    skipped?.(start.live);
    this.forget(live, start);
    if (observer !== undefined) for (const run of start.runs ?? []) if (run.waits) observer.ended(run, 'skip');
  }

  private tellDied(run: Run): void {
    if (run.state.accepts || this.user.died === undefined) return;
    let taken: Run | undefined = run;
    while (taken !== undefined && taken.step < 0) taken = taken.parent;
    if (taken !== undefined) this.user.died(taken.step);
  }

  private mustKeepRuns(): boolean {
    const { automaton, user } = this;
    if (user.observer !== undefined) return true;
    return automaton.within !== Infinity && (automaton.transitions.some(({ confirms }) => confirms) || user.tellsTimedOut());
  }
}

function keep(start: Start, run: Run): void {
  const runs = (start.runs ??= []);
  if (runs.length >= start.limit) {
    retain(runs, (each) => each.waits);
    start.limit = Math.max(8, 2 * runs.length);
  }
  runs.push(run);
}

/** A start has one live run less. */
function rest(live: RunsOfKey, start: Start): void {
  live.live--;
  if (--start.live === 0) live.unlink(start);
}
