import type { Timestamp } from '../timestamp.ts';
import { maxTimestamp, type TimeWindow } from '../window.ts';

/** The next tick of a continuous trigger, or `null` before the first element. */
export type Tick = Timestamp | null;

/** The tick after `from`: `every` ms later, or the window's last ms where that lies between. */
export function tickAfter(from: Timestamp, every: number, window: TimeWindow): Timestamp {
  const end = maxTimestamp(window);
  return end > from ? Math.min(from + every, end) : from + every;
}

/** Windows that merge keep the earliest of their ticks. */
export function earliestTick(ticks: readonly Tick[]): Tick {
  return ticks.reduce((least, tick) => (least === null || (tick !== null && tick < least) ? tick : least), null);
}
