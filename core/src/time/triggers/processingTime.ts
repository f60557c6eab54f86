import { defineTrigger, type Trigger } from '../trigger.ts';
import { maxTimestamp } from '../window.ts';

/**
 * Fires when the processing time reaches the window's last ms. The default of processing-time windows.
 *
 * @example
 * purging(processingTimeTrigger());
 */
export function processingTimeTrigger(): Trigger<unknown> {
  return defineTrigger({
    name: 'processingTime',
    domain: 'processingTime',
    onElement(_value, _timestamp, window, context) {
      context.setProcessingTimer(maxTimestamp(window));
      return 'continue';
    },
    onProcessingTime: () => 'fire',
    onMerge(window, context) {
      const end = maxTimestamp(window);
      if (end > context.now) context.setProcessingTimer(end);
      return 'continue';
    },
    clear: (window, context) => context.cancelProcessingTimer(maxTimestamp(window)),
  });
}
