import { MillraceError } from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import type { AfterMatchNode, EmitMode } from '../pattern/pattern.ts';
import type { ExecutorUser } from './executorForm.ts';
import { foundMatch } from './foundMatch.ts';
import { pathOf, type Run } from './run.ts';
import type { RunLife } from './runLife.ts';
import type { Completed, RunsOfKey } from './runsOfKey.ts';

export interface CompletionOptions {
  readonly afterMatch: AfterMatchNode;
  readonly emit: EmitMode;
}

/** A complete run with what it is compared by, which is found when it is needed. */
class Candidate implements Completed {
  readonly run: Run;
  readonly seq: number;
  private events: readonly Run[] | undefined;

  constructor({ run, seq }: Completed) {
    this.run = run;
    this.seq = seq;
  }

  get path(): readonly Run[] {
    return (this.events ??= pathOf(this.run));
  }
}

/**
 * What becomes of complete runs: which are given out, in which order, and what each of them does to the others. With a strategy after a match,
 * a match waits while a run with an earlier start is alive.
 */
export class Completion {
  private readonly user: ExecutorUser;
  private readonly life: RunLife;
  private readonly emit: EmitMode;
  private readonly isAmbiguous: boolean;
  private readonly strategy: AfterMatchNode;
  /** The step of `toFirst` and `toLast`. */
  private readonly target: number;

  constructor({ steps, isAmbiguous }: Automaton, user: ExecutorUser, life: RunLife, { afterMatch, emit }: CompletionOptions) {
    this.user = user;
    this.life = life;
    this.emit = emit;
    this.isAmbiguous = isAmbiguous;
    this.strategy = afterMatch;
    this.target = 'step' in afterMatch ? steps.indexOf(afterMatch.step) : -1;
  }

  /** A run is a match; {@link settle} deals with it. */
  add(live: RunsOfKey, run: Run): void {
    live.completed.push({ run, seq: live.seq });
  }

  /** Gives out what can be given out. */
  settle(live: RunsOfKey, at: number): void {
    if (live.completed.length === 0) return;
    if (this.strategy.skip !== 'none') return this.giveOut(this.release(live), at);
    const { completed } = live;
    live.completed = [];
    this.giveOut(this.unique(completed), at);
  }

  /** In the order of their starts, as long as no earlier run is alive; each drops what the strategy says. */
  private release(live: RunsOfKey): Candidate[] {
    const released: Candidate[] = [];
    if (isHeldBack(live)) return released;
    let waiting = this.unique(live.completed);
    while (waiting.length > 0) {
      // Nearly always the first one drops all others: no need to sort them.
      const next = waiting.reduce((best, each) => (inOrder(each, best) < 0 ? each : best));
      if (live.first !== undefined && live.first.seq < next.run.start.seq) break;
      released.push(next);
      const bound = this.boundOf(next.path);
      for (let start = live.first; start !== undefined && start.seq < bound; start = live.first) this.life.prune(live, start);
      waiting = waiting.filter((each) => each !== next && !this.spoils(bound, each));
    }
    if (released.length > 0) live.completed = waiting.map(({ run, seq }) => ({ run, seq }));
    return released;
  }

  private spoils(bound: number, { run }: Candidate): boolean {
    if (run.start.seq >= bound) return false;
    this.user.observer?.spoiled(run);
    return true;
  }

  /** Starts before this one go when a match was given out. */
  private boundOf(path: readonly Run[]): number {
    const { strategy } = this;
    switch (strategy.skip) {
      case 'none':
        return -1;
      case 'toNext':
        return path[0]!.seq + 1;
      case 'pastLast':
        return path.at(-1)!.seq + 1;
      default: {
        const to =
          strategy.skip === 'toFirst' ? path.find(({ step }) => step === this.target) : path.findLast(({ step }) => step === this.target);
        if (strategy.throwOnMiss === true) checkTarget(strategy.step, to, path[0]!);
        return to === undefined ? -1 : to.seq;
      }
    }
  }

  private unique(completed: readonly Completed[]): readonly Candidate[] {
    const candidates = completed.map((each) => new Candidate(each));
    return this.isAmbiguous ? distinct(candidates) : candidates;
  }

  private giveOut(found: readonly Candidate[], at: number): void {
    const matches = this.emit === 'all' ? found : perEvent(found, this.emit);
    for (const { run } of matches) this.user.match(foundMatch(run), at);
  }
}

/** No match can be given out: a run is alive that began before them all. */
function isHeldBack({ first, completed }: RunsOfKey): boolean {
  return first !== undefined && completed.every(({ run }) => first.seq < run.start.seq);
}

/** The earliest start first; of one start the longest, then that with the earliest events, then with the earliest steps. */
function inOrder(a: Candidate, b: Candidate): number {
  return a.run.start.seq - b.run.start.seq || compareMatches(a.path, b.path);
}

function compareMatches(a: readonly Run[], b: readonly Run[]): number {
  if (a.length !== b.length) return b.length - a.length;
  for (let i = 0; i < a.length; i++) if (a[i]!.seq !== b[i]!.seq) return a[i]!.seq - b[i]!.seq;
  for (let i = 0; i < a.length; i++) if (a[i]!.step !== b[i]!.step) return a[i]!.step - b[i]!.step;
  return 0;
}

/** The same events by the same steps are one match, however they were found. */
function distinct(found: readonly Candidate[]): readonly Candidate[] {
  const seen = new Set<string>();
  return found.filter(({ path }) => {
    const key = path.map(({ seq, step }) => `${seq}:${step}`).join(' ');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Of the matches that one event completed: the best, one for all, or a number of them. */
function perEvent(found: readonly Candidate[], emit: EmitMode): readonly Candidate[] {
  const count = typeof emit === 'object' ? emit.limit : 1;
  const byEvent = new Map<number, Candidate[]>();
  for (const each of found) {
    const same = byEvent.get(each.seq);
    if (same === undefined) byEvent.set(each.seq, [each]);
    else same.push(each);
  }
  return [...byEvent.values()].flatMap((matches) => matches.toSorted((a, b) => compareMatches(a.path, b.path)).slice(0, count));
}

function checkTarget(step: string, target: Run | undefined, first: Run): void {
  if (target !== undefined && target !== first) return;
  const problem = target === undefined ? `the match has no event of step "${step}"` : `step "${step}" has the match's own first event`;
  throw new MillraceError('cep/skip-missed', `What comes after the match is not to be found: ${problem}.`, {
    remedy: 'Skip to a step that every match has, or leave out throwOnMiss.',
  });
}
