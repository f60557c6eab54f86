import type { Evictor } from './evictor.ts';
import type { Timestamp } from './timestamp.ts';
import type { Trigger } from './trigger.ts';
import type { TimeWindow } from './window.ts';

/** Windows of one size at regular distances: what lets panes be shared between them. All in ms. */
export interface Alignment {
  readonly size: number;
  readonly slide: number;
  readonly offset: number;
}

/** Which windows an element belongs to. Write one of your own as a plain object of this shape. */
export interface WindowAssigner<in T> {
  /** For `explain()`, such as `tumbling 1m`. */
  readonly name: string;
  /** The clock that decides: the element's timestamp, the processing time, or neither (`global`, `countWindow`). */
  readonly domain: 'eventTime' | 'processingTime' | 'none';
  /** Session-like windows: those that overlap or touch become one. */
  readonly merging: boolean;
  /** The windows of an element; none means that it belongs to no window and is counted as such. */
  assign(value: T, timestamp: Timestamp, now: Timestamp): readonly TimeWindow[];
  readonly trigger: Trigger<T>;
  readonly evictor?: Evictor<T>;
  readonly alignment?: Alignment;
}
