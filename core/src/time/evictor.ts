import type { Timestamp } from './timestamp.ts';
import type { TimeWindow } from './window.ts';

/** An element as a window buffers it; `timestamp` is `NO_TIMESTAMP` where the stream has none. */
export interface WindowElement<out T> {
  readonly value: T;
  readonly timestamp: Timestamp;
}

/** Removes elements from a window's buffer when it fires: `before` the window function sees them, or `after` it. */
export interface Evictor<in T> {
  readonly name: string;
  readonly when: 'before' | 'after';
  /** The elements that stay, in the order of arrival. */
  keep<E extends WindowElement<T>>(elements: readonly E[], window: TimeWindow): readonly E[];
}
