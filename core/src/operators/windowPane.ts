import type { Timestamp } from '../time/timestamp.ts';
import type { TimeWindow } from '../time/window.ts';
import { MergingWindowSet } from '../time/mergingWindowSet.ts';

/** Results that batch mode holds back: if the window does not fire again, they are its last. */
export interface HeldResults {
  readonly window: TimeWindow;
  readonly values: readonly unknown[];
}

/** A window of a key, and all that is known of it. `C` is what holds its elements. */
export interface WindowPane<C> {
  /** The name of its state: the first of the windows that merged into it. */
  readonly name: TimeWindow;
  window: TimeWindow;
  /** When it goes: its end and the allowed lateness. +Infinity for a window that has no end. */
  cleanup: Timestamp;
  /** `undefined` while it holds no element, as after a purge. */
  contents: C | undefined;
  trigger: unknown;
  /** The timers that its trigger has set. */
  eventTimers: Timestamp[];
  processingTimers: Timestamp[];
  /** Whether it has taken elements since it fired last. */
  changed: boolean;
  /** How often it has fired. */
  index: number;
  held: HeldResults | undefined;
}

/** The windows of one key. */
export class KeyWindows<C> {
  readonly panes: WindowPane<C>[] = [];
  /** For windows that merge. */
  readonly sessions: MergingWindowSet | undefined;
  /** Where the last pane was found: an element's windows are looked for in the order in which they were made. */
  private hint = 0;

  constructor(merging: boolean, panes: readonly WindowPane<C>[] = []) {
    this.panes.push(...panes);
    this.sessions = merging ? new MergingWindowSet(panes.map(({ name, window }) => ({ window, stateWindow: name }))) : undefined;
  }

  /** The pane of a name. */
  find({ start, end }: TimeWindow): WindowPane<C> | undefined {
    const { panes } = this;
    const count = panes.length;
    for (let i = 0, at = this.hint; i < count; i++, at++) {
      if (at >= count) at = 0;
      const { name } = panes[at]!;
      if (name.start !== start || name.end !== end) continue;
      this.hint = at + 1;
      return panes[at];
    }
    return undefined;
  }

  /** The pane of a window, whatever its name. */
  holding(window: TimeWindow): WindowPane<C> | undefined {
    return this.panes.find((pane) => pane.window.start === window.start && pane.window.end === window.end);
  }

  remove(pane: WindowPane<C>): void {
    this.panes.splice(this.panes.indexOf(pane), 1);
  }
}
