import {
  type Key,
  MAX_TIMESTAMP,
  MillraceError,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type StateOptions,
  type TimeDomain,
  type Timestamp,
  type ValueState,
  valueState,
} from '@millrace/core';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import type { Chart, Delay } from './chart.ts';
import { EndGuard } from './endGuard.ts';
import { Interpreter, withoutHandle } from './interpreter.ts';
import { addWaiting, earliestWaiting, takeWaiting, type Waiting } from './waiting.ts';

/** What a statechart operator is made of. */
export interface StatechartDefinition {
  readonly machine: AnyStateMachine;
  readonly chart: StateOptions<Chart>;
  readonly event: (value: unknown) => EventObject | undefined;
  readonly input: ((value: unknown, key: Key) => unknown) | undefined;
  readonly delays: TimeDomain;
}

export function statechartOperator(definition: StatechartDefinition): OperatorDefinition {
  return {
    state: { chart: valueState<Chart>(definition.chart), waiting: valueState<Waiting<unknown>>() },
    timers: { wake: definition.delays },
    outputs: ['done', 'unhandled', 'late'],
    create: (context) => new StatechartOperator(context, definition),
  };
}

/**
 * Runs a machine per key. In event time, elements wait until the watermark has reached them and are taken in time order, so that a
 * delay and an element meet in the order of their times, whatever came first. Of one time, elements come before delays. One timer per
 * key stands at the earliest of what waits.
 */
class StatechartOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[];
  private readonly context: OperatorContext;
  private readonly definition: StatechartDefinition;
  private readonly chart: ValueState<Chart | undefined>;
  private readonly waiting: ValueState<Waiting<unknown> | undefined>;
  private readonly interpreter: Interpreter;
  private readonly end: EndGuard;
  private ended = false;

  constructor(context: OperatorContext, definition: StatechartDefinition) {
    const { uid, logger } = context.subtask;
    this.context = context;
    this.definition = definition;
    this.chart = context.state['chart'] as ValueState<Chart | undefined>;
    this.waiting = context.state['waiting'] as ValueState<Waiting<unknown> | undefined>;
    this.interpreter = new Interpreter(definition.machine, uid, logger);
    this.end = new EndGuard(context, definition.machine.id);
    this.inputs = [definition.delays === 'eventTime' ? (value) => this.keep(value) : (value) => this.takeNow(value)];
  }

  onTimer(): void {
    const { context, definition } = this;
    const { dueTime } = context;
    this.interpreter.now = definition.delays === 'eventTime' ? dueTime : Math.max(dueTime, context.now());
    try {
      this.takeWaiting(dueTime);
      this.fireDelays(dueTime);
    } finally {
      this.moveTimer(Infinity);
    }
  }

  onEnd(): void {
    this.ended = true;
  }

  /** Event time: the element waits for its time. */
  private keep(value: unknown): void {
    const { context } = this;
    const { time } = context;
    if (context.timestamp === undefined) throw withoutTime();
    if (time <= context.watermark) {
      context.metrics.late++;
      return context.outputAt('late', value, time);
    }
    const before = this.next();
    const waiting = this.waiting.value() ?? { times: [], values: [], head: 0 };
    this.waiting.update(waiting);
    addWaiting(waiting, time, value);
    if (time < before) this.moveTimer(before);
  }

  /** Processing time: the element is taken as it comes. */
  private takeNow(value: unknown): void {
    const before = this.next();
    this.interpreter.now = this.context.now();
    this.receive(value);
    this.moveTimer(before);
  }

  private takeWaiting(until: Timestamp): void {
    const waiting = this.waiting.value();
    if (waiting === undefined || earliestWaiting(waiting) > until) return;
    this.waiting.update(waiting);
    while (earliestWaiting(waiting) <= until) {
      const value = takeWaiting(waiting);
      if (earliestWaiting(waiting) === Infinity) this.waiting.clear();
      try {
        this.receive(value);
      } catch (error) {
        this.context.reject(error, value, this.context.time);
      }
    }
  }

  private receive(value: unknown): void {
    const { interpreter, context, definition } = this;
    const event = definition.event(value);
    if (event === undefined) return;
    const chart = this.chart.value();
    interpreter.load(context.key, chart?.snapshot, chart?.delays ?? []);
    if (chart === undefined) interpreter.start(definition.input?.(value, context.key));
    const handled = interpreter.snapshot!.status === 'active' && interpreter.send(event);
    this.commit(chart);
    if (handled) return;
    context.counter('unhandled').add();
    context.outputAt('unhandled', value, context.time);
  }

  private fireDelays(until: Timestamp): void {
    const due = this.chart.value()?.delays.filter(({ at }) => at <= until);
    if (due === undefined || due.length === 0) return;
    due.sort((a, b) => a.at - b.at);
    for (const delay of due) this.fire(delay);
  }

  private fire(delay: Delay): void {
    const { interpreter, context } = this;
    const chart = this.chart.value();
    const at = chart?.delays.findIndex((other) => sameDelay(other, delay)) ?? -1;
    if (chart === undefined || at < 0) return;
    const rest = withoutHandle(chart.delays.toSpliced(at, 1), delay.id);
    // Also where the machine throws the delay is over.
    this.chart.update(chart);
    chart.delays = rest;
    interpreter.load(context.key, chart.snapshot, rest);
    interpreter.send(delay.event);
    if (this.ended || context.watermark === MAX_TIMESTAMP) this.end.check(chart, interpreter);
    this.commit(chart);
  }

  /** Takes over what the interpreter has come to, and sends what it has emitted. */
  private commit(chart: Chart | undefined): void {
    const { interpreter, context } = this;
    const { snapshot, delays, emitted } = interpreter;
    const isDone = snapshot!.status === 'done';
    if (isDone) this.chart.clear();
    else if (chart === undefined) this.chart.update({ snapshot: snapshot!, delays });
    else {
      this.chart.update(chart);
      chart.snapshot = snapshot!;
      chart.delays = delays;
    }
    for (let i = 0; i < emitted.length; i++) context.emit(emitted[i], context.time);
    if (isDone) context.outputAt('done', { key: context.key, output: (snapshot as AnyMachineSnapshot).output }, context.time);
  }

  /** The earliest time at which something waits for the current key. */
  private next(): Timestamp {
    let next = earliestWaiting(this.waiting.value());
    const delays = this.chart.value()?.delays;
    if (delays !== undefined) for (let i = 0; i < delays.length; i++) next = Math.min(next, delays[i]!.at);
    return next;
  }

  private moveTimer(from: Timestamp): void {
    const to = this.next();
    if (to === from) return;
    const { timers } = this.context;
    if (from !== Infinity) timers.cancel('wake', from);
    if (to !== Infinity) timers.set('wake', to);
  }
}

/** Interpreting may have copied it. */
function sameDelay(a: Delay, b: Delay): boolean {
  return a === b || (a.at === b.at && a.event === b.event);
}

function withoutTime(): MillraceError {
  return new MillraceError('timer/no-timestamp', 'A statechart in event time was given an element without a timestamp.', {
    remedy: "Give the source a timestamp (time: { timestamp: … }), or let the statechart run in processing time: delays: 'processingTime'.",
  });
}
