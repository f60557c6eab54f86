import { type Automaton, type Guard, NEXT_EVENT, RELAXED, STRICT, TIMED, type Transition } from '../automaton/automaton.ts';
import type { Bucket } from './bucket.ts';
import { Completion, type CompletionOptions } from './completion.ts';
import type { Executor } from './executor.ts';
import type { ExecutorUser } from './executorForm.ts';
import { PartialLimit, type PartialLimitOptions } from './partialLimit.ts';
import { Arrival, isIn, Run, Start } from './run.ts';
import { RunConditions } from './runConditions.ts';
import { RunDeadlines } from './runDeadlines.ts';
import { RunLife } from './runLife.ts';
import { RunsOfKey } from './runsOfKey.ts';

/** What is asked of an executor beside the pattern. */
export interface RunsOptions extends CompletionOptions, PartialLimitOptions {}

/**
 * Follows every partial match as a run of its own: what iterative conditions, strategies after a match and limits on runs need. A run waits
 * in the bucket of each transition that leads out of its state; an event looks only into buckets whose predicate it satisfies, and where a
 * condition is equality with an earlier event, only at the runs that agree.
 */
export class RunsExecutor implements Executor<RunsOfKey> {
  private readonly automaton: Automaton;
  private readonly user: ExecutorUser;
  private readonly conditions: RunConditions;
  private readonly completion: Completion;
  private readonly life: RunLife;
  private readonly deadlines: RunDeadlines;
  private readonly limit: PartialLimit;
  private readonly starts: readonly Transition[];
  /** Of each state, in how many transitions its runs wait for being confirmed. */
  private readonly confirming: readonly number[];
  /** Runs that came with the current event: they wait from the next one on. */
  private readonly born: Run[] = [];
  private live = new RunsOfKey();
  private event: unknown = undefined;
  private time = 0;
  /** The event as runs hold it: made when the first takes it. */
  private arrival: Arrival | undefined;
  /** What the user's functions have thrown while runs took their places. */
  private failure: { readonly error: unknown } | undefined;

