import { type Duration, formatDuration } from '../duration.ts';
import { checkElementTime } from '../elementTime.ts';
import { defineTrigger, type Trigger } from '../trigger.ts';
import { maxTimestamp, windowStart } from '../window.ts';
import { windowLength } from '../windowOptions.ts';
import { earliestTick, type Tick, tickAfter } from './tick.ts';

/**
 * Fires each time the watermark passes a multiple of `every`, from the window's first element on, and at the window's end:
 * early results of a long window. An element that is late but allowed fires at once.
 *
 * @throws MillraceError `window/invalid` unless `every` is positive; `timestamp/invalid` for an element without a timestamp.
 *
 * @example
 * continuousEventTime({ minutes: 1 });
 */
export function continuousEventTime(every: Duration): Trigger<unknown> {
  const interval = windowLength(every, 'continuousEventTime');
  return defineTrigger<unknown, Tick>({
    name: `continuousEventTime ${formatDuration(interval)}`,
    domain: 'eventTime',
    initialState: () => null,
    onElement(_value, timestamp, window, context) {
      const end = maxTimestamp(window);
      if (end <= context.watermark) return 'fire';
      context.setEventTimer(end);
      if (context.state === null) {
        checkElementTime(timestamp, 'continuousEventTime');
        context.state = tickAfter(windowStart(timestamp, interval), interval, window);
        context.setEventTimer(context.state);
      }
      return 'continue';
    },
    onEventTime(at, window, context) {
      if (at === maxTimestamp(window)) return 'fire';
      if (at !== context.state) return 'continue';
      context.state = tickAfter(at, interval, window);
      context.setEventTimer(context.state);
      return 'fire';
    },
    mergeStates: earliestTick,
    onMerge(window, context) {
      const end = maxTimestamp(window);
      if (end > context.watermark) context.setEventTimer(end);
      if (context.state !== null) context.setEventTimer(context.state);
      return 'continue';
    },
    clear(window, context) {
      context.cancelEventTimer(maxTimestamp(window));
      if (context.state !== null) context.cancelEventTimer(context.state);
    },
  });
}
