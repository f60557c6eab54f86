import { type DataStream, valueState } from '@millrace/core';
import { parseSyslogLine, timeOf } from './syslog.ts';

/** Somebody tried to log in. */
export interface Attempt {
  /** In ms; classic syslog lines have whole seconds. */
  readonly at: number;
  readonly address: string;
  /** Can be empty: attackers send what they like. */
  readonly user: string;
  readonly succeeded: boolean;
  /** For how many attempts the line stands. */
  readonly times: number;
}

const SSHD = /^sshd(-session)?(\[\d+\])?$/;
const REPEATED = /^message repeated (\d+) times: \[ (.*?) ?\]$/;
// Greedy, and to the end of the line: a user name that looks like an address cannot stand in for the real one.
const ATTEMPT = /^(Failed password|Accepted \S+) for (?:invalid user )?(.*) from (\S+) port \d+(?: ssh2?)?(?:: .*)?$/;

/** What sshd says of an attempt: a failed password, or a success of any kind. `undefined` for everything else that it says. */
export function parseAttempt(message: string): Omit<Attempt, 'at'> | undefined {
  const repeated = REPEATED.exec(message);
  const found = ATTEMPT.exec(repeated?.[2] ?? message);
  if (found === null) return undefined;
  const [, outcome, user, address] = found as unknown as [string, string, string, string];
  return { address, user, succeeded: outcome.startsWith('Accepted'), times: Number(repeated?.[1] ?? 1) };
}

/**
 * The attempts among the lines of one log, in the order of the lines. A line's year follows from the line before, which is why there is
 * state, and one key for the whole log. `year` is that of its first line; without it, the latest that is not in the future.
 */
export const attempts = (lines: DataStream<string>, year: number | undefined) =>
  lines
    .keyBy(() => 'log')
    .process({
      uid: 'attempts',
      onError: 'deadLetter',
      state: { latest: valueState<number>() },
      onElement(line, { state, now }) {
        const parsed = parseSyslogLine(line);
        if (parsed === undefined) return [];
        const { stamp, program, message } = parsed;
        const latest = state.latest.value();
        const at = latest === undefined ? timeOfFirst(stamp, year, now()) : timeOf(stamp, { near: latest });
        if (at !== undefined) state.latest.update(at);
        const attempt = SSHD.test(program) ? parseAttempt(message) : undefined;
        if (attempt === undefined) return [];
        if (at === undefined) throw new Error(`A line of sshd's has no time that can be read: "${stamp}".`);
        return [{ at, ...attempt }];
      },
    })
    .withTime({ timestamp: ({ at }) => at, outOfOrder: { seconds: 10 } }, { uid: 'attempt-time' });

const DAY = 86_400_000;

function timeOfFirst(stamp: string, year: number | undefined, now: number): number | undefined {
  if (year !== undefined) return timeOf(stamp, { year });
  const current = new Date(now).getUTCFullYear();
  const at = timeOf(stamp, { year: current });
  return at !== undefined && at > now + DAY ? timeOf(stamp, { year: current - 1 }) : at;
}
