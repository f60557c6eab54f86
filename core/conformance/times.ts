import { type Duration, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../src/index.ts';

/** How far from the end of time numbers are still shown by their distance to it. */
const NEAR = 1_000_000_000;

/** A time as tables write it: ms, or `MAX` and `MIN` with an amount beside them. */
export function timeOf(written: unknown): Timestamp {
  if (typeof written === 'number') return written;
  const parts = typeof written === 'string' ? /^(MAX|MIN)(?:([+-])(\d+))?$/.exec(written) : null;
  if (parts === null) throw new Error(`${JSON.stringify(written)} is no time.`);
  const [, end, sign, amount = '0'] = parts;
  return (end === 'MAX' ? MAX_TIMESTAMP : MIN_TIMESTAMP) + (sign === '-' ? -1 : 1) * Number(amount);
}

/** The time of an element, which may have none. */
export function elementTimeOf(written: unknown): Timestamp | undefined {
  return written === null ? undefined : timeOf(written);
}

/** A time as tables write it. */
export function writeTime(at: Timestamp | undefined): number | string | null {
  if (at === undefined || at === -Infinity) return null;
  if (at > MAX_TIMESTAMP - NEAR) return at === MAX_TIMESTAMP ? 'MAX' : `MAX-${MAX_TIMESTAMP - at}`;
  if (at < MIN_TIMESTAMP + NEAR) return at === MIN_TIMESTAMP ? 'MIN' : `MIN+${at - MIN_TIMESTAMP}`;
  return at;
}

/** Times in one way of writing them, which tables leave open: a number near the end of time is written by its distance to it. */
export function sameTime(written: unknown): number | string | null {
  return writeTime(elementTimeOf(written));
}

export function ms(milliseconds: unknown): Duration {
  return { milliseconds: timeOf(milliseconds) };
}
