import type { WindowAssigner } from './assigner.ts';
import { checkElementTime } from './elementTime.ts';
import { addSaturating, type Timestamp } from './timestamp.ts';
import { eventTimeTrigger } from './triggers/eventTime.ts';
import { processingTimeTrigger } from './triggers/processingTime.ts';
import { type TimeWindow, windowStart } from './window.ts';
import { type WindowDomain, windowName } from './windowOptions.ts';

/** What tumbling and sliding windows have in common. All in ms, checked by the caller. */
export interface AlignedWindows {
  readonly name: string;
  readonly size: number;
  readonly slide: number;
  readonly offset: number;
  readonly domain: WindowDomain;
}

/**
 * Windows of one size at regular distances. The windows of the last element are kept with the range of times that has the same
 * ones: elements come roughly in order, so nearly all of them are answered by two comparisons.
 */
export function alignedWindows({ name, size, slide, offset, domain }: AlignedWindows): WindowAssigner<unknown> {
  const byEventTime = domain === 'eventTime';
  let from: Timestamp = 0;
  let to: Timestamp = 0;
  let windows: readonly TimeWindow[] = [];

  function find(at: Timestamp): readonly TimeWindow[] {
    if (byEventTime) checkElementTime(at, name);
    const latest = windowStart(at, slide, offset);
    const count = Math.ceil((latest - at + size) / slide);
    const found: TimeWindow[] = [];
    for (let back = count - 1; back >= 0; back--) {
      const start = latest - back * slide;
      found.push({ start: addSaturating(start, 0), end: addSaturating(start, size) });
    }
    // The window before these ended too early. It bounds the range from below, the earliest window's end from above.
    const before = latest - count * slide;
    from = Math.max(latest, before + size);
    to = Math.min(latest + slide, before + slide + size);
    windows = found;
    return windows;
  }

  return {
    name: windowName(name, domain),
    domain,
    merging: false,
    trigger: byEventTime ? eventTimeTrigger() : processingTimeTrigger(),
    alignment: { size, slide, offset },
    assign(_value, timestamp, now) {
      const at = byEventTime ? timestamp : now;
      return at >= from && at < to ? windows : find(at);
    },
  };
}
