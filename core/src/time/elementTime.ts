import { MillraceError } from '../errors/millraceError.ts';
import { isTimestamp, type Timestamp } from './timestamp.ts';

/**
 * Refuses an element that an event-time window or join cannot place.
 *
 * @throws MillraceError `timestamp/invalid`
 */
export function checkElementTime(at: Timestamp, place: string): void {
  if (isTimestamp(at)) return;
  const problem = at === -Infinity ? 'has no timestamp' : `has the timestamp ${String(at)}, which is no integer in ms`;
  throw new MillraceError('timestamp/invalid', `${place}: an element ${problem}.`, {
    remedy: 'Give the source an event time. Windows can also follow the processing time.',
  });
}
