import { defineTrigger, type Trigger, type TriggerDefinition, type TriggerResult } from '../trigger.ts';

/**
 * Forgets a window's contents whenever `of` fires, so that each result covers only what came since the one before. The window
 * itself stays known: a session that was purged still merges with what comes.
 *
 * @example
 * purging(countTrigger(100));
 */
export function purging<T>(of: Trigger<T>): Trigger<T> {
  const inner = of.definition as unknown as TriggerDefinition<T, unknown>;
  return defineTrigger<T, unknown>({
    ...inner,
    name: `purging ${inner.name}`,
    onElement: (value, timestamp, window, context) => purge(inner.onElement(value, timestamp, window, context)),
    onEventTime: (at, window, context) => purge(inner.onEventTime?.(at, window, context)),
    onProcessingTime: (at, window, context) => purge(inner.onProcessingTime?.(at, window, context)),
    ...(inner.onMerge !== undefined && { onMerge: (window, context) => purge(inner.onMerge?.(window, context)) }),
  });
}

function purge(result: TriggerResult = 'continue'): TriggerResult {
  return result === 'fire' ? 'fireAndPurge' : result;
}
