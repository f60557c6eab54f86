import { type Duration, formatDuration } from '../duration.ts';
import { defineTrigger, type Trigger } from '../trigger.ts';
import { windowStart } from '../window.ts';
import { windowLength } from '../windowOptions.ts';
import { earliestTick, type Tick, tickAfter } from './tick.ts';

/**
 * Fires each time the clock passes a multiple of `every`, from the window's first element on, and at the end of a
 * processing-time window. On an event-time window it fires for as long as the window is kept, its end not being the clock's.
 *
 * @throws MillraceError `window/invalid` unless `every` is positive.
 *
 * @example
 * continuousProcessingTime({ seconds: 10 });
 */
export function continuousProcessingTime(every: Duration): Trigger<unknown> {
  const interval = windowLength(every, 'continuousProcessingTime');
  return defineTrigger<unknown, Tick>({
    name: `continuousProcessingTime ${formatDuration(interval)}`,
    domain: 'processingTime',
    initialState: () => null,
    onElement(_value, _timestamp, window, context) {
      if (context.state === null) {
        context.state = tickAfter(windowStart(context.now, interval), interval, window);
        context.setProcessingTimer(context.state);
      }
      return 'continue';
    },
    onProcessingTime(at, window, context) {
      if (at !== context.state) return 'continue';
      context.state = tickAfter(at, interval, window);
      context.setProcessingTimer(context.state);
      return 'fire';
    },
    mergeStates: earliestTick,
    onMerge(_window, context) {
      if (context.state !== null) context.setProcessingTimer(context.state);
      return 'continue';
    },
    clear(_window, context) {
      if (context.state !== null) context.cancelProcessingTimer(context.state);
    },
  });
}
