import { alignedWindows } from './alignedWindows.ts';
import type { WindowAssigner } from './assigner.ts';
import { type Duration, formatDuration } from './duration.ts';
import { type WindowDomain, windowLength, windowOffset } from './windowOptions.ts';

/** Options of {@link tumbling}. */
export interface TumblingOptions {
  /** Shifts all windows, by less than their size, forwards or (negative) backwards. Default: windows start at the epoch, UTC. */
  readonly offset?: Duration;
  /** Default `eventTime`. */
  readonly domain?: WindowDomain;
}

/**
 * Windows of one size, one after the other: every element is in exactly one. For days and months of a time zone see `calendar`.
 *
 * @throws MillraceError `window/invalid` for a size that is not positive or an offset of a whole size or more.
 *
 * @example
 * tumbling({ minutes: 10 });
 * tumbling({ days: 1 }, { offset: { hours: -8 } });
 */
export function tumbling(size: Duration, options: TumblingOptions = {}): WindowAssigner<unknown> {
  const length = windowLength(size, 'tumbling size');
  return alignedWindows({
    name: `tumbling ${formatDuration(length)}`,
    size: length,
    slide: length,
    offset: windowOffset(options.offset, length, 'tumbling offset'),
    domain: options.domain ?? 'eventTime',
  });
}
