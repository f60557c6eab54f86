import { defineTrigger, type Trigger } from '../trigger.ts';
import { windowCount } from '../windowOptions.ts';

/**
 * Fires with every `n`th element of the window and counts anew. Windows that merge add up their counts, and fire with the next
 * element at the earliest.
 *
 * @throws MillraceError `window/invalid` unless `n` is whole and positive.
 *
 * @example
 * purging(countTrigger(100));
 */
export function countTrigger(n: number): Trigger<unknown> {
  const limit = windowCount(n, 'countTrigger');
  return defineTrigger<unknown, number>({
    name: `count ${limit}`,
    domain: 'none',
    initialState: () => 0,
    onElement(_value, _timestamp, _window, context) {
      const count = context.state + 1;
      context.state = count >= limit ? 0 : count;
      return count >= limit ? 'fire' : 'continue';
    },
    mergeStates: (counts) => counts.reduce((sum, count) => sum + count, 0),
    onMerge: () => 'continue',
  });
}
