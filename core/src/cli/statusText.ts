import type { CheckpointReport } from '../checkpoint/checkpointHistory.ts';
import { describeCount } from '../errors/describe.ts';
import type { JobReport } from '../node/controlProtocol.ts';
import type { OperatorReport } from '../runtime/metrics.ts';
import { textTable } from '../runtime/textTable.ts';
import { formatTimestamp, MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { readMetrics } from './jobReading.ts';
import { bytesText, elapsedText } from './progressText.ts';

/** How many checkpoints are listed. */
const LISTED = 5;

/** What `millrace status` shows. */
export function statusText(report: JobReport, now: Timestamp): string {
  const { job, status, process, startedAt, attempts, checkpoints, progress, metrics } = report;
  const { watermark } = readMetrics(metrics);
  const facts: (readonly [string, string])[] = [
    ['status', progress === null ? status : `${status}, ${Math.floor(progress.fraction * 100)}% of its input`],
    ['process', String(process)],
    ['up', `${elapsedText(now - startedAt)}${attempts > 1 ? `, ${describeCount(attempts - 1)} restart${attempts > 2 ? 's' : ''}` : ''}`],
    ['watermark', watermark === null ? 'none' : `${formatTimestamp(watermark)}${lagText(now - watermark)}`],
    ...(checkpoints === null ? [] : checkpointFacts(checkpoints, now)),
  ];
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = facts.map(([name, fact]) => `  ${name.padEnd(width)}${fact}`);
  return `${job}\n${lines.join('\n')}\n\n${operatorTable(metrics.operators)}\n`;
}

function lagText(lag: number): string {
  return lag >= 0 && lag < 24 * 3_600_000 ? ` (${elapsedText(lag)} behind)` : '';
}

function checkpointFacts(
  { location, epoch, restored, completed, failed, underWay, recent, lastFailure }: CheckpointReport,
  now: Timestamp,
): (readonly [string, string])[] {
  const counts = [
    `${describeCount(completed)} complete`,
    `${describeCount(failed)} failed`,
    ...(underWay > 0 ? [`${underWay} under way`] : []),
  ];
  return [
    ['location', location],
    ['epoch', String(epoch)],
    ...(restored === undefined ? [] : [['restored', `from checkpoint ${restored}`] as const]),
    ['checkpoints', counts.join(', ')],
    ...recent.slice(0, LISTED).map(({ checkpoint, kind, startedAt, took, size, written }) => {
      const shared = written < size ? `, ${bytesText(written)} of it new` : '';
      return [
        `  ${kind === 'savepoint' ? 'savepoint ' : ''}${checkpoint}`,
        `${elapsedText(Math.max(0, now - startedAt - took))} ago, ${elapsedText(took)}, ${bytesText(size)}${shared}`,
      ] as const;
    }),
    ...(lastFailure === undefined
      ? []
      : [
          [
            'last failure',
            `checkpoint ${lastFailure.checkpoint}, ${elapsedText(Math.max(0, now - lastFailure.at))} ago: ${lastFailure.reason}`,
          ] as const,
        ]),
  ];
}

const HEADER = ['operator', 'kind', 'subtasks', 'in', 'out', 'late', 'rejected', 'dropped', 'busy', 'blocked', 'watermark'];
const NUMERIC: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9]);

function operatorTable(reports: readonly OperatorReport[]): string {
  const uids = [...new Set(reports.map(({ uid }) => uid))];
  const rows = uids.map((uid) => {
    const subtasks = reports.filter((report) => report.uid === uid);
    const sum = (read: (report: OperatorReport) => number): string =>
      describeCount(subtasks.reduce((total, report) => total + read(report), 0));
    const time = (read: (report: OperatorReport) => number): string =>
      elapsedText(subtasks.reduce((total, report) => total + read(report), 0));
    return [
      uid,
      subtasks[0]!.kind,
      String(subtasks.length),
      sum(({ recordsIn }) => recordsIn),
      sum(({ recordsOut }) => recordsOut),
      sum(({ late }) => late),
      sum(({ rejected }) => rejected),
      sum(({ dropped }) => dropped),
      time(({ busyTime }) => busyTime),
      time(({ blockedTime }) => blockedTime),
      watermarkOf(subtasks),
    ];
  });
  return textTable(HEADER, rows, NUMERIC);
}

function watermarkOf(subtasks: readonly OperatorReport[]): string {
  const watermarks = subtasks.map(({ watermark }) => watermark);
  if (watermarks.includes(null)) return '-';
  const least = Math.min(...(watermarks as Timestamp[]));
  return least === MAX_TIMESTAMP ? 'end' : formatTimestamp(least);
}
