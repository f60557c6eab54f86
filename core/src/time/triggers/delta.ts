import { defineTrigger, type Trigger } from '../trigger.ts';
import { invalidWindow } from '../windowOptions.ts';

/** Options of {@link deltaTrigger}. */
export interface DeltaTriggerOptions<in T> {
  /** Fire when the distance is larger than this. */
  readonly threshold: number;
  /** How far `to`, the new element, is from `from`, the one that fired last (at first: the window's first). */
  readonly delta: (from: T, to: T) => number;
}

/**
 * Fires when an element is further than `threshold` from the one that fired before. Not for session windows: which of two
 * elements fired last is lost when windows merge.
 *
 * @throws MillraceError `window/invalid` for a threshold that is no number.
 *
 * @example
 * deltaTrigger({ threshold: 10, delta: (from: { km: number }, to) => to.km - from.km });
 */
export function deltaTrigger<T>({ threshold, delta }: DeltaTriggerOptions<T>): Trigger<T> {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw invalidWindow('deltaTrigger threshold', `${String(threshold)} is no number`, 'Give it a number.');
  }
  return defineTrigger<T, { readonly element: T } | null>({
    name: `delta ${threshold}`,
    domain: 'none',
    initialState: () => null,
    onElement(value, _timestamp, _window, context) {
      const last = context.state;
      if (last !== null && !(delta(last.element, value) > threshold)) return 'continue';
      context.state = { element: value };
      return last === null ? 'continue' : 'fire';
    },
  });
}
