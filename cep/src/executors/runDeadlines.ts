import { type Automaton, TIMED, type Transition } from '../automaton/automaton.ts';
import type { ExecutorUser } from './executorForm.ts';
import { foundMatch } from './foundMatch.ts';
import type { Run } from './run.ts';
import type { RunLife } from './runLife.ts';
import type { RunsOfKey } from './runsOfKey.ts';

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
  private readonly life: RunLife;
  private readonly actions: DeadlineActions;
  /** Transitions in which time matters beside the window of the pattern. */
  private readonly gaps: readonly Transition[];
  private readonly timed: readonly Transition[];

  constructor(automaton: Automaton, user: ExecutorUser, life: RunLife, actions: DeadlineActions) {
    this.automaton = automaton;
    this.user = user;
    this.life = life;
    this.actions = actions;
    this.gaps = automaton.transitions.filter(({ gap }) => gap !== Infinity);
    this.timed = automaton.transitions.filter(({ kind, after }) => kind === TIMED && after !== Infinity);
  }

  /** The earliest time at which something happens. An absence that ends then ends after the events of that time. */
  next(live: RunsOfKey): number {
    return Math.min(this.windowEnd(live), this.nextInside(live));
  }

  /** The same where only the last window that is open matters. */
  nextWithLastWindow(live: RunsOfKey): number {
    return Math.min(live.last === undefined ? Infinity : live.last.time + this.automaton.within, this.nextInside(live));
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

  /** What happens beside the ends of windows. */
  private nextInside(live: RunsOfKey): number {
    let earliest = Infinity;
    for (const transition of this.gaps) earliest = Math.min(earliest, this.gapEnd(live, transition));
    for (const transition of this.timed) earliest = Math.min(earliest, this.absenceEnd(live, transition));
    return earliest;
  }

  private windowEnd(live: RunsOfKey): number {
    if (this.automaton.within === Infinity) return Infinity;
    let start = live.first;
    while (start !== undefined && start.expired) start = start.next;
    return start === undefined ? Infinity : start.time + this.automaton.within;
  }

  private endWindow(live: RunsOfKey, at: number): void {
    let start = live.first!;
    while (start.expired) start = start.next!;
    start.expired = true;
    if (!this.life.keepsRuns) return this.life.forget(live, start);
    for (const run of start.runs ?? []) if (run.waits) this.endRun(live, run, at);
    start.runs = undefined;
  }

  private endRun(live: RunsOfKey, run: Run, at: number): void {
    if (run.waiting > 0 && this.user.tellsTimedOut()) this.user.timedOut(foundMatch(run), at);
    if (run.confirming > 0 && !this.outlasts(run)) {
      this.actions.complete(live, run);
      run.confirming = 0;
    }
    this.life.expire(live, run);
  }

  private outlasts({ state }: Run): boolean {
    return state.out.some((id) => this.automaton.transitions[id]!.outlasts);
  }

  private gapEnd(live: RunsOfKey, { id, gap }: Transition): number {
    const first = live.buckets[id]?.first;
    return first === undefined ? Infinity : first.time + gap;
  }

  private endGap(live: RunsOfKey, transition: Transition, end: number): void {
    for (const run of live.buckets[transition.id]!.takeUntil(end - transition.gap)) {
      this.life.leave(live, run, transition, 'window');
      // It takes nothing any more, even where it still waits for being confirmed.
      if (run.waiting === 0 && this.user.tellsTimedOut() && !transition.isQuiet) this.user.timedOut(foundMatch(run), end);
    }
  }

  private absenceEnd(live: RunsOfKey, { id, after }: Transition): number {
    const first = live.buckets[id]?.first;
    return first === undefined ? Infinity : first.time + after;
  }

  private endAbsence(live: RunsOfKey, transition: Transition, end: number): void {
    for (const run of live.buckets[transition.id]!.takeUntil(end - transition.after)) {
      if (transition.confirms && this.automaton.states[transition.to]!.out.length === 0) this.actions.complete(live, run);
      else this.actions.move(live, transition, run, end);
      this.life.leave(live, run, transition, 'taken');
    }
  }
}
