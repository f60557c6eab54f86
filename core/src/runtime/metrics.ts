import { type Timestamp } from '../time/timestamp.ts';

/** What one subtask of an operator has done so far. */
export interface OperatorReport {
  readonly uid: string;
  readonly name: string;
  readonly kind: string;
  readonly subtask: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Elements that came after their time. */
  readonly late: number;
  /** Elements refused by a schema or lost to an error. */
  readonly rejected: number;
  /** The same by the code of what was wrong with them. */
  readonly rejectedBy: Readonly<Record<string, number>>;
  /** Elements that the operator let go by its own rule. */
  readonly dropped: number;
  /** The event-time clock, in ms; `null` before the first watermark. */
  readonly watermark: Timestamp | null;
  /** How far the watermark is behind the clock, in ms; `null` before the first watermark and after the end. */
  readonly lag: number | null;
  /** Time that the task of the operator spent working, and unable to for lack of credit, in ms. Operators of one chain share a task. */
  readonly busyTime: number;
  readonly blockedTime: number;
  /** The user's own counters. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What a job has done so far. */
export interface JobMetrics {
  readonly job: string;
  /** Processing time of the reading, in ms. */
  readonly at: Timestamp;
  readonly operators: readonly OperatorReport[];
}

/** Name, kind and help text of every series. */
const SERIES = [
  ['records_in_total', 'counter', 'Elements received.', (o) => o.recordsIn],
  ['records_out_total', 'counter', 'Elements emitted.', (o) => o.recordsOut],
  ['bytes_in_total', 'counter', 'Bytes read.', (o) => o.bytesIn],
  ['bytes_out_total', 'counter', 'Bytes written.', (o) => o.bytesOut],
  ['late_total', 'counter', 'Elements that came after their time.', (o) => o.late],
  ['rejected_total', 'counter', 'Elements refused.', (o) => o.rejected],
  ['dropped_total', 'counter', 'Elements let go by rule.', (o) => o.dropped],
  ['watermark_ms', 'gauge', 'The event-time clock, ms since the epoch.', (o) => o.watermark],
  ['watermark_lag_ms', 'gauge', 'How far the watermark is behind the clock.', (o) => o.lag],
  ['busy_seconds_total', 'counter', 'Time spent working.', (o) => o.busyTime / 1000],
  ['blocked_seconds_total', 'counter', 'Time without credit.', (o) => o.blockedTime / 1000],
] as const satisfies readonly (readonly [string, string, string, (report: OperatorReport) => number | null])[];

/**
 * The metrics in Prometheus' text format 0.0.4, to be served under `/metrics` with
 * `content-type: text/plain; version=0.0.4`.
 *
 * @example
 * env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
 * const job = await env.start('demo');
 * await job.finished;
 * const [line] = prometheusText(job.metrics()).match(/^millrace_records_in_total.*"output".*$/m)!;
 * console.log(line); // millrace_records_in_total{job="demo",uid="output",kind="sink",subtask="0"} 3
 */
export function prometheusText(metrics: JobMetrics): string {
  const lines: string[] = [];
  for (const [name, kind, help, read] of SERIES) {
    lines.push(`# HELP millrace_${name} ${help}`, `# TYPE millrace_${name} ${kind}`);
    for (const report of metrics.operators) {
      const value = read(report);
      if (value !== null) lines.push(`millrace_${name}${labels(metrics, report)} ${value}`);
    }
  }
  lines.push('# HELP millrace_user_total Counters of the job.', '# TYPE millrace_user_total counter');
  for (const report of metrics.operators) {
    for (const [counter, value] of Object.entries(report.counters))
      lines.push(`millrace_user_total${labels(metrics, report, { counter })} ${value}`);
  }
  return `${lines.join('\n')}\n`;
}

function labels(metrics: JobMetrics, report: OperatorReport, more: Readonly<Record<string, string>> = {}): string {
  const pairs = { job: metrics.job, uid: report.uid, kind: report.kind, subtask: String(report.subtask), ...more };
  const escaped = Object.entries(pairs).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `{${escaped.join(',')}}`;
}
