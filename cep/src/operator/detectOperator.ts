import {
  type Key,
  MillraceError,
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
import { EventBuffer } from './eventBuffer.ts';
import type { MatchContext } from './options.ts';

/** What the operator of a pattern is made of. */
export interface Detection<L extends LiveKey> {
  readonly automaton: Automaton;
  readonly form: ExecutorForm<L>;
  readonly time: 'eventTime' | 'processingTime';
  readonly compare: ((a: never, b: never) => number) | undefined;
  readonly select: (match: never, context: MatchContext) => unknown;
  /** `select` is given the last event in place of the match. */
  readonly selectsEvent: boolean;
  /** A match that time has decided is stamped with the watermark, not with that time. */
  readonly stampsWatermark: boolean;
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
  private readonly buffer: EventBuffer<never>;
  /** Keys whose timer was due while events from before it still waited. */
  private readonly postponed: Key[] = [];
  private readonly isEventTime: boolean;
  private readonly shape: MatchShape;
  private droppedBefore = 0;

  constructor(context: OperatorContext, detection: Detection<L>) {
    this.context = context;
    this.detection = detection;
    this.isEventTime = detection.time === 'eventTime';
    this.runs = context.state['runs'] as unknown as ValueState<L | undefined>;
    this.buffer = new EventBuffer(detection.compare);
    this.shape = matchShape(detection.automaton.steps);
    const reached = detection.automaton.steps.map((step) => context.counter(`reached ${step}`));
    this.executor = detection.form.create({
      tellsTimedOut: () => context.hasTaker('timedOut'),
      match: (found, at) => this.giveOut(found, at),
      timedOut: (found, at) => {
        context.counter(`timedOut after ${detection.automaton.steps[lastOf(found).step]!}`).add(1);
        context.outputAt('timedOut', partialOf(detection.automaton.steps, found), at);
      },
      reached: (step) => reached[step]!.add(1),
    });
    this.inputs = [this.handlerFor(context.subtask.emission === 'final')];
  }

  onWatermark(watermark: Timestamp): boolean {
    const { context, buffer } = this;
    if (!this.isEventTime) return true;
    while (buffer.earliest <= watermark) {
      if (!context.hasCredit()) return false;
      this.takeNext();
    }
    for (let key = this.postponed.pop(); key !== undefined; key = this.postponed.pop()) {
      context.enter(key);
      const live = this.runs.value();
      if (live !== undefined) this.arm(live);
    }
    return true;
  }

  onTimer(): void {
    const { context, buffer } = this;
    const at = context.dueTime;
    if (context.dueName === 'flush') return this.flush(at - 1);
    const live = this.runs.value();
    if (live === undefined) return;
    this.runs.update(live);
    live.timer = Infinity;
    // What came before must be worked off before: onWatermark follows.
    if (this.isEventTime && buffer.earliest <= at) return void this.postponed.push(context.key);
    this.executor.advance(live, at, true);
    this.leave(live);
  }

  *entries(): ReturnType<Required<Operator>['entries']> {
    yield* this.buffer.entries();
  }

  restoreEntry(entry: Parameters<Required<Operator>['restoreEntry']>[0]): void {
    this.buffer.restore(entry);
  }

  private handlerFor(isSorted: boolean): (value: never) => void {
    const { context, buffer } = this;
    const { compare } = this.detection;
    if (!this.isEventTime) {
      if (compare === undefined) return (value) => this.process(value, context.now());
      return (value) => {
        buffer.add(context.now(), context.key, value);
        context.timers.set('flush', context.now() + 1);
      };
    }
    return (value) => {
      const { time } = context;
      if (time === -Infinity) throw this.withoutTime();
      if (time <= context.watermark) return context.outputLate('late', value, time);
      // Batch mode brings the events of a key in time order.
      if (isSorted && compare === undefined) this.process(value, time);
      else buffer.add(time, context.key, value);
    };
  }

  private flush(until: Timestamp): void {
    while (this.buffer.earliest <= until) this.takeNext();
  }

  private takeNext(): void {
    const { context, buffer } = this;
    buffer.take();
    const { time, value } = buffer;
    context.enter(buffer.key);
    context.time = time;
    try {
      this.process(value as never, time);
    } catch (error) {
      context.reject(error, value, time);
    }
  }

  /** The next event of the current key. */
  private process(value: never, time: Timestamp): void {
    const { executor, runs } = this;
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
    let result: unknown;
    try {
      result = select(match as never, { key: context.key, start: found.taken.time, end: last.time });
    } catch (error) {
      return context.reject(error, match, at);
    }
    context.emit(result, stampsWatermark && context.dueName !== '' && at > last.time ? context.watermark : at);
  }

  private withoutTime(): MillraceError {
    return new MillraceError('graph/no-timestamps', 'An event has no timestamp, and the pattern goes by event time.', {
      uid: this.context.subtask.uid,
      remedy: "Give the source a timestamp (time: { timestamp: … }), or detect with time: 'processingTime'.",
    });
  }
}
