import { defineTrigger, type Trigger } from '../trigger.ts';
import { maxTimestamp } from '../window.ts';

/**
 * Fires when the watermark reaches the window's last ms, and at once for each element that comes later but is still allowed.
 * The default of event-time windows.
 *
 * @example
 * purging(eventTimeTrigger());
 */
export function eventTimeTrigger(): Trigger<unknown> {
  return EVENT_TIME;
}

/** One for all, by which the planner knows it. */
const EVENT_TIME = defineTrigger<unknown>({
  name: 'eventTime',
  domain: 'eventTime',
  onElement(_value, _timestamp, window, context) {
    const end = maxTimestamp(window);
    if (end <= context.watermark) return 'fire';
    context.setEventTimer(end);
    return 'continue';
  },
  onEventTime: (at, window) => (at === maxTimestamp(window) ? 'fire' : 'continue'),
  onMerge(window, context) {
    const end = maxTimestamp(window);
    // A merged window that has ended already fires with the element that merged it, not with a timer in the past.
    if (end > context.watermark) context.setEventTimer(end);
    return 'continue';
  },
  clear: (window, context) => context.cancelEventTimer(maxTimestamp(window)),
});
