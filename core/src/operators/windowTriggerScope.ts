import type { Timestamp } from '../time/timestamp.ts';
import type { TriggerContext } from '../time/trigger.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { WindowPane } from './windowPane.ts';

/** The names of the window operators' timers: part of the address of their state. */
export const WINDOW_TIMERS = { event: 'eventTime', processing: 'processingTime' } as const;

/** What a trigger sees of the pane that it is asked about. One per operator, so that no element allocates one. */
export class WindowTriggerScope implements TriggerContext<unknown> {
  private readonly context: OperatorContext;
  /** Whether another pane of the key waits for a time. */
  private readonly isAwaited: (name: keyof typeof WINDOW_TIMERS, at: Timestamp) => boolean;
  private pane: WindowPane<never> | undefined;

  constructor(context: OperatorContext, isAwaited: (name: keyof typeof WINDOW_TIMERS, at: Timestamp) => boolean) {
    this.context = context;
    this.isAwaited = isAwaited;
  }

  of(pane: WindowPane<never>): this {
    this.pane = pane;
    return this;
  }

  get watermark(): Timestamp {
    return this.context.watermark;
  }

  get now(): Timestamp {
    return this.context.now();
  }

  get state(): unknown {
    return this.pane!.trigger;
  }

  set state(state: unknown) {
    this.pane!.trigger = state;
  }

  setEventTimer(at: Timestamp): void {
    this.set('event', this.pane!.eventTimers, at);
  }

  cancelEventTimer(at: Timestamp): void {
    this.cancel('event', this.pane!.eventTimers, at);
  }

  setProcessingTimer(at: Timestamp): void {
    this.set('processing', this.pane!.processingTimers, at);
  }

  cancelProcessingTimer(at: Timestamp): void {
    this.cancel('processing', this.pane!.processingTimers, at);
  }

  /** Cancels whatever its trigger has left of a pane's timers. */
  cancelAll({ eventTimers, processingTimers }: WindowPane<never>): void {
    while (eventTimers.length > 0) this.cancel('event', eventTimers, eventTimers[0]!);
    while (processingTimers.length > 0) this.cancel('processing', processingTimers, processingTimers[0]!);
  }

  /** One timer per key and time is enough for all its panes. */
  private set(name: keyof typeof WINDOW_TIMERS, timers: Timestamp[], at: Timestamp): void {
    if (timers.includes(at)) return;
    timers.push(at);
    this.context.subtask.keyedTimers.set(name, at);
  }

  private cancel(name: keyof typeof WINDOW_TIMERS, timers: Timestamp[], at: Timestamp): void {
    if (takeTimer(timers, at) && !this.isAwaited(name, at)) this.context.subtask.keyedTimers.cancel(name, at);
  }
}

/** Takes a time out of a list. False if it was not in there. */
export function takeTimer(timers: Timestamp[], at: Timestamp): boolean {
  const place = timers.indexOf(at);
  if (place < 0) return false;
  timers[place] = timers[timers.length - 1]!;
  timers.length--;
  return true;
}
