import { alignedWindows } from './alignedWindows.ts';
import type { WindowAssigner } from './assigner.ts';
import { type Duration, formatDuration } from './duration.ts';
import { type WindowDomain, windowLength, windowOffset } from './windowOptions.ts';

/** Options of {@link sliding}. */
export interface SlidingOptions {
  /** The distance from one window's start to the next one's. */
  readonly every: Duration;
  /** Shifts all windows, by less than `every`, forwards or (negative) backwards. Default: a window starts at the epoch, UTC. */
  readonly offset?: Duration;
  /** Default `eventTime`. */
  readonly domain?: WindowDomain;
}

/**
 * Windows of one size that start at regular distances. With `every` shorter than the size they overlap and an element is in
 * several; with `every` longer there are gaps, and an element in a gap is in none (it is counted as such).
 *
 * @throws MillraceError `window/invalid` for a length that is not positive or an offset of a whole distance or more.
 *
 * @example
 * sliding({ hours: 1 }, { every: { minutes: 5 } });
 */
export function sliding(size: Duration, options: SlidingOptions): WindowAssigner<unknown> {
  const length = windowLength(size, 'sliding size');
  const slide = windowLength(options.every, 'sliding every');
  return alignedWindows({
    name: `sliding ${formatDuration(length)} every ${formatDuration(slide)}`,
    size: length,
    slide,
    offset: windowOffset(options.offset, slide, 'sliding offset'),
    domain: options.domain ?? 'eventTime',
  });
}
