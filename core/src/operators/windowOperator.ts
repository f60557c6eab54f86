import { isMillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import { ObjectColumn } from '../state/column.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { KeyedTable } from '../state/keyedTable.ts';
import type { EntrySink } from '../state/recordSink.ts';
import type { StoredState } from '../state/storedState.ts';
import type { WindowAssigner } from '../time/assigner.ts';
import type { WindowAddition } from '../time/mergingWindowSet.ts';
import { addSaturating, MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { Trigger, TriggerDefinition, TriggerResult } from '../time/trigger.ts';
import { maxTimestamp, type TimeWindow } from '../time/window.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { WindowContents } from './windowContents.ts';
import { type FiringCause, type ResultForm, WindowFirings } from './windowFirings.ts';
import { KeyWindows, type WindowPane } from './windowPane.ts';
import { takeTimer, WINDOW_TIMERS, WindowTriggerScope } from './windowTriggerScope.ts';

/** Windows of any kind. */
export interface GenericWindow<C> extends ResultForm {
  readonly assigner: WindowAssigner<never>;
  readonly trigger: Trigger<never>;
  /** How long after its end an event-time window still takes elements, in ms. */
  readonly lateness: number;
  readonly contents: (context: OperatorContext) => WindowContents<C>;
  /** The name of the side output for late elements, for each input. */
  readonly late: readonly string[];
  /** What the window function declares. */
  readonly state?: StateShape | undefined;
  readonly outputs?: readonly string[] | undefined;
}

/** Windows of any assigner, trigger, evictor and lateness: see {@link WindowOperator}. */
export function windowOperator<C>(window: GenericWindow<C>): OperatorDefinition {
  return {
    state: window.state,
    timers: WINDOW_TIMERS,
    outputs: [...window.late, ...(window.outputs ?? [])],
    create: (context) => new WindowOperator(context, window),
  };
}

/**
 * The window operator for everything. Each window of a key is a pane: its contents, its trigger's state, its timers. An element is given
 * to the panes of its windows that are not late; when a pane's trigger fires, its results go out; when its time is over, it goes.
 */
export class WindowOperator<C> implements Operator, StoredState {
  readonly name = '(windows)';
  readonly inputs: readonly ((value: never) => void)[];
  private readonly context: OperatorContext;
  private readonly assigner: WindowAssigner<unknown>;
  private readonly trigger: TriggerDefinition<unknown, unknown>;
  private readonly domain: WindowAssigner<never>['domain'];
  private readonly lateness: number;
  private readonly late: readonly string[];
  private readonly contents: WindowContents<C>;
  private readonly firings: WindowFirings<C>;
  private readonly scope: WindowTriggerScope;
  private readonly table: KeyedTable;
  private readonly column: ObjectColumn<KeyWindows<C>>;

  constructor(context: OperatorContext, window: GenericWindow<C>) {
    this.context = context;
    this.assigner = window.assigner as WindowAssigner<unknown>;
    this.trigger = window.trigger.definition as unknown as TriggerDefinition<unknown, unknown>;
    this.domain = window.assigner.domain;
    this.lateness = window.lateness;
    this.late = window.late;
    this.contents = window.contents(context);
    this.firings = new WindowFirings(context, this.domain, this.contents, window);
    this.scope = new WindowTriggerScope(context, (name, at) => this.isAwaited(name, at));
    this.table = context.subtask.backend.adopt(this);
    this.column = this.table.attach(new ObjectColumn<KeyWindows<C>>());
    this.inputs = window.late.map((_, input) => (value: unknown) => this.accept(value, input));
  }

  /**
   * A timer of the key is due: for every pane that waits for this time. A pane whose time is over goes; before that its trigger is asked
   * once more, even if it did not set the timer, where there are elements that no result has told of.
   */
  onTimer(): void {
    const { keyedTimers } = this.context.subtask;
    const cause = { name: keyedTimers.dueName as keyof typeof WINDOW_TIMERS, at: keyedTimers.dueTime };
    const windows = this.windowsOfKey();
    if (windows === undefined) return;
    this.table.touch(this.table.find());
    const { panes } = windows;
    for (const pane of panes.length === 1 ? [panes[0]!] : [...panes]) {
      const over = this.isCleanup(pane, cause.name, cause.at);
      const awaited = takeTimer(cause.name === 'event' ? pane.eventTimers : pane.processingTimers, cause.at);
      if (awaited || (over && pane.changed)) this.visit(windows, pane, cause, over);
      else if (over) this.expire(windows, pane);
    }
  }

  /** Batch mode: the key is over, and so are its windows. */
  onKeyEnd(): void {
    const windows = this.windowsOfKey();
    if (windows === undefined) return;
    while (windows.panes.length > 0) this.expire(windows, windows.panes[0]!);
  }

  writeEntries(slot: number, sink: EntrySink): void {
    for (const { name, contents, ...rest } of this.column.get(slot)?.panes ?? []) {
      const saved = contents === undefined ? undefined : { contents: this.contents.save(contents) };
      // Timers are copied: they change in place.
      const timers = { eventTimers: [...rest.eventTimers], processingTimers: [...rest.processingTimers] };
      sink.entry(this.name, [name.start, name.end], { ...rest, ...timers, saved }, undefined);
    }
  }

  restore({ userKey, value }: StateEntry): void {
    const { saved, ...rest } = value as Omit<WindowPane<C>, 'name' | 'contents'> & { readonly saved: { contents: unknown } | undefined };
    const [start, end] = userKey as readonly [Timestamp, Timestamp];
    const contents = saved === undefined ? undefined : this.contents.load(saved.contents);
    const slot = this.table.claim();
    const before = this.column.get(slot);
    if (before === undefined) this.table.retain(slot);
    this.column.set(slot, new KeyWindows(this.assigner.merging, [...(before?.panes ?? []), { ...rest, name: { start, end }, contents }]));
  }

  clear(): void {
    const windows = this.windowsOfKey();
    while (windows !== undefined && windows.panes.length > 0) this.remove(windows, windows.panes[0]!);
  }

  /** What a trigger set, and timers, stay: they belong to entries that will be back. */
  evict(): void {
    const slot = this.table.find();
    const windows = slot < 0 ? undefined : this.column.get(slot);
    if (windows === undefined) return;
    for (const pane of windows.panes) this.empty(pane);
    this.column.set(slot, undefined);
    this.table.release(slot);
  }

  private accept(value: unknown, input: number): void {
    const { context, assigner } = this;
    const { time } = context;
    // The clock is asked only where it decides: a call of it costs as much as the rest of a simple assigner.
    const windows = assigner.assign(value, time, this.domain === 'eventTime' ? time : context.now());
    let taken = false;
    for (let i = 0; i < windows.length; i++) if (this.addTo(windows[i]!, value, time, input)) taken = true;
    if (!taken) this.turnAway(value, time, input);
  }

  private addTo(window: TimeWindow, value: unknown, time: Timestamp, input: number): boolean {
    let merged: TriggerResult = 'continue';
    let pane: WindowPane<C> | undefined;
    const windows = this.claimKey();
    if (windows.sessions === undefined) pane = windows.find(window) ?? this.begin(windows, window);
    else {
      const addition = windows.sessions.add(window);
      if (addition.merged) merged = this.merge(windows, addition);
      pane = windows.find(addition.stateWindow) ?? this.begin(windows, window);
    }
    if (pane === undefined) return false;
    pane.contents = this.contents.add(pane.contents, value, time, input);
    pane.changed = true;
    const result = this.trigger.onElement(value, time, pane.window, this.scope.of(pane as WindowPane<never>));
    this.act(windows, pane, both(merged, result), 'element');
    this.firings.emit();
    return true;
  }

  /** Elements that no window took: late if all of their windows were, and by their own time; else they belong nowhere. */
  private turnAway(value: unknown, time: Timestamp, input: number): void {
    const { context } = this;
    this.releaseKey();
    if (this.domain === 'eventTime' && addSaturating(time, this.lateness) <= context.watermark)
      context.outputLate(this.late[input]!, value, time);
    else context.metrics.dropped++;
  }

  /** A new pane; `undefined` for a window that is late. */
  private begin(windows: KeyWindows<C>, window: TimeWindow): WindowPane<C> | undefined {
    const cleanup = this.cleanupOf(window);
    if (this.domain === 'eventTime' && cleanup <= this.context.watermark) {
      windows.sessions?.retire(window);
      return undefined;
    }
    const pane: WindowPane<C> = {
      name: window,
      window,
      cleanup,
      contents: undefined,
      trigger: this.trigger.initialState?.(),
      eventTimers: [],
      processingTimers: [],
      changed: false,
      index: 0,
      held: undefined,
    };
    windows.panes.push(pane);
    this.scheduleCleanup(pane);
    return pane;
  }

  /** Windows become one: the first of them goes on with what all of them hold. */
  private merge(windows: KeyWindows<C>, { window, stateWindow, sources }: WindowAddition): TriggerResult {
    const { trigger } = this;
    const panes = sources.map((source) => windows.holding(source)!);
    const states = panes.map((pane) => pane.trigger);
    for (const pane of panes) this.clearTimers(pane);
    const target = windows.find(stateWindow)!;
    for (const pane of panes) {
      if (pane === target) continue;
      target.contents = this.join(target.contents, pane.contents);
      target.index += pane.index;
      target.held = pane.held ?? target.held;
      windows.remove(pane);
    }
    target.window = window;
    target.cleanup = this.cleanupOf(window);
    target.trigger = trigger.mergeStates === undefined ? trigger.initialState?.() : trigger.mergeStates(states);
    this.scheduleCleanup(target);
    return trigger.onMerge?.(window, this.scope.of(target as WindowPane<never>)) ?? 'continue';
  }

  private join(first: C | undefined, second: C | undefined): C | undefined {
    if (first === undefined || second === undefined) return first ?? second;
    return this.contents.merge(first, second);
  }

  /** Results are passed on last, and what user code throws does not keep a window whose time is over. */
  private visit(windows: KeyWindows<C>, pane: WindowPane<C>, cause: Exclude<FiringCause, 'element'>, over: boolean): void {
    const { trigger, context } = this;
    const scope = this.scope.of(pane as WindowPane<never>);
    let failure: { readonly error: unknown } | undefined;
    try {
      const { name, at } = cause;
      const result = name === 'event' ? trigger.onEventTime?.(at, pane.window, scope) : trigger.onProcessingTime?.(at, pane.window, scope);
      this.act(windows, pane, result ?? 'continue', cause);
    } catch (error) {
      // What an operator further down threw, behind a side output, is not this one's to deal with.
      if (isMillraceError(error) && error.uid !== undefined) throw error;
      failure = { error };
    }
    if (over) this.expire(windows, pane);
    else this.firings.emit();
    if (failure !== undefined) context.reject(failure.error, { key: context.key, window: pane.window }, context.time);
  }

  /** Does what a trigger wants done. */
  private act(windows: KeyWindows<C>, pane: WindowPane<C>, result: TriggerResult, cause: FiringCause): void {
    if (result === 'continue') return;
    const purges = result !== 'fire';
    if (result !== 'purge') this.firings.fire(pane, cause, purges);
    if (!purges) return;
    this.empty(pane);
    this.forget(windows, pane);
  }

  private empty(pane: WindowPane<C>): void {
    if (pane.contents !== undefined) this.contents.release(pane.contents);
    pane.contents = undefined;
  }

  /** A window without an end is never over: it goes when there is nothing to remember of it, else every key would stay for ever. */
  private forget(windows: KeyWindows<C>, pane: WindowPane<C>): void {
    if (this.domain !== 'none' || pane.eventTimers.length + pane.processingTimers.length > 0) return;
    if (!Object.is(pane.trigger, this.trigger.initialState?.())) return;
    windows.sessions?.retire(pane.window);
    windows.remove(pane);
    this.releaseKey();
  }

  private expire(windows: KeyWindows<C>, pane: WindowPane<C>): void {
    this.firings.close(pane);
    this.remove(windows, pane);
    this.firings.emit();
  }

  private remove(windows: KeyWindows<C>, pane: WindowPane<C>): void {
    this.clearTimers(pane);
    this.empty(pane);
    windows.sessions?.retire(pane.window);
    windows.remove(pane);
    this.releaseKey();
  }

  private clearTimers(pane: WindowPane<C>): void {
    const scope = this.scope.of(pane as WindowPane<never>);
    this.trigger.clear?.(pane.window, scope);
    scope.cancelAll(pane as WindowPane<never>);
    const { cleanup } = pane;
    pane.cleanup = Infinity;
    if (this.domain !== 'none' && cleanup < MAX_TIMESTAMP && !this.isAwaited(this.cleanupTimer, cleanup))
      this.context.subtask.keyedTimers.cancel(this.cleanupTimer, cleanup);
  }

  private cleanupOf(window: TimeWindow): Timestamp {
    if (this.domain === 'none') return Infinity;
    return this.domain === 'eventTime' ? addSaturating(maxTimestamp(window), this.lateness) : maxTimestamp(window);
  }

  /** At the end of time nothing needs to be cleaned up any more. */
  private scheduleCleanup({ cleanup }: WindowPane<C>): void {
    if (cleanup < MAX_TIMESTAMP) this.context.subtask.keyedTimers.set(this.cleanupTimer, cleanup);
  }

  private get cleanupTimer(): keyof typeof WINDOW_TIMERS {
    return this.domain === 'processingTime' ? 'processing' : 'event';
  }

  private isCleanup(pane: WindowPane<C>, name: keyof typeof WINDOW_TIMERS, at: Timestamp): boolean {
    return pane.cleanup === at && name === this.cleanupTimer;
  }

  /** Whether a pane of the current key waits for a time. */
  private isAwaited(name: keyof typeof WINDOW_TIMERS, at: Timestamp): boolean {
    const timers = name === 'event' ? 'eventTimers' : 'processingTimers';
    return this.windowsOfKey()?.panes.some((pane) => pane[timers].includes(at) || this.isCleanup(pane, name, at)) ?? false;
  }

  private windowsOfKey(): KeyWindows<C> | undefined {
    const slot = this.table.find();
    return slot < 0 ? undefined : this.column.get(slot);
  }

  private claimKey(): KeyWindows<C> {
    const slot = this.table.claim();
    let windows = this.column.get(slot);
    if (windows !== undefined) return windows;
    windows = new KeyWindows(this.assigner.merging);
    this.column.set(slot, windows);
    this.table.retain(slot);
    return windows;
  }

  /** A key without windows costs nothing. */
  private releaseKey(): void {
    const slot = this.table.find();
    if (slot < 0 || this.column.get(slot)?.panes.length !== 0) return;
    this.column.set(slot, undefined);
    this.table.release(slot);
  }
}

/** What two results of a trigger for one window come to. */
function both(first: TriggerResult, second: TriggerResult): TriggerResult {
  if (first === 'continue' || first === second) return second;
  if (second === 'continue') return first;
  return 'fireAndPurge';
}
