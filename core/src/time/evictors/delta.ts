import type { Evictor } from '../evictor.ts';
import { invalidWindow } from '../windowOptions.ts';
import type { EvictorOptions } from './options.ts';

/** Options of {@link deltaEvictor}. */
export interface DeltaEvictorOptions<in T> extends EvictorOptions {
  /** Elements at this distance or further go. */
  readonly threshold: number;
  /** How far `to`, the last element, is from `from`, an element of the window. */
  readonly delta: (from: T, to: T) => number;
}

/**
 * Keeps the elements that are nearer than `threshold` to the last one to arrive.
 *
 * @throws MillraceError `window/invalid` for a threshold that is no number.
 *
 * @example
 * deltaEvictor({ threshold: 10, delta: (from: { km: number }, to) => to.km - from.km });
 */
export function deltaEvictor<T>({ threshold, delta, when = 'before' }: DeltaEvictorOptions<T>): Evictor<T> {
  if (typeof threshold !== 'number' || Number.isNaN(threshold)) {
    throw invalidWindow('deltaEvictor threshold', `${String(threshold)} is no number`, 'Give it a number.');
  }
  return {
    name: `within ${threshold}`,
    when,
    keep(elements) {
      const last = elements.at(-1);
      if (last === undefined) return elements;
      return elements.filter((element) => !(delta(element.value, last.value) >= threshold));
    },
  };
}
