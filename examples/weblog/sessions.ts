import { count, type DataStream, session, sum } from '@millrace/core';
import type { Request } from './accessLog.ts';

/** The visit of an address: requests without a pause of 30 minutes. */
export interface Session {
  readonly type: 'session';
  readonly address: string;
  /** Its first and its last request, in ISO 8601. */
  readonly start: string;
  readonly end: string;
  readonly requests: number;
  readonly bytes: number;
}

const GAP = { minutes: 30 };

/** Sessions, when they have ended. */
export const sessions = (requests: DataStream<Request>) =>
  requests
    .keyBy(({ address }) => address)
    .window(session(GAP))
    .aggregate({ requests: count(), bytes: sum(({ bytes }) => bytes) }, { uid: 'sessions' })
    .map(({ key, window, value }): Session => {
      // A session's window reaches to the end of the pause after it.
      const last = window.end - GAP.minutes * 60_000;
      return { type: 'session', address: key, start: isoTime(window.start), end: isoTime(last), ...value };
    });

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
