import { TZDate } from '@date-fns/tz';
// Each from its own file: the package's root would load three hundred of them.
import { addDays } from 'date-fns/addDays';
import { addMonths } from 'date-fns/addMonths';
import { addQuarters } from 'date-fns/addQuarters';
import { addWeeks } from 'date-fns/addWeeks';
import { addYears } from 'date-fns/addYears';
import { startOfDay } from 'date-fns/startOfDay';
import { startOfMonth } from 'date-fns/startOfMonth';
import { startOfQuarter } from 'date-fns/startOfQuarter';
import { startOfWeek } from 'date-fns/startOfWeek';
import { startOfYear } from 'date-fns/startOfYear';
import { MillraceError } from '../errors/millraceError.ts';
import type { WindowAssigner } from './assigner.ts';
import { checkElementTime } from './elementTime.ts';
import type { Timestamp } from './timestamp.ts';
import { eventTimeTrigger } from './triggers/eventTime.ts';
import { processingTimeTrigger } from './triggers/processingTime.ts';
import type { TimeWindow } from './window.ts';
import { invalidWindow, type WindowDomain, windowName } from './windowOptions.ts';

/** The lengths of time that a calendar knows. */
export type CalendarUnit = 'day' | 'week' | 'month' | 'quarter' | 'year';

/** 0 is Sunday. */
export type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Options of {@link calendar}. */
export interface CalendarOptions {
  /** An IANA name such as `Europe/Berlin`, `UTC`, or a fixed offset such as `+05:30`. */
  readonly timeZone: string;
  /** The first day of a week. Default 1, Monday, as in ISO 8601. */
  readonly weekStartsOn?: Weekday;
  /** Default `eventTime`. */
  readonly domain?: WindowDomain;
}

interface Unit {
  readonly start: (date: TZDate, weekStartsOn: Weekday) => TZDate;
  readonly next: (date: TZDate, amount: number) => TZDate;
}

const UNITS: Readonly<Record<CalendarUnit, Unit>> = {
  day: { start: (date) => startOfDay(date), next: addDays },
  week: { start: (date, weekStartsOn) => startOfWeek(date, { weekStartsOn }), next: addWeeks },
  month: { start: (date) => startOfMonth(date), next: addMonths },
  quarter: { start: (date) => startOfQuarter(date), next: addQuarters },
  year: { start: (date) => startOfYear(date), next: addYears },
};

/**
 * Days, weeks, months, quarters or years as people of a time zone count them: a day in which the clocks are changed has 23 or 25
 * hours. Times must be within the range of `Date`.
 *
 * @throws MillraceError `window/invalid` for an unknown unit or time zone; `timestamp/invalid` for an element outside the range.
 *
 * @example
 * calendar('month', { timeZone: 'Europe/Berlin' });
 */
export function calendar(unit: CalendarUnit, options: CalendarOptions): WindowAssigner<unknown> {
  const { timeZone, weekStartsOn = 1, domain = 'eventTime' } = options;
  if (!Object.hasOwn(UNITS, unit)) throw invalidWindow('calendar', `"${String(unit)}" is no unit`, `Use ${Object.keys(UNITS).join(', ')}.`);
  if (timeZone === undefined || Number.isNaN(new TZDate(0, timeZone).getTime())) {
    throw invalidWindow('calendar', `"${String(timeZone)}" is no time zone`, 'Write it as Europe/Berlin, UTC or +05:30.');
  }
  if (!Number.isInteger(weekStartsOn) || weekStartsOn < 0 || weekStartsOn > 6) {
    throw invalidWindow('calendar', `weekStartsOn is ${String(weekStartsOn)}`, 'Give a day from 0 (Sunday) to 6.');
  }
  const { start, next } = UNITS[unit];
  const name = `calendar ${unit} ${timeZone}`;
  const byEventTime = domain === 'eventTime';
  let last: TimeWindow = { start: 0, end: 0 };
  let windows: readonly TimeWindow[] = [];

  function find(at: Timestamp): readonly TimeWindow[] {
    if (byEventTime) checkElementTime(at, name);
    const first = start(new TZDate(at, timeZone), weekStartsOn);
    // Where midnight is skipped a day starts at 01:00, and a day later is 01:00 again: hence the second `start`.
    const end = start(next(first, 1), weekStartsOn);
    last = { start: first.getTime(), end: end.getTime() };
    if (Number.isNaN(last.start) || Number.isNaN(last.end)) throw outside(at, name);
    windows = [last];
    return windows;
  }

  return {
    name: windowName(name, domain),
    domain,
    merging: false,
    trigger: byEventTime ? eventTimeTrigger() : processingTimeTrigger(),
    assign(_value, timestamp, now) {
      const at = byEventTime ? timestamp : now;
      return at >= last.start && at < last.end ? windows : find(at);
    },
  };
}

function outside(at: Timestamp, name: string): MillraceError {
  return new MillraceError('timestamp/invalid', `${name}: ${at} ms is outside the range of Date.`, {
    remedy: 'Check the unit of the timestamps: they are milliseconds since the epoch.',
  });
}
