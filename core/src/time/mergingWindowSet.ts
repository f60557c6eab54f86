import type { TimeWindow } from './window.ts';

/** Where a window's state is kept. */
export interface WindowPlace {
  readonly window: TimeWindow;
  /** The window whose name its state bears: the first of those that merged into it, so that most merges move no state. */
  readonly stateWindow: TimeWindow;
}

/** What adding a window to a {@link MergingWindowSet} did. */
export interface WindowAddition extends WindowPlace {
  /** Whether `window` is another one than any that was there before. A window that is just new has not merged. */
  readonly merged: boolean;
  /** The windows that were there and are now part of `window`: their timers and trigger states go over to it. */
  readonly sources: readonly TimeWindow[];
  /** The windows whose state has to be joined to that of `stateWindow`. */
  readonly stateSources: readonly TimeWindow[];
}

const NONE: readonly TimeWindow[] = [];

/**
 * The session windows of one key. They neither overlap nor touch; what is added to them merges. Each keeps the state of the
 * first window in it, under that window's name.
 *
 * @example
 * const sessions = new MergingWindowSet();
 * sessions.add({ start: 0, end: 4 });
 * sessions.add({ start: 3, end: 5 }).stateWindow; // { start: 0, end: 4 }
 */
export class MergingWindowSet {
  /** By start. What is stored is what `add` answers for a window that lies inside: the usual case allocates nothing. */
  private readonly windows: WindowAddition[];

  /** `places` are those of {@link places}, from a snapshot. */
  constructor(places: readonly WindowPlace[] = []) {
    this.windows = places.map(({ window, stateWindow }) => place(window, stateWindow)).sort((a, b) => a.window.start - b.window.start);
  }

  /** How many windows there are. */
  get size(): number {
    return this.windows.length;
  }

  /** The windows and the names of their state, by start: all there is to snapshot. */
  places(): readonly WindowPlace[] {
    return this.windows.map(({ window, stateWindow }) => ({ window, stateWindow }));
  }

  /** Adds a window, merging it with those that it overlaps or touches. */
  add(added: TimeWindow): WindowAddition {
    const places = this.windows;
    let from = 0;
    while (from < places.length && (places[from] as WindowAddition).window.end < added.start) from++;
    let to = from;
    while (to < places.length && (places[to] as WindowAddition).window.start <= added.end) to++;
    const first = places[from];
    if (to === from || first === undefined) {
      const fresh = place(added, added);
      places.splice(from, 0, fresh);
      return fresh;
    }
    if (to === from + 1 && first.window.start <= added.start && first.window.end >= added.end) return first;
    return this.merge(added, from, to);
  }

  private merge(added: TimeWindow, from: number, to: number): WindowAddition {
    const absorbed = this.windows.slice(from, to);
    const sources = absorbed.map((each) => each.window);
    const [stateWindow, ...stateSources] = absorbed.map((each) => each.stateWindow) as [TimeWindow, ...TimeWindow[]];
    const window = {
      start: Math.min(added.start, (sources[0] as TimeWindow).start),
      end: Math.max(added.end, (sources.at(-1) as TimeWindow).end),
    };
    this.windows.splice(from, to - from, place(window, stateWindow));
    return { window, stateWindow, merged: true, sources, stateSources };
  }

  /** The name under which a window's state is kept; `undefined` for a window that is not, or no longer, one of the set. */
  stateWindow(window: TimeWindow): TimeWindow | undefined {
    return this.windows[this.find(window)]?.stateWindow;
  }

  /** Takes a window out. False when it is not one of the set. */
  retire(window: TimeWindow): boolean {
    const index = this.find(window);
    if (index >= 0) this.windows.splice(index, 1);
    return index >= 0;
  }

  private find({ start, end }: TimeWindow): number {
    return this.windows.findIndex((each) => each.window.start === start && each.window.end === end);
  }
}

function place(window: TimeWindow, stateWindow: TimeWindow): WindowAddition {
  return { window, stateWindow, merged: false, sources: NONE, stateSources: NONE };
}
