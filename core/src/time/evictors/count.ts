import type { Evictor } from '../evictor.ts';
import { windowCount } from '../windowOptions.ts';
import type { EvictorOptions } from './options.ts';

/**
 * Keeps the last `n` elements to arrive.
 *
 * @throws MillraceError `window/invalid` unless `n` is whole and positive.
 *
 * @example
 * countEvictor(10);
 */
export function countEvictor(n: number, options: EvictorOptions = {}): Evictor<unknown> {
  const limit = windowCount(n, 'countEvictor');
  return {
    name: `last ${limit}`,
    when: options.when ?? 'before',
    keep: (elements) => (elements.length > limit ? elements.slice(-limit) : elements),
  };
}
