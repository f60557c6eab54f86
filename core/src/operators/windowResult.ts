import type { Pane, TimeWindow } from '../time/window.ts';

/** A result of a window: whose, of when, what, and which of the window's firings it is. */
export interface WindowResult<K, V> {
  /** `undefined` for the windows of `windowAll`, which have no key. */
  readonly key: K;
  readonly window: TimeWindow;
  readonly value: V;
  readonly pane: Pane;
}

/** The pane of nearly every result: the window's end has come, and nothing can come after it. */
export const LAST_WORD: Pane = Object.freeze({ timing: 'onTime', index: 0, final: true });
