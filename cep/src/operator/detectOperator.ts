import {
  MAX_TIMESTAMP,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Timestamp,
  type ValueState,
  valueState,
} from '@millrace/core';
import type { Automaton } from '../automaton/automaton.ts';
import { type FoundMatch, lastOf, type LiveKey } from '../executors/executor.ts';
import type { ExecutorForm } from '../executors/executorForm.ts';
import { matchShape, type MatchShape, partialOf } from '../executors/matchShape.ts';
import type { PatternTrace } from '../trace/patternTrace.ts';
import type { MatchContext } from './options.ts';
import { OrderedEvents, type TimeDomain } from './orderedEvents.ts';

/** What the operator of a pattern is made of. */
export interface Detection<L extends LiveKey> {
  readonly automaton: Automaton;
  readonly form: ExecutorForm<L>;
  readonly time: TimeDomain;
  readonly compare: ((a: never, b: never) => number) | undefined;
  readonly select: (match: never, context: MatchContext) => unknown;
  /** `select` is given the last event in place of the match. */
  readonly selectsEvent: boolean;
  /** A match that time has decided is stamped with the watermark, not with that time. */
  readonly stampsWatermark: boolean;
  /** Follows a few keys for whoever wants to know why nothing is found. */
  readonly trace: (() => PatternTrace<never>) | undefined;
}

/** The operator that looks for a pattern in the events of each key. */
export function detectOperator<L extends LiveKey>(detection: Detection<L>): OperatorDefinition {
  const { form, time } = detection;
  return {
    state: { runs: valueState<L>({ codec: form.codec }) },
    timers: { deadline: time, flush: 'processingTime' },
    outputs: ['timedOut', 'late'],
    create: (context) => new DetectOperator(context, detection),
  };
}

/**
 * In event time, events wait until the watermark has reached them and are then worked off in time order. A key of which nothing is held has no
 * state; one with partial matches has one value and at most one timer, which is set no later than for what time alone decides next.
 */
class DetectOperator<L extends LiveKey> implements Operator {
  readonly inputs: readonly ((value: never) => void)[];
  private readonly context: OperatorContext;
  private readonly detection: Detection<L>;
  private readonly executor;
  private readonly runs: ValueState<L | undefined>;
  private readonly events: OrderedEvents;
  private readonly shape: MatchShape;
  private readonly trace: PatternTrace<never> | undefined;
  private droppedBefore = 0;

  constructor(context: OperatorContext, detection: Detection<L>) {
    this.context = context;
    this.detection = detection;
    this.runs = context.state['runs'] as unknown as ValueState<L | undefined>;
    this.events = new OrderedEvents(context, detection, {
      process: (value, time) => this.process(value, time),
      resume: () => this.resume(),
    });
    this.trace = detection.trace?.();
    const { steps } = detection.automaton;
    const reached = steps.map((step) => context.counter(`reached ${step}`));
    const died = steps.map((step) => context.counter(`died after ${step}`));
    const timedOut = steps.map((step) => context.counter(`timedOut after ${step}`));
    const skipped = context.counter('skipped');
    this.shape = matchShape(steps);
    this.executor = detection.form.create({
      tellsTimedOut: () => context.hasTaker('timedOut'),
      match: (found, at) => this.giveOut(found, at),
      timedOut: (found, at) => {
        timedOut[lastOf(found).step]!.add(1);
        context.outputAt('timedOut', partialOf(steps, found), at);
      },
      reached: (step) => reached[step]!.add(1),
      died: (step) => died[step]!.add(1),
      skipped: (runs) => skipped.add(runs),
    });
    this.inputs = [this.events.handler()];
  }

  onWatermark(watermark: Timestamp): boolean {
    if (!this.events.drain(watermark)) return false;
    // Batch mode comes back to earlier times with the next key.
    if (this.context.subtask.emission === 'rolling' && this.detection.time === 'eventTime') this.trace?.advance(watermark);
    return true;
  }

  onTimer(): void {
    const { context, events } = this;
    const at = context.dueTime;
    if (context.dueName === 'flush') return events.flush();
    if (this.detection.time === 'processingTime') this.trace?.advanceKey(context.key, at);
    const live = this.runs.value();
    if (live === undefined) return;
    this.runs.update(live);
    live.timer = Infinity;
    if (events.postpones(at)) return;
    this.executor.advance(live, at, true);
    this.leave(live);
  }

  onKeyEnd(): void {
    this.trace?.advanceKey(this.context.key, MAX_TIMESTAMP);
  }

  *entries(): ReturnType<Required<Operator>['entries']> {
    yield* this.events.entries();
  }

  restoreEntry(entry: Parameters<Required<Operator>['restoreEntry']>[0]): void {
    this.events.restore(entry);
  }

  /** The next event of the current key. */
  private process(value: never, time: Timestamp): void {
    const { executor, runs, trace } = this;
    trace?.event(this.context.key, value, time);
    let live = runs.value();
    if (live === undefined) {
      if (!executor.canStart(value, time)) return;
      live = executor.create();
    }
    // Before it changes: a snapshot that is being written still has to see it as it was.
    runs.update(live);
    executor.advance(live, time, false);
    executor.accept(live, value, time);
    this.leave(live);
  }

  /** What the current key waits for beside events. */
  private resume(): void {
    const live = this.runs.value();
    if (live !== undefined) this.arm(live);
  }

  /** A key is done with for now: what it holds is kept if it holds anything. */
  private leave(live: L): void {
    const { context, executor } = this;
    if (live.isIdle) {
      if (live.timer !== Infinity) context.timers.cancel('deadline');
      this.runs.clear();
    } else this.arm(live);
    if (executor.droppedRuns === this.droppedBefore) return;
    context.counter('droppedPartials').add(executor.droppedRuns - this.droppedBefore);
    this.droppedBefore = executor.droppedRuns;
  }

  private arm(live: L): void {
    const at = this.executor.nextDeadline(live);
    if (at >= live.timer) return;
    const { timers } = this.context;
    if (live.timer !== Infinity) timers.cancel('deadline', live.timer);
    live.timer = at;
    timers.set('deadline', at);
  }

  private giveOut(found: FoundMatch, at: Timestamp): void {
    const { context } = this;
    const { select, selectsEvent, stampsWatermark } = this.detection;
    const last = lastOf(found);
    const match = selectsEvent ? last.event : this.shape(found);
    // Of all the matches that the event completes, none is told apart.
    const start = selectsEvent ? last.time : found.taken.time;
    let result: unknown;
    try {
      result = select(match as never, { key: context.key, start, end: last.time });
    } catch (error) {
      return context.reject(error, match, at);
    }
    context.emit(result, stampsWatermark && context.dueName !== '' && at > last.time ? context.watermark : at);
  }
}
