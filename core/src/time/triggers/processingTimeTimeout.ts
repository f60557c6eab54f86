import { type Duration, formatDuration } from '../duration.ts';
import type { Timestamp } from '../timestamp.ts';
import { defineTrigger, type Trigger, type TriggerContext, type TriggerDefinition, type TriggerResult } from '../trigger.ts';
import type { TimeWindow } from '../window.ts';
import { windowLength } from '../windowOptions.ts';

/** Options of {@link processingTimeTimeout}. */
export interface ProcessingTimeTimeoutOptions {
  /** How long after its first element a window fires at the latest. */
  readonly after: Duration;
  /** Count from the last element instead: the window fires when nothing came for `after`. Default false. */
  readonly resetOnElement?: boolean;
  /** Whether a timeout also resets the state and the timers of the inner trigger. Default true. */
  readonly clearOnTimeout?: boolean;
}

interface TimeoutState {
  readonly timeout: Timestamp | null;
  readonly inner: unknown;
}

/** Shows the inner trigger its own part of the state. One object per trigger, so that elements allocate none. */
class InnerContext implements TriggerContext<unknown> {
  private outer: TriggerContext<TimeoutState> | undefined;

  of(outer: TriggerContext<TimeoutState>): this {
    this.outer = outer;
    return this;
  }
  private get context(): TriggerContext<TimeoutState> {
    if (this.outer === undefined) throw new TypeError('The context is used outside a call of its trigger.');
    return this.outer;
  }
  get watermark(): Timestamp {
    return this.context.watermark;
  }
  get now(): Timestamp {
    return this.context.now;
  }
  get state(): unknown {
    return this.context.state.inner;
  }
  set state(inner: unknown) {
    this.context.state = { timeout: this.context.state.timeout, inner };
  }
  setEventTimer(at: Timestamp): void {
    this.context.setEventTimer(at);
  }
  cancelEventTimer(at: Timestamp): void {
    this.context.cancelEventTimer(at);
  }
  setProcessingTimer(at: Timestamp): void {
    this.context.setProcessingTimer(at);
  }
  cancelProcessingTimer(at: Timestamp): void {
    this.context.cancelProcessingTimer(at);
  }
}

/**
 * Fires when `of` fires, but no later than a while after the window's first (or last) element, by the clock. A timer of `of`
 * fires as well, whatever `of` makes of it. Not for session windows.
 *
 * @throws MillraceError `window/invalid` unless `after` is positive.
 *
 * @example
 * processingTimeTimeout(purging(countTrigger(100)), { after: { seconds: 5 } });
 */
export function processingTimeTimeout<T>(of: Trigger<T>, options: ProcessingTimeTimeoutOptions): Trigger<T> {
  const inner = of.definition as unknown as TriggerDefinition<T, unknown>;
  const { resetOnElement = false, clearOnTimeout = true } = options;
  const after = windowLength(options.after, 'processingTimeTimeout after');
  const innerContext = new InnerContext();
  const initialState = (): TimeoutState => ({ timeout: null, inner: inner.initialState?.() });

  function clear(window: TimeWindow, context: TriggerContext<TimeoutState>): void {
    const { timeout } = context.state;
    if (timeout !== null) context.cancelProcessingTimer(timeout);
    inner.clear?.(window, innerContext.of(context));
    context.state = initialState();
  }

  function fireOnTimer(result: TriggerResult, window: TimeWindow, context: TriggerContext<TimeoutState>): TriggerResult {
    if (clearOnTimeout) clear(window, context);
    return result === 'purge' || result === 'fireAndPurge' ? 'fireAndPurge' : 'fire';
  }

  return defineTrigger<T, TimeoutState>({
    name: `${inner.name} or after ${formatDuration(after)}`,
    domain: inner.domain === 'eventTime' ? 'eventTime' : 'processingTime',
    initialState,
    onElement(value, timestamp, window, context) {
      const result = inner.onElement(value, timestamp, window, innerContext.of(context));
      if (result === 'fire' || result === 'fireAndPurge') {
        clear(window, context);
        return result;
      }
      const { timeout, inner: state } = context.state;
      if (timeout !== null && !resetOnElement) return result;
      if (timeout !== null) context.cancelProcessingTimer(timeout);
      const next = context.now + after;
      context.setProcessingTimer(next);
      context.state = { timeout: next, inner: state };
      return result;
    },
    onEventTime: (at, window, context) =>
      fireOnTimer(inner.onEventTime?.(at, window, innerContext.of(context)) ?? 'continue', window, context),
    onProcessingTime: (at, window, context) =>
      fireOnTimer(inner.onProcessingTime?.(at, window, innerContext.of(context)) ?? 'continue', window, context),
    clear,
  });
}
