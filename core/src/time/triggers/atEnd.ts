import { MAX_TIMESTAMP } from '../timestamp.ts';
import { defineTrigger, type Trigger } from '../trigger.ts';

/**
 * Fires once, when the input has ended: what `globalWindow({ fireAtEnd: true })` uses. Needs no timestamps.
 *
 * @example
 * atEnd();
 */
export function atEnd(): Trigger<unknown> {
  return defineTrigger({
    name: 'atEnd',
    domain: 'none',
    onElement(_value, _timestamp, _window, context) {
      context.setEventTimer(MAX_TIMESTAMP);
      return 'continue';
    },
    onEventTime: (at) => (at === MAX_TIMESTAMP ? 'fire' : 'continue'),
    onMerge(_window, context) {
      context.setEventTimer(MAX_TIMESTAMP);
      return 'continue';
    },
    clear: (_window, context) => context.cancelEventTimer(MAX_TIMESTAMP),
  });
}
