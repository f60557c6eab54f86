import type { Compat } from '../automaton/automaton.ts';
import { compilePattern } from '../automaton/compilePattern.ts';
import { matchShape, partialOf } from '../executors/matchShape.ts';
import { chooseExecutor } from '../executors/chooseExecutor.ts';
import type { Executor, FoundMatch, LiveKey } from '../executors/executor.ts';
import { afterMatchNode } from '../pattern/afterMatch.ts';
import type { AfterMatch } from '../pattern/language.ts';
import type { Complete, Matched } from '../pattern/matched.ts';
import type { EmitMode, MaxPartials } from '../pattern/pattern.ts';

/** What a pattern is tried with: the options of `detect` that say what a match is. */
export interface TrialOptions<M> {
  readonly afterMatch?: AfterMatch<keyof M & string>;
  readonly emit?: EmitMode;
  readonly maxPartials?: MaxPartials;
  readonly compat?: Compat;
}

/** Options of {@link matches}. */
export interface MatchesOptions<T, M> extends TrialOptions<M> {
  /** An event's time in ms. Default: its place in the list. */
  readonly time?: (event: T) => number;
}

/** A match, or a partial match that timed out, and when it was certain. */
export interface TrialMatch<M> {
  readonly match: M;
  readonly at: number;
}

/** A pattern over the events of one key, step by step. Events must come in the order of their times. */
export interface PatternTrial<T, M> {
  /** Time moves up to the event, and it is looked at. */
  event(event: T, at: number): void;
  /** No event before `at` will come. */
  advance(at: number): void;
  /** The matches since the last call. */
  takeMatches(): TrialMatch<M>[];
  /** The partial matches that timed out since the last call. */
  takeTimedOut(): TrialMatch<Partial<M>>[];
}

/**
 * All matches of a pattern in a list of events of one key, in time order, as if no further event came.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * const rise = pattern<number>().begin('low').next('high').where((n, { low }) => n > low![0]);
 * console.log(matches(rise, [3, 1, 2]).map(({ low: [low], high: [high] }) => `${low} < ${high}`)); // [ '1 < 2' ]
 */
export function matches<T, M extends Matched>(pattern: Complete<T, M>, events: readonly T[], options: MatchesOptions<T, M> = {}): M[] {
  const { time, ...rest } = options;
  const tried = trial(pattern, rest);
  for (const [at, event] of events.entries()) tried.event(event, time === undefined ? at : time(event));
  tried.advance(Infinity);
  return tried.takeMatches().map(({ match }) => match);
}

/**
 * Drives a pattern by hand.
 *
 * @throws MillraceError `cep/…` for a pattern that cannot work.
 * @example
 * const reply = pattern<string>().begin('ask').where((e) => e === 'ask').followedBy('answer').where((e) => e === 'answer').within({ seconds: 1 });
 * const tried = trial(reply);
 * tried.event('ask', 0);
 * tried.advance(1_000);
 * console.log(tried.takeTimedOut()); // [ { match: { ask: [Array] }, at: 1000 } ]
 */
export function trial<T, M extends Matched>(pattern: Complete<T, M>, options: TrialOptions<M> = {}): PatternTrial<T, M> {
  return new Trial(pattern as Complete<never, M>, options) as unknown as PatternTrial<T, M>;
}

class Trial<M extends Matched> {
  private readonly executor: Executor<LiveKey>;
  private readonly live: LiveKey;
  private readonly matched: TrialMatch<M>[] = [];
  private readonly timedOut: TrialMatch<Partial<M>>[] = [];

  constructor({ node }: Complete<never, M>, { afterMatch, emit = 'all', maxPartials, compat }: TrialOptions<M>) {
    const automaton = compilePattern(node, compat);
    const strategy = afterMatch === undefined ? node.afterMatch : afterMatchNode(afterMatch);
    const shape = matchShape(automaton.steps);
    const user = {
      tellsTimedOut: () => true,
      match: (found: FoundMatch, at: number) => void this.matched.push({ match: shape(found) as M, at }),
      timedOut: (found: FoundMatch, at: number) => void this.timedOut.push({ match: partialOf(automaton.steps, found) as Partial<M>, at }),
    };
    this.executor = chooseExecutor(automaton, { afterMatch: strategy ?? { skip: 'none' }, emit, maxPartials }).create(user);
    this.live = this.executor.create();
  }

  event(event: unknown, at: number): void {
    this.executor.advance(this.live, at, false);
    this.executor.accept(this.live, event, at);
  }

  advance(at: number): void {
    this.executor.advance(this.live, at, false);
  }

  takeMatches(): TrialMatch<M>[] {
    return this.matched.splice(0);
  }

  takeTimedOut(): TrialMatch<Partial<M>>[] {
    return this.timedOut.splice(0);
  }
}