  constructor(automaton: Automaton, user: ExecutorUser, options: RunsOptions) {
    const { transitions, states } = automaton;
    this.automaton = automaton;
    this.user = user;
    this.conditions = new RunConditions(automaton);
    this.life = new RunLife(automaton, user);
    this.completion = new Completion(automaton, user, this.life, options);
    this.limit = new PartialLimit(this.life, options);
    this.starts = automaton.starts.map((id) => transitions[id]!);
    this.confirming = states.map(({ out }) => out.filter((id) => transitions[id]!.confirms).length);
    this.deadlines = new RunDeadlines(automaton, user, this.life, {
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
    this.conditions.begin(event, time);
    for (const { take } of this.starts) if (this.conditions.test(take.unary)) return true;
    return false;
  }

  /** The next event of a key. Time must have been moved up to it. */
  accept(live: RunsOfKey, event: unknown, time: number): void {
    this.live = live;
    this.event = event;
    this.time = time;
    this.arrival = undefined;
    live.seq++;
    this.born.length = 0;
    this.conditions.begin(event, time);
    const { buckets } = live;
    for (let id = 0; id < buckets.length; id++) {
      const bucket = buckets[id];
      if (bucket !== undefined && !bucket.isEmpty) this.visit(this.automaton.transitions[id]!, bucket);
    }
    this.begin();
    for (let i = 0; i < this.born.length; i++) this.settleIn(this.born[i]!);
    this.completion.settle(live, time);
    this.limit.enforce(live);
    this.rethrow();
  }

  /** Time has come to `at`: no event before it will come; nor at it, if `through`. */
  advance(live: RunsOfKey, at: number, through: boolean): void {
    if (this.deadlines.next(live) > at) return;
    this.live = live;
    this.deadlines.advance(live, at, through);
    this.rethrow();
  }

  /** When time alone will change something; Infinity: never. */
  nextDeadline(live: RunsOfKey): number {
    // Where nobody is to be told, it is enough to look when all is over.
    if (!this.life.keepsRuns && live.completed.length === 0) return this.deadlines.nextWithLastWindow(live);
    return this.deadlines.next(live);
  }

  /** All runs that begin with an event have one start. */
  private begin(): void {
    const { conditions } = this;
    let start: Start | undefined;
    for (const transition of this.starts) {
      if (!conditions.satisfies(transition.take, undefined)) continue;
      if (conditions.obstacle(transition, undefined) !== undefined || conditions.obstacleToFirst(transition, undefined) !== undefined)
        continue;
      start ??= new Start(this.time, this.live.seq);
      this.advanceTo(transition, undefined, start);
    }
  }

  private visit(transition: Transition, bucket: Bucket): void {
    const { kind, take, kills } = transition;
    if (kind === STRICT || kind === NEXT_EVENT) return this.visitStrict(transition, bucket);
    const { conditions } = this;
    if (bucket.fresh.length > 0) this.passFresh(transition, bucket);
    for (const guard of kills) if (conditions.test(guard.unary)) this.kill(transition, bucket, guard);
    if (kind === TIMED || !conditions.test(take.unary)) return;
    if (!this.isFound(transition, take)) return this.takeAmong(transition, bucket.waiting, take.residual);
    const value = conditions.valueOf(take.correlation);
    const found = bucket.index!.find(value);
    if (found === undefined) return;
    this.takeAmong(transition, found, take.rest);
    bucket.index!.shrink(value, found);
  }

  /** Whether the runs of a transition are found by what a condition says. */
  private isFound({ index }: Transition, { correlation }: Guard): boolean {
    const { correlations } = this.automaton;
    return index >= 0 && correlation >= 0 && correlations[index]!.side === correlations[correlation]!.side;
  }

  /** The runs of which an event satisfies what must not happen. */
  private kill(transition: Transition, bucket: Bucket, guard: Guard): void {
    if (!this.isFound(transition, guard)) return this.killAmong(transition, bucket.waiting, guard, guard.residual);
    const value = this.conditions.valueOf(guard.correlation);
    const found = bucket.index!.find(value);
    if (found === undefined) return;
    this.killAmong(transition, found, guard, guard.rest);
    bucket.index!.shrink(value, found);
  }

  /** Where a condition fails, what it was not asked of stays. */
  private killAmong(transition: Transition, runs: Run[], guard: Guard, residual: number): void {
    const { live, conditions, life } = this;
    let kept = 0;
    let asked = 0;
    try {
      for (; asked < runs.length; asked++) {
        const run = runs[asked]!;
        if (!isIn(transition, run)) continue;
        if (conditions.holds(residual, run)) life.leave(live, run, transition, 'condition', guard);
        else runs[kept++] = run;
      }
    } finally {
      while (asked < runs.length) runs[kept++] = runs[asked++]!;
      if (kept < runs.length) runs.length = kept;
    }
  }

  private takeAmong(transition: Transition, runs: Run[], residual: number): void {
    let kept = 0;
    let asked = 0;
    try {
      for (; asked < runs.length; asked++) {
        const run = runs[asked]!;
        if (isIn(transition, run) && !this.takes(transition, run, residual)) runs[kept++] = run;
      }
    } finally {
      while (asked < runs.length) runs[kept++] = runs[asked++]!;
      if (kept < runs.length) runs.length = kept;
    }
  }

  /** Whether a run goes with the event, and does not wait for another. */
  private takes(transition: Transition, run: Run, residual: number): boolean {
    if (!this.conditions.holds(residual, run)) return false;
    const isInTime = this.time - run.time < transition.gap;
    if (isInTime) this.advanceTo(transition, run, run.start);
    if (transition.kind !== RELAXED) return false;
    this.life.leave(this.live, run, transition, isInTime ? 'taken' : 'window');
    return true;
  }

  /** All runs leave: what comes directly after them is here. */
  private visitStrict(transition: Transition, bucket: Bucket): void {
    const { fresh } = bucket;
    let asked = 0;
    try {
      for (; asked < fresh.length; asked++) if (isIn(transition, fresh[asked]!)) this.meetDirectly(transition, fresh[asked]!);
    } finally {
      fresh.splice(0, asked);
    }
  }

  private meetDirectly(transition: Transition, run: Run): void {
    const { live, conditions, life } = this;
    const obstacle = conditions.obstacleToFirst(transition, run) ?? conditions.obstacle(transition, run);
    if (obstacle !== undefined) return life.leave(live, run, transition, 'condition', obstacle);
    if (transition.kind === NEXT_EVENT) {
      this.completion.add(live, run);
      return life.leave(live, run, transition, 'taken');
    }
    if (!conditions.satisfies(transition.take, run)) return life.leave(live, run, transition, 'contiguity', transition.take);
    const isInTime = this.time - run.time < transition.gap;
    if (isInTime) this.advanceTo(transition, run, run.start);
    life.leave(live, run, transition, isInTime ? 'taken' : 'window');
  }

  /** What came with the last event is asked what only the very next event is asked. */
  private passFresh(transition: Transition, bucket: Bucket): void {
    const { fresh } = bucket;
    let asked = 0;
    try {
      for (; asked < fresh.length; asked++) {
        const run = fresh[asked]!;
        if (!isIn(transition, run)) continue;
        const obstacle = this.conditions.obstacleToFirst(transition, run);
        if (obstacle === undefined) this.wait(bucket, run);
        else this.life.leave(this.live, run, transition, 'condition', obstacle);
      }
    } finally {
      fresh.splice(0, asked);
    }
  }

  /** The event is taken along a transition. */
  private advanceTo(transition: Transition, parent: Run | undefined, start: Start): void {
    const { live } = this;
    const state = this.automaton.states[transition.to]!;
    const run = new Run(state, (this.arrival ??= new Arrival(this.event, this.time, live.seq)), parent, start);
    this.user.reached?.(state.step);
    this.user.observer?.took(run);
    if (state.accepts) this.completion.add(live, run);
    if (state.out.length === 0) return;
    if (!this.limit.admits(live)) return this.life.refuse(run);
    this.enroll(run);
    this.born.push(run);
  }

  /** Time moves a run along: after an absence. */
  private moveByTime(live: RunsOfKey, transition: Transition, parent: Run, at: number): void {
    const state = this.automaton.states[transition.to]!;
    const run = new Run(state, new Arrival(undefined, at, live.seq), parent, parent.start);
    this.user.observer?.took(run);
    if (state.accepts) this.completion.add(live, run);
    if (state.out.length === 0) return;
    this.live = live;
    this.enroll(run);
    this.settleIn(run);
  }

  private enroll(run: Run): void {
    const confirming = this.confirming[run.state.id]!;
    this.life.enroll(this.live, run, run.state.out.length - confirming, confirming);
    this.limit.note(this.live, run);
  }

  /** A run takes its places. */
  private settleIn(run: Run): void {
    if (run.dropped) return;
    for (const id of run.state.out) {
      const { kind, firstNot, firstMust } = this.automaton.transitions[id]!;
      const bucket = this.live.bucket(this.automaton, id);
      if (kind === STRICT || kind === NEXT_EVENT || firstNot.length + firstMust.length > 0) bucket.fresh.push(run);
      else this.wait(bucket, run);
    }
  }

  /** It waits even where the value fails by which it would be found. */
  private wait(bucket: Bucket, run: Run): void {
    try {
      bucket.add(run);
    } catch (error) {
      this.failure ??= { error };
    }
  }

  private rethrow(): void {
    if (this.failure === undefined) return;
    const { error } = this.failure;
    this.failure = undefined;
    throw error;
  }
}
