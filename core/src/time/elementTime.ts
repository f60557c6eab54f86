import { MillraceError } from '../errors/millraceError.ts';
import { isTimestamp, type Timestamp } from './timestamp.ts';

/**
 * Refuses an element that an event-time window cannot place.
 *
 * @throws MillraceError `timestamp/invalid`
 */
export function checkElementTime(at: Timestamp, window: string): void {
  if (isTimestamp(at)) return;
  const problem = at === -Infinity ? 'has no timestamp' : `has the timestamp ${String(at)}, which is no integer in ms`;
  throw new MillraceError('timestamp/invalid', `${window}: an element ${problem}.`, {
    remedy: 'Give the source an event time, or let the window follow the processing time.',
  });
}
