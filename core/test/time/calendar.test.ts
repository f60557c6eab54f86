import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendar, type CalendarUnit } from '../../src/time/calendar.ts';
import { NO_TIMESTAMP } from '../../src/time/timestamp.ts';
import { errorCode } from './errorCode.ts';

const HOUR = 3_600_000;

function assigned(unit: CalendarUnit, timeZone: string, at: string): [string, string] {
  const [window] = calendar(unit, { timeZone }).assign(undefined, Date.parse(at), NaN);
  return [new Date(window!.start).toISOString(), new Date(window!.end).toISOString()];
}

describe('calendar', () => {
  test.each([
    ['day', 'UTC', '2024-02-29T12:00:00Z', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['day', 'Europe/Berlin', '2024-03-31T12:00:00Z', '2024-03-30T23:00:00.000Z', '2024-03-31T22:00:00.000Z'],
    ['day', 'Europe/Berlin', '2024-10-27T12:00:00Z', '2024-10-26T22:00:00.000Z', '2024-10-27T23:00:00.000Z'],
    ['day', '+05:30', '2024-01-01T00:00:00Z', '2023-12-31T18:30:00.000Z', '2024-01-01T18:30:00.000Z'],
    // Midnight does not exist: the day starts at 01:00.
    ['day', 'America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
    // Midnight comes twice: the day starts with the first.
    ['day', 'America/Havana', '2024-11-03T12:00:00Z', '2024-11-03T04:00:00.000Z', '2024-11-04T05:00:00.000Z'],
    ['week', 'Europe/Berlin', '2024-03-31T12:00:00Z', '2024-03-24T23:00:00.000Z', '2024-03-31T22:00:00.000Z'],
    ['month', 'America/New_York', '2024-02-10T00:00:00Z', '2024-02-01T05:00:00.000Z', '2024-03-01T05:00:00.000Z'],
    ['quarter', 'Europe/Berlin', '2024-05-05T00:00:00Z', '2024-03-31T22:00:00.000Z', '2024-06-30T22:00:00.000Z'],
    ['year', 'Asia/Tokyo', '2023-12-31T16:00:00Z', '2023-12-31T15:00:00.000Z', '2024-12-31T15:00:00.000Z'],
    ['year', 'UTC', '1969-12-31T23:59:59Z', '1969-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
  ] as const)('%s in %s of %s', (unit, zone, at, start, end) => {
    expect(assigned(unit, zone, at)).toEqual([start, end]);
  });

  test('days in which the clocks change have 23 and 25 hours', () => {
    const days = calendar('day', { timeZone: 'Europe/Berlin' });
    const hours = (at: string) => {
      const [{ start, end }] = days.assign(undefined, Date.parse(at), NaN) as [{ start: number; end: number }];
      return (end - start) / HOUR;
    };
    expect(['2024-03-30T12:00Z', '2024-03-31T12:00Z', '2024-10-27T12:00Z'].map(hours)).toEqual([24, 23, 25]);
  });

  test('weeks start on the day that is asked for', () => {
    const start = (weekStartsOn: 0 | 1 | 6) => {
      const weeks = calendar('week', { timeZone: 'UTC', weekStartsOn });
      return new Date(weeks.assign(undefined, Date.parse('2024-05-15T12:00Z'), NaN)[0]!.start).toISOString().slice(0, 10);
    };
    expect([start(0), start(1), start(6)]).toEqual(['2024-05-12', '2024-05-13', '2024-05-11']);
  });

  test('by processing time asks the clock', () => {
    const days = calendar('day', { timeZone: 'UTC', domain: 'processingTime' });
    expect(days.assign(undefined, NO_TIMESTAMP, 25 * HOUR)).toEqual([{ start: 24 * HOUR, end: 48 * HOUR }]);
    expect(days.name).toBe('calendar day UTC (processing time)');
  });

  test('refuses what no calendar knows', () => {
    expect(errorCode(() => calendar('fortnight' as CalendarUnit, { timeZone: 'UTC' }))).toBe('window/invalid');
    expect(errorCode(() => calendar('toString' as CalendarUnit, { timeZone: 'UTC' }))).toBe('window/invalid');
    expect(errorCode(() => calendar('day', { timeZone: 'Europe/Atlantis' }))).toBe('window/invalid');
    expect(errorCode(() => calendar('day', {} as { timeZone: string }))).toBe('window/invalid');
    expect(errorCode(() => calendar('week', { timeZone: 'UTC', weekStartsOn: 7 as 6 }))).toBe('window/invalid');
    const days = calendar('day', { timeZone: 'UTC' });
    expect(errorCode(() => days.assign(undefined, NO_TIMESTAMP, 0))).toBe('timestamp/invalid');
    expect(errorCode(() => days.assign(undefined, 8.64e15 + 1, 0))).toBe('timestamp/invalid');
  });

  // Zones that change at midnight, by half an hour, by a whole day, and not at all.
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/Sao_Paulo',
    'America/Havana',
    'Africa/Cairo',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Asia/Kathmandu',
  ];
  const units = ['day', 'week', 'month', 'quarter', 'year'] as const;

  test('windows hold their element and follow each other without a gap', () => {
    const at = fc.integer({ min: Date.parse('1995-01-01'), max: Date.parse('2030-01-01') });
    fc.assert(
      fc.property(fc.constantFrom(...units), fc.constantFrom(...zones), at, (unit, timeZone, at) => {
        const windows = calendar(unit, { timeZone });
        const [window] = windows.assign(undefined, at, NaN) as [{ start: number; end: number }];
        expect(window.start <= at && at < window.end).toBe(true);
        const fresh = (time: number) => calendar(unit, { timeZone }).assign(undefined, time, NaN)[0];
        expect(fresh(window.start)).toEqual(window);
        expect(fresh(window.end - 1)).toEqual(window);
        expect(fresh(window.end)!.start).toBe(window.end);
      }),
      { numRuns: 500 },
    );
  });

  test.each(zones)('no hour of ten years in %s is lost or in two days', (timeZone) => {
    const days = calendar('day', { timeZone });
    let last = { start: NaN, end: NaN };
    for (let at = Date.parse('2010-01-01'); at < Date.parse('2020-01-01'); at += HOUR / 2) {
      const window = days.assign(undefined, at, NaN)[0]!;
      if (window.start !== last.start) {
        if (!Number.isNaN(last.end)) expect(window.start).toBe(last.end);
        last = window;
      }
      if (!(window.start <= at && at < window.end)) expect(window).toBe(`a window that holds ${at}`);
    }
  });
});
