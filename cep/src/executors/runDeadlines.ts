import { type Automaton, TIMED, type Transition } from '../automaton/automaton.ts';
import type { ExecutorUser } from './executorForm.ts';
import { foundMatch } from './foundMatch.ts';
import type { Run, Start } from './run.ts';
import { isIn, leave, rest, unconfirm } from './runLife.ts';
import type { Bucket, RunsOfKey } from './runsOfKey.ts';

/** What becomes of runs whose time has come. */
export interface DeadlineActions {
  /** A run is a match. */
  readonly complete: (live: RunsOfKey, run: Run) => void;
  /** A run goes on without an event. */
  readonly move: (live: RunsOfKey, transition: Transition, run: Run, at: number) => void;
  /** Gives out what is complete. */
  readonly settle: (live: RunsOfKey, at: number) => void;
}

/** What time alone does to runs: windows that are over, gaps that are too long, absences that have lasted. In the order of time. */
export class RunDeadlines {
  private readonly automaton: Automaton;
  private readonly user: ExecutorUser;
  private readonly actions: DeadlineActions;
  /** Transitions in which time matters beside the window of the pattern. */
  private readonly gaps: readonly Transition[];
  private readonly timed: readonly Transition[];

  constructor(automaton: Automaton, user: ExecutorUser, actions: DeadlineActions) {
    this.automaton = automaton;
    this.user = user;
    this.actions = actions;
    this.gaps = automaton.transitions.filter(({ gap }) => gap !== Infinity);
    this.timed = automaton.transitions.filter(({ kind, after }) => kind === TIMED && after !== Infinity);
  }

  /** The earliest time at which something happens. An absence that ends then ends after the events of that time. */
  next(live: RunsOfKey): number {
    let earliest = this.windowEnd(live);
    for (const transition of this.gaps) earliest = Math.min(earliest, this.gapEnd(live, transition));
    for (const transition of this.timed) earliest = Math.min(earliest, this.absenceEnd(live, transition));
    return earliest;
  }

  advance(live: RunsOfKey, at: number, through: boolean): void {
    // What never ends is not over at the end of time either.
    const until = Math.min(at, Number.MAX_SAFE_INTEGER);
    for (;;) {
      const due = this.dueAt(live, until, through);
      if (due === undefined) return;
      due.fire();
      this.actions.settle(live, due.time);
    }
  }

  /** The next thing that happens by then. At one time, windows end first: an absence lasts to the end of its last moment. */
  private dueAt(live: RunsOfKey, at: number, through: boolean): { readonly time: number; readonly fire: () => void } | undefined {
    let time = this.windowEnd(live);
    let fire: (() => void) | undefined = time <= at ? () => this.endWindow(live, time) : undefined;
    for (const transition of this.gaps) {
      const end = this.gapEnd(live, transition);
      if (end > at || (fire !== undefined && end >= time)) continue;
      time = end;
      fire = () => this.endGap(live, transition, end);
    }
    for (const transition of this.timed) {
      const end = this.absenceEnd(live, transition);
      if ((through ? end > at : end >= at) || (fire !== undefined && end >= time)) continue;
      time = end;
      fire = () => this.endAbsence(live, transition, end);
    }
    return fire && { time, fire };
  }

  private windowEnd(live: RunsOfKey): number {
    if (this.automaton.within === Infinity) return Infinity;
    let start = live.first;
    while (start !== undefined && start.expired) start = start.next;
    return start === undefined ? Infinity : start.time + this.automaton.within;
  }

  private endWindow(live: RunsOfKey, at: number): void {
    let start: Start | undefined = live.first;
    while (start!.expired) start = start!.next;
    start!.expired = true;
    for (const run of start!.runs) if (run.waiting + run.confirming > 0 && !run.dropped) this.endRun(live, run, at);
    start!.runs.length = 0;
  }

  private endRun(live: RunsOfKey, run: Run, at: number): void {
    if (run.waiting > 0 && this.user.tellsTimedOut()) this.user.timedOut(foundMatch(run), at);
    run.waiting = 0;
    if (run.confirming > 0 && !this.outlasts(run)) {
      this.actions.complete(live, run);
      run.confirming = 0;
    }
    if (run.confirming === 0) rest(live, run.start);
  }

  private outlasts(run: Run): boolean {
    return this.automaton.states[run.state]!.out.some((id) => this.automaton.transitions[id]!.outlasts);
  }

  private gapEnd(live: RunsOfKey, transition: Transition): number {
    const first = firstOf(live.buckets[transition.id], transition);
    return first === undefined ? Infinity : first.time + transition.gap;
  }

  private endGap(live: RunsOfKey, transition: Transition, end: number): void {
    for (const run of takeUntil(live.buckets[transition.id]!, transition, end - transition.gap)) {
      leave(live, run);
      if (run.waiting + run.confirming === 0 && this.user.tellsTimedOut() && !transition.isQuiet) this.user.timedOut(foundMatch(run), end);
    }
  }

  private absenceEnd(live: RunsOfKey, transition: Transition): number {
    const first = firstOf(live.buckets[transition.id], transition);
    return first === undefined ? Infinity : first.time + transition.after;
  }

  private endAbsence(live: RunsOfKey, transition: Transition, end: number): void {
    for (const run of takeUntil(live.buckets[transition.id]!, transition, end - transition.after)) {
      if (!transition.confirms) {
        this.actions.move(live, transition, run, end);
        leave(live, run);
      } else {
        if (this.automaton.states[transition.to]!.out.length === 0) this.actions.complete(live, run);
        else this.actions.move(live, transition, run, end);
        unconfirm(live, run);
      }
    }
  }
}

/** The run that has been in a bucket for longest. */
function firstOf(bucket: Bucket | undefined, transition: Transition): Run | undefined {
  return bucket?.waiting.find((run) => isIn(transition, run)) ?? bucket?.fresh.find((run) => isIn(transition, run));
}

/** Takes the runs out of a bucket that came up to a time. */
function takeUntil(bucket: Bucket, transition: Transition, time: number): Run[] {
  const taken: Run[] = [];
  for (const runs of [bucket.waiting, bucket.fresh]) {
    let count = 0;
    for (; count < runs.length && (runs[count]!.time <= time || !isIn(transition, runs[count]!)); count++) {
      if (isIn(transition, runs[count]!)) taken.push(runs[count]!);
    }
    runs.splice(0, count);
  }
  return taken;
}
