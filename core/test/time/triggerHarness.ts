import { expect } from 'vitest';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../../src/time/timestamp.ts';
import type { Trigger, TriggerContext, TriggerDefinition, TriggerResult } from '../../src/time/trigger.ts';
import type { TimeWindow } from '../../src/time/window.ts';

interface Kept {
  readonly window: TimeWindow;
  state: unknown;
  readonly eventTimers: Set<Timestamp>;
  readonly processingTimers: Set<Timestamp>;
}

export type Firing = readonly [window: readonly [start: Timestamp, end: Timestamp], result: TriggerResult];

/** Runs a trigger as a window operator does, for one key: a state and timers per window, and two clocks. */
export class TriggerHarness<T> {
  watermark: Timestamp = MIN_TIMESTAMP;
  now: Timestamp = MIN_TIMESTAMP;
  private readonly definition: TriggerDefinition<T, unknown>;
  private readonly windows = new Map<string, Kept>();

  constructor(trigger: Trigger<T>) {
    this.definition = trigger.definition as unknown as TriggerDefinition<T, unknown>;
  }

  element(window: TimeWindow, value: T = undefined as T, timestamp: Timestamp = window.start): TriggerResult {
    const kept = this.keep(window);
    return this.definition.onElement(value, timestamp, window, this.context(kept));
  }

  /** Moves the watermark and fires what is due, in the order of time. */
  advanceWatermark(to: Timestamp): Firing[] {
    this.watermark = to;
    return this.fire(to, 'eventTimers', (at, kept) => this.definition.onEventTime?.(at, kept.window, this.context(kept)));
  }

  advanceClock(to: Timestamp): Firing[] {
    this.now = to;
    return this.fire(to, 'processingTimers', (at, kept) => this.definition.onProcessingTime?.(at, kept.window, this.context(kept)));
  }

  /** A timer that the window does not wait for (any more). */
  strayTimer(window: TimeWindow, at: Timestamp): TriggerResult[] {
    const context = this.context(this.keep(window));
    const { definition } = this;
    return [definition.onEventTime?.(at, window, context) ?? 'continue', definition.onProcessingTime?.(at, window, context) ?? 'continue'];
  }

  merge(result: TimeWindow, sources: readonly TimeWindow[]): TriggerResult {
    const gone = sources.map((window) => this.keep(window));
    const states = gone.map((kept) => kept.state);
    for (const kept of gone) this.clear(kept.window);
    const target = this.keep(result);
    if (this.definition.mergeStates !== undefined) target.state = this.definition.mergeStates(states);
    return this.definition.onMerge?.(result, this.context(target)) ?? 'continue';
  }

  clear(window: TimeWindow): void {
    const kept = this.keep(window);
    this.definition.clear?.(window, this.context(kept));
    expect([...kept.eventTimers, ...kept.processingTimers], 'timers that clear left behind').toEqual([]);
    this.windows.delete(key(window));
  }

  state(window: TimeWindow): unknown {
    return this.keep(window).state;
  }

  eventTimers(window: TimeWindow): Timestamp[] {
    return [...this.keep(window).eventTimers].sort((a, b) => a - b);
  }

  processingTimers(window: TimeWindow): Timestamp[] {
    return [...this.keep(window).processingTimers].sort((a, b) => a - b);
  }

  /** The next call runs on what JSON keeps of the state: triggers may hold plain data only. */
  snapshotRestore(): void {
    for (const kept of this.windows.values()) {
      if (kept.state !== undefined) kept.state = JSON.parse(JSON.stringify(kept.state)) as unknown;
    }
  }

  private fire(
    to: Timestamp,
    timers: 'eventTimers' | 'processingTimers',
    call: (at: Timestamp, kept: Kept) => TriggerResult | undefined,
  ): Firing[] {
    const fired: Firing[] = [];
    for (;;) {
      let at = MAX_TIMESTAMP;
      let due: Kept | undefined;
      for (const kept of this.windows.values()) {
        for (const timer of kept[timers]) if (timer <= to && (due === undefined || timer < at)) [at, due] = [timer, kept];
      }
      if (due === undefined) return fired;
      due[timers].delete(at);
      const result = call(at, due) ?? 'continue';
      if (result !== 'continue') fired.push([[due.window.start, due.window.end], result]);
    }
  }

  private keep(window: TimeWindow): Kept {
    let kept = this.windows.get(key(window));
    if (kept === undefined) {
      kept = { window, state: this.definition.initialState?.(), eventTimers: new Set(), processingTimers: new Set() };
      this.windows.set(key(window), kept);
    }
    return kept;
  }

  private context(kept: Kept): TriggerContext<unknown> {
    const { watermark, now } = this;
    return {
      watermark,
      now,
      get state() {
        return kept.state;
      },
      set state(state) {
        kept.state = state;
      },
      setEventTimer: (at) => kept.eventTimers.add(at),
      cancelEventTimer: (at) => kept.eventTimers.delete(at),
      setProcessingTimer: (at) => kept.processingTimers.add(at),
      cancelProcessingTimer: (at) => kept.processingTimers.delete(at),
    };
  }
}

function key({ start, end }: TimeWindow): string {
  return `${start}..${end}`;
}
