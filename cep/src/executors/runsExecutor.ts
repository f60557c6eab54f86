import { type Automaton, type Guard, NEXT_EVENT, RELAXED, STRICT, TIMED, type Transition } from '../automaton/automaton.ts';
import { PredicateMask } from '../automaton/predicateMask.ts';
import type { ConditionContext } from '../pattern/condition.ts';
import { Completion, type CompletionOptions } from './completion.ts';
import type { Executor } from './executor.ts';
import type { ExecutorUser } from './executorForm.ts';
import { PartialLimit, type PartialLimitOptions } from './partialLimit.ts';
import { Run, Start } from './run.ts';
import { RunDeadlines } from './runDeadlines.ts';
import { bucketOf, compact, enroll, isIn, leave, unconfirm } from './runLife.ts';
import { type Bucket, RunsOfKey } from './runsOfKey.ts';
import { RunView } from './runView.ts';

/** What is asked of an executor beside the pattern. */
export interface RunsOptions extends CompletionOptions, PartialLimitOptions {}

/**
 * Follows every partial match as a run of its own: what iterative conditions, strategies after a match and limits on runs need. A run waits
 * in the bucket of each transition that leads out of its state; an event looks only into buckets whose predicate it satisfies.
 */
export class RunsExecutor implements Executor<RunsOfKey> {
  private readonly automaton: Automaton;
  private readonly user: ExecutorUser;
  private readonly mask: PredicateMask;
  private readonly view: RunView;
  private readonly completion: Completion;
  private readonly deadlines: RunDeadlines;
  private readonly limit: PartialLimit;
  /** Whether starts must know their runs: to time them out, or to confirm them at the end of the window. */
  private readonly keepsRuns: boolean;
  /** Runs that came with the current event: they wait from the next one on. */
  private readonly born: Run[] = [];
  private live = new RunsOfKey();
  /** What conditions are told of the event: made once per event. */
  private conditionContext: ConditionContext = { timestamp: 0 };
  private event: unknown = undefined;
  private time = 0;

  constructor(automaton: Automaton, user: ExecutorUser, options: RunsOptions) {
    this.automaton = automaton;
    this.user = user;
    this.mask = new PredicateMask(automaton.unary);
    this.view = new RunView(automaton.steps);
    this.completion = new Completion(automaton, user, options);
    this.limit = new PartialLimit(options);
    this.keepsRuns = automaton.within !== Infinity;
    this.deadlines = new RunDeadlines(automaton, user, {
      complete: (live, run) => this.completion.add(live, run),
      move: (live, transition, run, at) => this.moveByTime(live, transition, run, at),
      settle: (live, at) => this.completion.settle(live, at),
    });
  }

  create(): RunsOfKey {
    return new RunsOfKey();
  }

  /** The runs that were dropped because there were too many. */
  get droppedRuns(): number {
    return this.limit.dropped;
  }

  /** Whether an event can begin a run: for keys without any, nothing else matters. */
  canStart(event: unknown, time: number): boolean {
    const { mask, automaton } = this;
    mask.begin(event, time);
    return automaton.starts.some((id) => mask.test(automaton.transitions[id]!.take.unary));
  }

  /** The next event of a key. Time must have been moved up to it. */
  accept(live: RunsOfKey, event: unknown, time: number): void {
    this.live = live;
    this.event = event;
    this.time = time;
    live.seq++;
    this.born.length = 0;
    this.conditionContext = { timestamp: time };
    this.mask.begin(event, time);
    const { buckets } = live;
    for (let id = 0; id < buckets.length; id++) {
      const bucket = buckets[id];
      if (bucket !== undefined && !bucket.isEmpty) this.visit(this.automaton.transitions[id]!, bucket);
    }
    this.begin();
    for (const run of this.born) this.settleIn(run);
    this.completion.settle(live, time);
    this.limit.enforce(live);
  }

  /** Time has come to `at`: no event before it will come; nor at it, if `through`. */
  advance(live: RunsOfKey, at: number, through: boolean): void {
    this.live = live;
    this.deadlines.advance(live, at, through);
  }

  /** When time alone will change something; Infinity: never. */
  nextDeadline(live: RunsOfKey): number {
    return this.deadlines.next(live);
  }

  /** All runs that begin with an event have one start. */
  private begin(): void {
    const { live, view, automaton } = this;
    let start: Start | undefined;
    view.run = undefined;
    for (const id of automaton.starts) {
      const transition = automaton.transitions[id]!;
      if (!this.satisfies(transition.take) || transition.kills.some((guard) => this.satisfies(guard)) || !this.passesFirst(transition))
        continue;
      start ??= new Start(this.time, live.seq);
      this.advanceTo(transition, undefined, start);
    }
  }

  private visit(transition: Transition, bucket: Bucket): void {
    if (transition.kind === STRICT || transition.kind === NEXT_EVENT) return this.visitStrict(transition, bucket);
    const { mask } = this;
    const fires = transition.kind !== TIMED && mask.test(transition.take.unary);
    const mayKill = transition.kills.length === 0 ? NO_GUARDS : transition.kills.filter(({ unary }) => mask.test(unary));
    const killsAll = mayKill.some(({ residual }) => residual < 0);
    if (bucket.fresh.length > 0) this.passFresh(transition, bucket);
    if (!fires && mayKill.length === 0) return;
    const meeting: Meeting = { fires, mayKill, killsAll };
    compact(bucket.waiting, (run) => this.meet(transition, run, meeting));
  }

