import type { WindowAssigner } from './assigner.ts';
import { countEvictor } from './evictors/count.ts';
import { globalWindow } from './global.ts';
import { countTrigger } from './triggers/count.ts';
import { purging } from './triggers/purging.ts';
import { windowCount } from './windowOptions.ts';

/** Options of {@link countWindow}. */
export interface CountWindowOptions {
  /** Emit the last `size` elements after each `every`. Default: windows of `size` elements one after the other. */
  readonly every?: number;
}

/**
 * Windows of a number of elements per key. The elements that do not fill a last window give no result.
 *
 * @throws MillraceError `window/invalid` for numbers that are not whole and positive.
 *
 * @example
 * countWindow(100);
 * countWindow(100, { every: 10 });
 */
export function countWindow(size: number, options: CountWindowOptions = {}): WindowAssigner<unknown> {
  const count = windowCount(size, 'countWindow size');
  if (options.every === undefined) return { ...globalWindow(), name: `count ${count}`, trigger: purging(countTrigger(count)) };
  const every = windowCount(options.every, 'countWindow every');
  return { ...globalWindow(), name: `count ${count} every ${every}`, trigger: countTrigger(every), evictor: countEvictor(count) };
}
