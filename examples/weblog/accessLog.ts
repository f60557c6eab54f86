/** A request as a web server logs it. */
export interface Request {
  /** When it came, in ms. */
  readonly at: number;
  readonly address: string;
  readonly status: number;
  readonly bytes: number;
}

/** What stands before the referrer and the browser, which are not needed here; quotes inside of the request are escaped. */
const LINE = /^(\S+) \S+ .*? ?\[([^\]]+)\] "(?:[^"\\]|\\.)*" (\d{3}) (\d+|-)/;
const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{2})(\d{2})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A line in the common or combined log format. Throws for anything else. */
export function parseRequest(line: string): Request {
  const found = LINE.exec(line);
  if (found === null) throw new Error('This is no line of an access log.');
  const [, address, time, status, bytes] = found as unknown as [string, string, string, string, string];
  return { at: timeOf(time), address, status: Number(status), bytes: bytes === '-' ? 0 : Number(bytes) };
}

/** `17/May/2015:10:05:03 +0000` in ms. */
function timeOf(text: string): number {
  const found = TIME.exec(text);
  const [, day, month, year, time, hours, minutes] = found ?? [];
  const number = String(MONTHS.indexOf(month ?? '') + 1).padStart(2, '0');
  const at = Date.parse(`${year}-${number}-${day}T${time}${hours}:${minutes}`);
  if (Number.isNaN(at)) throw new Error(`No time that can be read: "${text}".`);
  return at;
}
