import { formatDuration } from '@millrace/core';
import { type Automaton, type Guard, NEXT_EVENT, TIMED, type Transition } from '../automaton/automaton.ts';
import type { FoundMatch } from '../executors/executor.ts';
import { foundMatch } from '../executors/foundMatch.ts';
import { partialOf } from '../executors/matchShape.ts';
import type { Run } from '../executors/run.ts';
import type { DeathReason, RunEnd, RunObserver } from '../executors/runObserver.ts';
import { guardText } from '../explain/explain.ts';
import type { Matched } from '../pattern/matched.ts';
import type { TraceStep } from './traceStep.ts';

/** Puts into words what becomes of runs. */
export class RunTracer implements RunObserver {
  private readonly automaton: Automaton;
  private readonly steps: TraceStep<Matched>[] = [];
  /** Runs that went on with the current event, or moment. */
  private readonly gone = new Set<Run>();
  private now = 0;

  constructor(automaton: Automaton) {
    this.automaton = automaton;
  }

  /** Time has come to `at`, or an event of that time is here. */
  begin(at: number): void {
    this.now = at;
    this.gone.clear();
  }

  /** What happened since the last call. */
  take(): TraceStep<Matched>[] {
    return this.steps.splice(0);
  }

  took(run: Run): void {
    if (run.parent !== undefined) this.gone.add(run.parent);
    this.tell('took', run.time, foundMatch(run), run.step >= 0 ? `takes ${run.state.label}` : `absence of ${run.state.label}`);
  }

  matched(found: FoundMatch, at: number): void {
    this.tell('matched', at, found, 'matches');
  }

  ended(run: Run, end: RunEnd, transition?: Transition, guard?: Guard): void {
    // What has matched, or goes on in another run, is not dead.
    if (end === 'taken' || run.state.accepts || this.gone.has(run)) return;
    const at = end === 'window' ? this.endOfWindow(run, transition) : this.now;
    this.tell('died', at, foundMatch(run), this.because(end, run, transition, guard), end);
  }

  spoiled(run: Run): void {
    this.tell('died', this.now, foundMatch(run), 'complete, but a match that was given out drops it', 'skip');
  }

  private endOfWindow(run: Run, transition: Transition | undefined): number {
    return transition === undefined ? run.start.time + this.automaton.within : run.time + transition.gap;
  }

  private because(end: DeathReason, run: Run, transition: Transition | undefined, guard: Guard | undefined): string {
    const awaited = transition === undefined ? this.awaitedBy(run) : this.awaitedIn(transition);
    const what = guard === undefined ? '' : guardText(this.automaton, guard);
    switch (end) {
      case 'condition':
        if (transition!.firstMust.includes(guard!)) return `the next event is not "${what}"`;
        if (transition!.firstNot.includes(guard!)) return `the next event is "${what}", which must not come next`;
        return `an event came that is "${what}", which must not come before ${awaited}`;
      case 'contiguity':
        return `the next event is not "${what}"`;
      case 'window': {
        const { within } = this.automaton;
        const limit =
          transition === undefined
            ? `${formatDuration(within)} of the first event`
            : `${formatDuration(transition.gap)} of the event before`;
        return `no ${awaited} came within ${limit}`;
      }
      case 'skip':
        return 'it began too early for the match that was given out';
      case 'cap':
        return 'there were more partial matches than maxPartials allows';
    }
  }

  private awaitedBy({ state }: Run): string {
    const { transitions } = this.automaton;
    const open = state.out.map((id) => transitions[id]!).filter(({ confirms }) => !confirms);
    return [...new Set(open.map((transition) => this.awaitedIn(transition)))].join(' or ');
  }

  private awaitedIn({ to, kind }: Transition): string {
    const { label } = this.automaton.states[to]!;
    return kind === NEXT_EVENT ? 'next event' : kind === TIMED ? `absence of ${label}` : label;
  }

  private tell(what: TraceStep<Matched>['what'], at: number, found: FoundMatch, words: string, why?: DeathReason): void {
    const { steps } = this.automaton;
    const text = `${at} ${eventsText(steps, found)}: ${why === undefined ? words : `dies (${why}): ${words}`}`;
    this.steps.push({ at, what, ...(why !== undefined && { why }), match: partialOf(steps, found), text });
  }
}

/** The events of a run by their steps and times. */
function eventsText(steps: readonly string[], found: FoundMatch): string {
  const parts: string[] = [];
  for (let at: FoundMatch | undefined = found; at !== undefined; at = at.next) parts.push(`${steps[at.taken.step]!}@${at.taken.time}`);
  return parts.join(' ');
}
