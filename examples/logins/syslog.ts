/** A line of syslog in its parts; the time is read separately, since it can need the line before. */
export interface SyslogLine {
  /** The time as it is written: `Mar 27 13:06:56`, or in ISO 8601 as newer systems have it. */
  readonly stamp: string;
  /** Who wrote it: `sshd[1291]`. */
  readonly program: string;
  readonly message: string;
}

/** Everything up to the first colon and space is time, host and program: what a program writes cannot pass for another one. */
export function parseSyslogLine(line: string): SyslogLine | undefined {
  const colon = line.indexOf(': ');
  if (colon < 0) return undefined;
  const words = line.slice(0, colon).split(/ +/);
  const program = words.pop()!;
  const stamp = words.slice(0, -1).join(' ');
  return { stamp, program, message: line.slice(colon + 2) };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const CLASSIC = /^([A-Z][a-z]{2}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2})$/;
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** The time that is nearest to this one is meant; before the first line, the one in this year. */
export type Reference = { readonly near: number } | { readonly year: number };

/**
 * The time of a stamp in ms, `undefined` if it is none. The classic form has no year (and no time zone: UTC is assumed): it is the
 * one that brings the line nearest to the line before, so that January follows December.
 */
export function timeOf(stamp: string, reference: Reference): number | undefined {
  if (ISO.test(stamp)) return wholeNumber(Math.floor(Date.parse(stamp)));
  const found = CLASSIC.exec(stamp);
  if (found === null) return undefined;
  const month = MONTHS.indexOf(found[1]!);
  const [day, hour, minute, second] = found.slice(2).map(Number) as [number, number, number, number];
  const inYear = (year: number): number | undefined => timeInYear(year, month, day, (hour * 60 + minute) * 60 + second);
  if (month < 0 || hour > 23 || minute > 59 || second > 60) return undefined;
  if ('year' in reference) return inYear(reference.year);
  const { near } = reference;
  const year = new Date(near).getUTCFullYear();
  const times = [year - 1, year, year + 1].map(inYear).filter((time) => time !== undefined);
  return times.toSorted((a, b) => Math.abs(a - near) - Math.abs(b - near))[0];
}

/** No such thing as the 30th of February. */
function timeInYear(year: number, month: number, day: number, second: number): number | undefined {
  const midnight = new Date(Date.UTC(year, month, day));
  return midnight.getUTCDate() === day ? midnight.getTime() + second * 1000 : undefined;
}

function wholeNumber(time: number): number | undefined {
  return Number.isNaN(time) ? undefined : time;
}
