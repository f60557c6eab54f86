import { MillraceError } from '../errors/millraceError.ts';
import { type Duration, toMilliseconds } from './duration.ts';

/** The clock that decides which window an element belongs to: its own timestamp, or the time at which it is processed. */
export type WindowDomain = 'eventTime' | 'processingTime';

/**
 * A window's length in ms.
 *
 * @throws MillraceError `window/invalid` for zero and less, `duration/invalid` for what is no {@link Duration}.
 */
export function windowLength(duration: Duration, what: string): number {
  const length = toMilliseconds(duration, what);
  if (length <= 0) throw invalidWindow(what, `${length} ms is not positive`, 'Give it a length of at least 1 ms.');
  return length;
}

/**
 * By how many ms windows are shifted. A shift of a whole period or more changes nothing and is taken for a mistake.
 *
 * @throws MillraceError `window/invalid` unless it is smaller than `period` ms in both directions.
 */
export function windowOffset(offset: Duration | undefined, period: number, what: string): number {
  if (offset === undefined) return 0;
  const shift = toMilliseconds(offset, what);
  if (Math.abs(shift) >= period)
    throw invalidWindow(what, `${shift} ms is not within ±${period} ms`, 'Shift windows by less than their distance.');
  return shift;
}

/** A positive whole number of elements. */
export function windowCount(count: number, what: string): number {
  if (!Number.isSafeInteger(count) || count <= 0) {
    throw invalidWindow(what, `${String(count)} is no number of elements`, 'Give it a whole number of at least 1.');
  }
  return count;
}

/** `tumbling 1m`, and `tumbling 1m (processing time)`. */
export function windowName(what: string, domain: WindowDomain): string {
  return domain === 'eventTime' ? what : `${what} (processing time)`;
}

/** The error of a window, trigger or evictor that cannot be. */
export function invalidWindow(what: string, problem: string, remedy: string): MillraceError {
  return new MillraceError('window/invalid', `${what}: ${problem}.`, { remedy });
}
