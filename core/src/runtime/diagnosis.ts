import { describeCount } from '../errors/describe.ts';
import { DEAD_LETTER_UID } from '../graph/deadLetters.ts';
import { MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { JobMetrics, OperatorReport } from './metrics.ts';
import { textTable } from './textTable.ts';

/** What all subtasks of an operator have seen. */
interface OperatorTotals {
  readonly uid: string;
  readonly kind: string;
  readonly received: number;
  readonly sent: number;
  readonly late: number;
  readonly rejected: number;
  readonly dropped: number;
  readonly rejectedBy: ReadonlyMap<string, number>;
  /** Of the subtask that is furthest behind; `null` where one has had none. */
  readonly watermark: Timestamp | null;
}

/**
 * What each operator of a job took in and gave out, what was late, rejected and dropped, and where the flow ended: for a job that has
 * given no result, or not the ones that were expected.
 *
 * @example
 * env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).filter((n) => n > 9, { uid: 'large' }).sinkTo(discard(), { uid: 'output' });
 * const job = await env.start('alerts');
 * await job.finished;
 * console.log(describeJob(job.metrics()).split('\n')[2]); // large     filter   3    0     0         0        3  ← let nothing pass
 */
export function describeJob(metrics: JobMetrics): string {
  const header = ['operator', 'kind', 'in', 'out', 'late', 'rejected', 'dropped', ''];
  const rows = totalsOf(metrics).map((totals) => {
    const { uid, kind, received, sent, late, rejected, dropped } = totals;
    const note = remark(totals);
    return [uid, kind, ...[received, sent, late, rejected, dropped].map(describeCount), note === '' ? '' : `← ${note}`];
  });
  return textTable(header, rows, new Set([2, 3, 4, 5, 6]));
}

/** Whether a job has sinks and none of them was given anything. Dead letters are no output. */
export function hasNoOutput({ operators }: JobMetrics): boolean {
  const sinks = operators.filter(({ kind, uid }) => kind === 'sink' && uid !== DEAD_LETTER_UID);
  return sinks.length > 0 && sinks.every(({ recordsIn }) => recordsIn === 0);
}

function totalsOf({ operators }: JobMetrics): readonly OperatorTotals[] {
  const byUid = new Map<string, OperatorReport[]>();
  for (const report of operators) byUid.set(report.uid, [...(byUid.get(report.uid) ?? []), report]);
  return [...byUid].map(([uid, reports]) => {
    const sum = (read: (report: OperatorReport) => number): number => reports.reduce((total, report) => total + read(report), 0);
    const rejectedBy = new Map<string, number>();
    for (const report of reports)
      for (const [code, n] of Object.entries(report.rejectedBy)) rejectedBy.set(code, (rejectedBy.get(code) ?? 0) + n);
    const watermarks = reports.map(({ watermark }) => watermark);
    return {
      uid,
      kind: reports[0]!.kind,
      received: sum(({ recordsIn }) => recordsIn),
      sent: sum(({ recordsOut }) => recordsOut),
      late: sum(({ late }) => late),
      rejected: sum(({ rejected }) => rejected),
      dropped: sum(({ dropped }) => dropped),
      rejectedBy,
      watermark: watermarks.includes(null) ? null : Math.min(...(watermarks as Timestamp[])),
    };
  });
}

/** Why nothing came out of an operator, as far as its counts tell. */
function remark(totals: OperatorTotals): string {
  const { kind, received, sent } = totals;
  if (kind === 'sink' || sent > 0) return '';
  if (kind === 'source') return sourceRemark(totals);
  return received === 0 ? '' : (lost(totals) ?? waits(totals) ?? (/join/i.test(kind) ? 'no two elements met' : 'gave nothing out'));
}

function sourceRemark(totals: OperatorTotals): string {
  return totals.rejected === 0 ? 'read nothing: is it the right place?' : `refused everything: ${codes(totals)}`;
}

function lost(totals: OperatorTotals): string | undefined {
  const { kind, received, late, rejected, dropped } = totals;
  if (rejected >= received) return `refused everything: ${codes(totals)}`;
  if (late >= received) return 'everything was late: allow more disorder (outOfOrder) at the source, or allowedLateness here';
  if (kind === 'filter') return 'let nothing pass';
  return late + rejected + dropped >= received ? 'everything was late, rejected or dropped' : undefined;
}

/** Operators that keep elements until their time has come. */
const KEEPS = /window|join|group|over|process/i;

function waits({ kind, watermark }: OperatorTotals): string | undefined {
  if (!KEEPS.test(kind) || watermark === MAX_TIMESTAMP) return undefined;
  if (watermark === null) return 'no watermark has come: what it holds waits for time to pass';
  return 'what it holds waits for a later watermark: the job was stopped before (stop({ drain: true }) lets time go to its end)';
}

function codes({ rejectedBy }: OperatorTotals): string {
  return [...rejectedBy].map(([code, n]) => `${code} × ${describeCount(n)}`).join(', ') || 'see its side output';
}
