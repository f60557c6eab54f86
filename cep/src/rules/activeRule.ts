import type { Timestamp } from '@millrace/core';
import { type Automaton, ANY, RELAXED, TIMED, type UnaryPredicate } from '../automaton/automaton.ts';
import { compilePattern } from '../automaton/compilePattern.ts';
import { chooseExecutor } from '../executors/chooseExecutor.ts';
import type { Executor, LiveKey } from '../executors/executor.ts';
import type { ExecutorForm, ExecutorUser } from '../executors/executorForm.ts';
import type { EmitMode, MaxPartials, PatternNode } from '../pattern/pattern.ts';
import { isData } from './isData.ts';
import type { SharedPredicates } from './sharedPredicates.ts';

/** Where a version of a rule stands at a time: begins runs, only ends them, or has none any more. */
export type RulePhase = 'before' | 'active' | 'draining' | 'over';

export interface RuleOptions {
  readonly emit: EmitMode;
  readonly maxPartials: MaxPartials | undefined;
}

/** A version of a rule with all that it takes to follow its runs. */
export class ActiveRule {
  readonly rule: string;
  readonly version: number;
  /** By which its runs are found. */
  readonly address: string;
  readonly from: Timestamp;
  /** Begins no runs from then on. */
  until: Timestamp;
  /** Has no runs from then on. */
  discardAt: Timestamp = Infinity;
  readonly automaton: Automaton;
  readonly form: ExecutorForm<LiveKey>;
  readonly executor: Executor<LiveKey>;
  /** Follows runs and begins none. */
  readonly draining: Executor<LiveKey>;
  /** Its runs are concerned by every event, not only by those that satisfy one of its predicates. */
  readonly reactsToAll: boolean;
  /** Any event can begin a run. */
  readonly startsWithAll: boolean;
  /** The number of the event for which it was noted. */
  noted = -1;
  /** That event can begin a run. */
  starts = false;
  private dropsTold = 0;
  /** How long a run can live at most. */
  private readonly longest: number;

  constructor(
    {
      rule,
      version,
      from,
      until,
      pattern,
    }: {
      readonly rule: string;
      readonly version: number;
      readonly from: Timestamp;
      readonly until: Timestamp;
      readonly pattern: PatternNode;
    },
    predicates: SharedPredicates<RuleUse>,
    { emit, maxPartials, user }: RuleOptions & { readonly user: (rule: ActiveRule) => ExecutorUser },
  ) {
    this.rule = rule;
    this.version = version;
    this.address = addressOf(rule, version);
    this.from = from;
    this.until = until;
    const compiled = compilePattern(pattern);
    // Functions can be called alike and differ: only what is data is known by its text.
    const scope = isData(pattern) ? '' : this.address;
    const shared = compiled.unary.map((predicate) => predicates.share(scope + predicate.text, predicate));
    const unary: UnaryPredicate[] = compiled.unary.map(({ text }, i) => ({ text, test: shared[i]!.test }));
    this.automaton = { ...compiled, unary };
    const options = { afterMatch: pattern.afterMatch ?? { skip: 'none' as const }, emit, maxPartials };
    this.form = chooseExecutor(this.automaton, options);
    this.executor = this.form.create(user(this));
    this.draining = chooseExecutor({ ...this.automaton, starts: [] }, options).create(user(this));
    // An absence may be confirmed after the window has ended.
    this.longest = compiled.transitions.reduce((sum, { after }) => (after === Infinity ? sum : sum + after), compiled.within);
    this.reactsToAll = reactsToAll(compiled);
    const starting = compiled.starts.map((id) => compiled.transitions[id]!.take.unary);
    this.startsWithAll = starting.includes(-1);
    for (const [i, predicate] of shared.entries()) predicate.users.push({ rule: this, starts: starting.includes(i) });
  }

  /** How many partial matches were dropped since this was asked last, because there were too many. */
  takeDrops(): number {
    const drops = this.executor.droppedRuns + this.draining.droppedRuns;
    const since = drops - this.dropsTold;
    this.dropsTold = drops;
    return since;
  }

  /** No run of it lives from then on, whatever comes. */
  get endsAt(): Timestamp {
    return Math.min(this.discardAt, this.until + this.longest);
  }

  phaseAt(time: Timestamp): RulePhase {
    if (time >= this.discardAt) return 'over';
    if (time < this.from) return 'before';
    return time < this.until ? 'active' : 'draining';
  }
}

/** By which the runs of a version are found in state. */
export function addressOf(rule: string, version: number): string {
  return JSON.stringify([rule, version]);
}

/** A rule whose runs a predicate concerns. */
export interface RuleUse {
  readonly rule: ActiveRule;
  /** Runs begin with events that satisfy it. */
  readonly starts: boolean;
}

/** Whether there are runs that an event can touch without satisfying any predicate of the pattern. */
function reactsToAll({ transitions }: Automaton): boolean {
  return transitions.some(
    ({ kind, take, kills, firstNot, firstMust }) =>
      (kind !== RELAXED && kind !== ANY && kind !== TIMED) ||
      (kind !== TIMED && take.unary < 0) ||
      kills.some(({ unary }) => unary < 0) ||
      firstNot.length + firstMust.length > 0,
  );
}
