import { defineSink, type Sink } from '@millrace/core';
import type { Session } from './sessions.ts';
import type { StatusCount } from './statusCounts.ts';

/** How many of the longest sessions are shown. */
const SHOWN = 10;

/** At the end, two tables: statuses by hour, and the sessions with the most requests. */
export function report(): Sink<Session | StatusCount> {
  return defineSink<Session | StatusCount>({
    name: 'report',
    open: () => {
      const sessions: Session[] = [];
      const counts: StatusCount[] = [];
      return {
        write(results) {
          for (const result of results) {
            if (result.type === 'session') sessions.push(result);
            else counts.push(result);
          }
        },
        prepare: async () => [],
        commit: async () => undefined,
        async close(failure) {
          if (failure === undefined) console.log(`${hoursText(counts)}\n\n${sessionsText(sessions)}`);
        },
      };
    },
  });
}

function hoursText(counts: readonly StatusCount[]): string {
  const statuses = [...new Set(counts.map(({ status }) => status))].toSorted((a, b) => a - b);
  const hours = new Map<string, Map<number, number>>();
  for (const { hour, status, requests } of counts) hours.set(hour, (hours.get(hour) ?? new Map<number, number>()).set(status, requests));
  const rows = [...hours]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([hour, requests]) => [minuteText(hour), ...statuses.map((status) => String(requests.get(status) ?? ''))]);
  return table([['hour (UTC)', ...statuses.map(String)], ...rows]);
}

function sessionsText(sessions: readonly Session[]): string {
  const requests = sessions.reduce((total, one) => total + one.requests, 0);
  const mean = sessions.length === 0 ? 0 : requests / sessions.length;
  const title = `${sessions.length} sessions of ${mean.toFixed(1)} requests on average. The longest:`;
  const longest = sessions.toSorted((a, b) => b.requests - a.requests || (a.start < b.start ? -1 : 1)).slice(0, SHOWN);
  const rows = longest.map((one) => [one.address, minuteText(one.start), minuteText(one.end), String(one.requests), String(one.bytes)]);
  return `${title}\n\n${table([['address', 'from', 'to', 'requests', 'bytes'], ...rows])}`;
}

function minuteText(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** Rows in columns: the first one left-aligned, the others right-aligned. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
