import type { Transition } from '../automaton/automaton.ts';
import type { Run, Start } from './run.ts';
import { Bucket, type RunsOfKey } from './runsOfKey.ts';

/** Whether a run that was put in a transition is still there. */
export function isIn(transition: Transition, run: Run): boolean {
  const { start } = run;
  return !(run.dropped || start.pruned || (start.expired && !transition.outlasts));
}

/** A run is to wait in so many transitions. */
export function enroll(live: RunsOfKey, run: Run, waiting: number, confirming: number, keepsRuns: boolean): void {
  run.waiting = waiting;
  run.confirming = confirming;
  if (waiting + confirming === 0) return;
  const { start } = run;
  if (start.live++ === 0) live.link(start);
  live.live++;
  if (keepsRuns) keep(start, run);
}

function keep(start: Start, run: Run): void {
  const { runs } = start;
  if (runs.length >= start.limit) {
    compact(runs, (each) => each.waiting + each.confirming > 0);
    start.limit = Math.max(8, 2 * runs.length);
  }
  runs.push(run);
}

/** A run waits in one transition less. */
export function leave(live: RunsOfKey, run: Run): void {
  run.waiting--;
  if (run.waiting + run.confirming === 0) rest(live, run.start);
}

/** A run is no longer to be confirmed in a transition. */
export function unconfirm(live: RunsOfKey, run: Run): void {
  run.confirming--;
  if (run.waiting + run.confirming === 0) rest(live, run.start);
}

/** A start has one live run less. */
export function rest(live: RunsOfKey, start: Start): void {
  live.live--;
  if (--start.live === 0) live.unlink(start);
}

/** Drops all runs of a start. */
export function prune(live: RunsOfKey, start: Start): void {
  start.pruned = true;
  live.live -= start.live;
  start.live = 0;
  live.unlink(start);
}

/** The bucket of a transition, made when it is needed. */
export function bucketOf(live: RunsOfKey, transition: number): Bucket {
  return (live.buckets[transition] ??= new Bucket());
}

/** Removes in place what does not pass. Where the question itself fails, what it was not asked for stays. */
export function compact(runs: Run[], isToStay: (run: Run) => boolean): void {
  let kept = 0;
  let asked = 0;
  try {
    while (asked < runs.length) {
      const run = runs[asked]!;
      if (isToStay(run)) runs[kept++] = run;
      asked++;
    }
  } finally {
    while (asked < runs.length) runs[kept++] = runs[asked++]!;
    runs.length = kept;
  }
}
