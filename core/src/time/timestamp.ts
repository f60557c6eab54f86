/** Milliseconds since the epoch, UTC: an integer between {@link MIN_TIMESTAMP} and {@link MAX_TIMESTAMP}. */
export type Timestamp = number;

/** Before every event: the watermark of a stream that has said nothing yet. */
export const MIN_TIMESTAMP: Timestamp = Number.MIN_SAFE_INTEGER;
/** After every event: the watermark of a stream that has ended. */
export const MAX_TIMESTAMP: Timestamp = Number.MAX_SAFE_INTEGER;
/** The timestamp of an element that has none. It compares as smaller than every timestamp and equals itself. */
export const NO_TIMESTAMP: Timestamp = -Infinity;

/** `a + b` that stops at the sentinels, so that the end of a window at the end of time does not wrap around. */
export function addSaturating(a: Timestamp, b: number): Timestamp {
  const total = a + b;
  if (total > MAX_TIMESTAMP) return MAX_TIMESTAMP;
  return total < MIN_TIMESTAMP ? MIN_TIMESTAMP : total;
}

/** Whether `value` can be an event's timestamp: an integer within the sentinels. `NaN`, fractions and infinities are not. */
export function isTimestamp(value: unknown): value is Timestamp {
  return Number.isSafeInteger(value);
}

/** For people: ISO 8601 in UTC, or the sentinel's name. */
export function formatTimestamp(at: Timestamp): string {
  if (at === NO_TIMESTAMP) return 'no timestamp';
  if (at <= MIN_TIMESTAMP) return 'MIN';
  if (at >= MAX_TIMESTAMP) return 'MAX';
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? `${at} ms` : date.toISOString();
}
