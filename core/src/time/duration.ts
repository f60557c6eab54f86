import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';

/**
 * A length of time in fixed units, as date-fns writes it plus `milliseconds`: `{ minutes: 5 }`, `{ seconds: 1, milliseconds: 500 }`.
 * Months and years have no fixed length and belong to `calendar` windows; a bare number is refused, since it does not say its unit.
 */
export interface Duration {
  readonly weeks?: number;
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
}

const UNITS: Readonly<Record<keyof Duration, number>> = {
  weeks: 604_800_000,
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1_000,
  milliseconds: 1,
};

/**
 * A duration in milliseconds, exact. `what` names the option in the error.
 *
 * @throws MillraceError `duration/invalid` for anything but an object of finite numbers in the units above, or a total that is no integer.
 * @example
 * console.log(toMilliseconds({ minutes: 1, seconds: 30 })); // 90000
 */
export function toMilliseconds(duration: Duration, what = 'duration'): number {
  if (typeof duration !== 'object' || duration === null) throw invalid(what, `${String(duration)} does not say its unit`);
  let total = 0;
  for (const [unit, amount] of Object.entries(duration) as [keyof Duration, unknown][]) {
    const factor = UNITS[unit];
    if (factor === undefined) throw invalid(what, `"${unit}" is no fixed unit of time`);
    if (amount === undefined) continue;
    if (typeof amount !== 'number' || !Number.isFinite(amount))
      throw invalid(what, `${unit} is ${typeof amount === 'number' ? amount : describeValue(amount)}, not a finite number`);
    total += amount * factor;
  }
  const rounded = Math.round(total);
  // 0.1 s is 100 ms although 0.1 has no exact binary form; half a millisecond is an error, not a rounding.
  if (Math.abs(total - rounded) > 1e-6 || !Number.isSafeInteger(rounded))
    throw invalid(what, `${total} ms is no whole number of milliseconds`);
  return rounded;
}

/** Like {@link toMilliseconds}, and refuses zero and less. */
export function toPositiveMilliseconds(duration: Duration, what = 'duration'): number {
  const total = toMilliseconds(duration, what);
  if (total <= 0) throw invalid(what, `${total} ms is not positive`);
  return total;
}

/** Like {@link toMilliseconds}, and refuses less than zero. */
export function toNonNegativeMilliseconds(duration: Duration, what = 'duration'): number {
  const total = toMilliseconds(duration, what);
  if (total < 0) throw invalid(what, `${total} ms is negative`);
  return total;
}

const SUFFIXES: Readonly<Record<string, keyof Duration>> = {
  ms: 'milliseconds',
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
  w: 'weeks',
};

/**
 * Reads the command line's form: `500ms`, `10s`, `5m`, `1h`, `7d`, and sums of them such as `1h30m`.
 *
 * @throws MillraceError `duration/invalid`
 * @example
 * console.log(parseDuration('1h30m')); // { hours: 1, minutes: 30 }
 */
export function parseDuration(text: string): Duration {
  const total: Partial<Record<keyof Duration, number>> = {};
  let rest = text.trim();
  while (rest !== '') {
    const part = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/.exec(rest);
    const unit = part === null ? undefined : SUFFIXES[part[2] ?? ''];
    if (part === null || unit === undefined)
      throw invalid(`"${text}"`, 'it is not read as a length of time', 'Write 500ms, 10s, 5m, 1h30m or 7d.');
    total[unit] = (total[unit] ?? 0) + Number(part[1]);
    rest = rest.slice(part[0].length);
  }
  if (Object.keys(total).length === 0) throw invalid('""', 'it is empty', 'Write 500ms, 10s, 5m, 1h30m or 7d.');
  toMilliseconds(total, `"${text}"`);
  return total;
}

/**
 * For people, and for the command line again: `5400000` is `1h30m`.
 *
 * @example
 * console.log(formatDuration(90_000)); // 1m30s
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0ms';
  let rest = Math.abs(milliseconds);
  let text = milliseconds < 0 ? '-' : '';
  for (const [suffix, unit] of [
    ['d', UNITS.days],
    ['h', UNITS.hours],
    ['m', UNITS.minutes],
    ['s', UNITS.seconds],
    ['ms', 1],
  ] as const) {
    const amount = Math.floor(rest / unit);
    if (amount === 0) continue;
    text += `${amount}${suffix}`;
    rest -= amount * unit;
  }
  return text;
}

function invalid(
  what: string,
  problem: string,
  remedy = 'Write it as { minutes: 5 } or { seconds: 1, milliseconds: 500 }.',
): MillraceError {
  return new MillraceError('duration/invalid', `${what}: ${problem}.`, { remedy });
}