  /** Whether a run stays where it is. */
  private meet(transition: Transition, run: Run, { fires, mayKill, killsAll }: Meeting): boolean {
    const { live, view } = this;
    if (!isIn(transition, run)) return false;
    view.run = run;
    if (killsAll || mayKill.some(({ residual }) => this.holds(residual))) {
      this.remove(transition, run);
      return false;
    }
    if (!fires || !this.holds(transition.take.residual)) return true;
    if (this.time - run.time < transition.gap) this.advanceTo(transition, run, run.start);
    if (transition.kind !== RELAXED) return true;
    leave(live, run);
    return false;
  }

  /** All runs leave: what comes directly after them is here. */
  private visitStrict(transition: Transition, bucket: Bucket): void {
    const { live, view } = this;
    const runs = bucket.fresh;
    bucket.fresh = [];
    for (const run of runs) {
      if (!isIn(transition, run)) continue;
      view.run = run;
      const passes = this.passesFirst(transition) && !transition.kills.some((guard) => this.satisfies(guard));
      if (passes && transition.kind === NEXT_EVENT) this.completion.add(live, run);
      else if (passes && this.satisfies(transition.take) && this.time - run.time < transition.gap)
        this.advanceTo(transition, run, run.start);
      leave(live, run);
    }
  }

  /** What came with the last event is asked what only the very next event is asked. */
  private passFresh(transition: Transition, bucket: Bucket): void {
    for (const run of bucket.fresh) {
      if (!isIn(transition, run)) continue;
      this.view.run = run;
      if (this.passesFirst(transition)) this.wait(transition, bucket, run);
      else this.remove(transition, run);
    }
    bucket.fresh.length = 0;
  }

  private remove({ confirms }: Transition, run: Run): void {
    if (confirms) unconfirm(this.live, run);
    else leave(this.live, run);
  }

  private passesFirst({ firstNot, firstMust }: Transition): boolean {
    return !firstNot.some((guard) => this.satisfies(guard)) && firstMust.every((guard) => this.satisfies(guard));
  }

  private satisfies({ unary, residual }: Guard): boolean {
    return this.mask.test(unary) && this.holds(residual);
  }

  /** Asks the run in view. */
  private holds(residual: number): boolean {
    return residual < 0 || this.automaton.residual[residual]!.test(this.event as never, this.view.soFar, this.conditionContext);
  }

  /** The event is taken along a transition. */
  private advanceTo(transition: Transition, parent: Run | undefined, start: Start): void {
    const { live } = this;
    const state = this.automaton.states[transition.to]!;
    const run = new Run(state.id, state.step, { event: this.event, time: this.time, seq: live.seq }, parent, start);
    this.user.reached?.(state.step);
    if (state.accepts) this.completion.add(live, run);
    if (state.out.length === 0 || !this.limit.admits(live)) return;
    this.enroll(run);
    this.born.push(run);
  }

  /** Time moves a run along: after an absence. */
  private moveByTime(live: RunsOfKey, transition: Transition, parent: Run, at: number): void {
    const state = this.automaton.states[transition.to]!;
    const run = new Run(state.id, -1, { event: undefined, time: at, seq: live.seq }, parent, parent.start);
    if (state.accepts) this.completion.add(live, run);
    if (state.out.length === 0) return;
    this.live = live;
    this.enroll(run);
    this.settleIn(run);
  }

  private enroll(run: Run): void {
    const { transitions, states } = this.automaton;
    let confirming = 0;
    const { out } = states[run.state]!;
    for (const id of out) if (transitions[id]!.confirms) confirming++;
    enroll(this.live, run, out.length - confirming, confirming, this.keepsRuns);
    this.limit.note(this.live, run);
  }

  /** A run takes its places. */
  private settleIn(run: Run): void {
    if (run.dropped) return;
    const { transitions, states } = this.automaton;
    for (const id of states[run.state]!.out) {
      const transition = transitions[id]!;
      const { kind, firstNot, firstMust } = transition;
      const bucket = bucketOf(this.live, id);
      if (kind === STRICT || kind === NEXT_EVENT || firstNot.length + firstMust.length > 0) bucket.fresh.push(run);
      else this.wait(transition, bucket, run);
    }
  }

  private wait(transition: Transition, bucket: Bucket, run: Run): void {
    const { waiting } = bucket;
    if (waiting.length >= bucket.limit) {
      compact(waiting, (each) => isIn(transition, each));
      bucket.limit = Math.max(16, 2 * waiting.length);
    }
    waiting.push(run);
  }
}

const NO_GUARDS: readonly Guard[] = [];

/** What an event has to do with the runs of one transition. */
interface Meeting {
  /** It satisfies the predicate of taking it. */
  readonly fires: boolean;
  /** What it satisfies, as far as that is a matter of the event alone, of what must not happen. */
  readonly mayKill: readonly Guard[];
  readonly killsAll: boolean;
}
