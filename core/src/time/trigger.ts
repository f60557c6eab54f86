import type { Timestamp } from './timestamp.ts';
import type { TimeWindow } from './window.ts';

/** What a trigger wants done with its window: nothing, emit its result, forget its contents, or both in this order. */
export type TriggerResult = 'continue' | 'fire' | 'purge' | 'fireAndPurge';

/** What a trigger sees of its window: the clocks, its timers, and a state of its own per window. */
export interface TriggerContext<S> {
  /** The event-time clock: the watermark. */
  readonly watermark: Timestamp;
  /** The processing-time clock. */
  readonly now: Timestamp;
  /** This trigger's state for the window; starts as `initialState()`. Assign to change it. */
  state: S;
  setEventTimer(at: Timestamp): void;
  cancelEventTimer(at: Timestamp): void;
  setProcessingTimer(at: Timestamp): void;
  cancelProcessingTimer(at: Timestamp): void;
}

/**
 * When a window's result is emitted. Write one with {@link defineTrigger}. State must be plain data (it is snapshotted).
 * `S` is the state that a window keeps for the trigger, `undefined` for none.
 */
export interface TriggerDefinition<T, S> {
  readonly name: string;
  /** Which clock the trigger listens to; a job without timestamps refuses event-time triggers at build time. */
  readonly domain: 'eventTime' | 'processingTime' | 'none';
  readonly initialState?: () => S;
  onElement(value: T, timestamp: Timestamp, window: TimeWindow, context: TriggerContext<S>): TriggerResult;
  /** A timer of this window, set by this trigger, is due at `at`. */
  onEventTime?(at: Timestamp, window: TimeWindow, context: TriggerContext<S>): TriggerResult;
  onProcessingTime?(at: Timestamp, window: TimeWindow, context: TriggerContext<S>): TriggerResult;
  /** Needed for session windows: joins the states of windows that merge. Timers are set anew by `onMerge`. */
  mergeStates?(states: readonly S[]): S;
  onMerge?(window: TimeWindow, context: TriggerContext<S>): TriggerResult;
  /** The window is going: cancel the timers that were set for it. */
  clear?(window: TimeWindow, context: TriggerContext<S>): void;
}

declare const element: unique symbol;

/** A trigger whose state is hidden: only the engine looks inside. Made by {@link defineTrigger}. */
export interface Trigger<in T> {
  readonly [element]?: (value: T) => void;
  readonly definition: TriggerDefinition<never, unknown>;
}

/**
 * Whether windows that merge may use this trigger: it has `onMerge`, and `mergeStates` if it keeps a state.
 *
 * @example
 * canMerge(countTrigger(3)); // true
 */
export function canMerge(trigger: Trigger<never>): boolean {
  const { definition } = trigger;
  return definition.onMerge !== undefined && (definition.initialState === undefined || definition.mergeStates !== undefined);
}

/**
 * Makes a trigger of one's own.
 *
 * @example
 * const onAlarm = defineTrigger<{ alarm: boolean }>({
 *   name: 'onAlarm', domain: 'none', onElement: (value) => (value.alarm ? 'fire' : 'continue'),
 * });
 */
export function defineTrigger<T, S = undefined>(definition: TriggerDefinition<T, S>): Trigger<T> {
  return { definition: definition as unknown as TriggerDefinition<never, unknown> };
}
