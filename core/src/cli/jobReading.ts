import { DEAD_LETTER_UID } from '../graph/deadLetters.ts';
import type { JobMetrics, OperatorReport } from '../runtime/metrics.ts';
import { MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';

/** A job's metrics in a few numbers. */
export interface JobReading {
  /** Records that sources have given and that sinks have taken. */
  readonly received: number;
  readonly delivered: number;
  readonly late: number;
  readonly rejected: number;
  /** Of the rejected, those that went to the dead letters. */
  readonly deadLetters: number;
  /** How far time has come at the source that is furthest behind; `null` where there is no event time, and after the end. */
  readonly watermark: Timestamp | null;
}

export function readMetrics({ operators }: JobMetrics): JobReading {
  const isSink = ({ kind, uid }: OperatorReport): boolean => kind === 'sink' && uid !== DEAD_LETTER_UID;
  const sum = (of: readonly OperatorReport[], read: (report: OperatorReport) => number): number =>
    of.reduce((total, each) => total + read(each), 0);
  const sources = operators.filter(({ kind }) => kind === 'source');
  const watermarks = sources.flatMap(({ watermark }) => (watermark === null || watermark === MAX_TIMESTAMP ? [] : [watermark]));
  return {
    received: sum(sources, ({ recordsIn }) => recordsIn),
    delivered: sum(operators.filter(isSink), ({ recordsIn }) => recordsIn),
    late: sum(operators, ({ late }) => late),
    rejected: sum(operators, ({ rejected }) => rejected),
    deadLetters: sum(
      operators.filter(({ uid }) => uid === DEAD_LETTER_UID),
      ({ recordsIn }) => recordsIn,
    ),
    watermark: watermarks.length === 0 ? null : Math.min(...watermarks),
  };
}
