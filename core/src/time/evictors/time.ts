import { type Duration, formatDuration } from '../duration.ts';
import type { Evictor } from '../evictor.ts';
import { NO_TIMESTAMP } from '../timestamp.ts';
import { windowLength } from '../windowOptions.ts';
import type { EvictorOptions } from './options.ts';

/**
 * Keeps what is less than `size` older than the newest element. An element exactly `size` older goes; one without a timestamp
 * stays.
 *
 * @throws MillraceError `window/invalid` unless `size` is positive.
 *
 * @example
 * timeEvictor({ minutes: 5 });
 */
export function timeEvictor(size: Duration, options: EvictorOptions = {}): Evictor<unknown> {
  const length = windowLength(size, 'timeEvictor');
  return {
    name: `last ${formatDuration(length)}`,
    when: options.when ?? 'before',
    keep(elements) {
      let newest = NO_TIMESTAMP;
      for (const { timestamp } of elements) if (timestamp > newest) newest = timestamp;
      const cutoff = newest - length;
      return elements.filter(({ timestamp }) => timestamp > cutoff || timestamp === NO_TIMESTAMP);
    },
  };
}
