import { defineTrigger, type Trigger } from '../trigger.ts';

/**
 * Never fires. The default of `globalWindow`.
 *
 * @example
 * never();
 */
export function never(): Trigger<unknown> {
  return defineTrigger({ name: 'never', domain: 'none', onElement: () => 'continue', onMerge: () => 'continue' });
}
