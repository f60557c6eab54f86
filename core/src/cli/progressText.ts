import type { CheckpointReport } from '../checkpoint/checkpointHistory.ts';
import { describeCount } from '../errors/describe.ts';
import { formatTimestamp, type Timestamp } from '../time/timestamp.ts';
import type { JobReading } from './jobReading.ts';

/** What a progress line is made of. */
export interface ProgressView {
  readonly reading: JobReading;
  /** Records a second, of late. */
  readonly receivedRate: number;
  readonly deliveredRate: number;
  /** Since the start, in ms. */
  readonly elapsed: number;
  /** From 0 to 1; `undefined` where it cannot be known. */
  readonly fraction: number | undefined;
  /** `undefined` for a job that takes none. */
  readonly checkpoints: CheckpointReport | undefined;
  /** The clock, to tell how far behind it the watermark is. */
  readonly now: Timestamp;
}

/** A watermark further back than this, in ms, is one of historical data: then it is shown as a time instead of a lag. */
const HISTORICAL = 24 * 3_600_000;

/** `12 s · 43% read · 4,812,000 in (412k/s) · 3,120 out (260/s) · lag 1.2 s · checkpoint 3 s ago (40 ms, 1.2 MB)`. */
export function progressText({ reading, receivedRate, deliveredRate, elapsed, fraction, checkpoints, now }: ProgressView): string {
  const { received, delivered, late, rejected, watermark } = reading;
  return [
    elapsedText(elapsed),
    fraction === undefined ? '' : `${Math.floor(fraction * 100)}% read`,
    `${describeCount(received)} in (${rateText(receivedRate)})`,
    `${describeCount(delivered)} out (${rateText(deliveredRate)})`,
    watermark === null ? '' : watermarkText(watermark, now),
    late === 0 ? '' : `${describeCount(late)} late`,
    rejected === 0 ? '' : `${describeCount(rejected)} rejected`,
    checkpoints === undefined ? '' : checkpointText(checkpoints, now),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** `"logins" finished in 12.3 s: 1,751,234 in (142k/s), 1,204 out, 0 late, 3 rejected (3 to the dead letters)`. */
export function summaryText(job: string, outcome: string, reading: JobReading, elapsed: number): string {
  const { received, delivered, late, rejected, deadLetters } = reading;
  const rate = rateText(elapsed > 0 ? (received / elapsed) * 1000 : 0);
  const letters = deadLetters === 0 ? '' : ` (${describeCount(deadLetters)} to the dead letters)`;
  const counts = [`${describeCount(received)} in (${rate})`, `${describeCount(delivered)} out`, `${describeCount(late)} late`];
  return `"${job}" ${outcome} ${elapsedText(elapsed)}: ${counts.join(', ')}, ${describeCount(rejected)} rejected${letters}`;
}

function checkpointText({ recent: [last], failed }: CheckpointReport, now: Timestamp): string {
  const failures = failed === 0 ? '' : `, ${describeCount(failed)} failed`;
  if (last === undefined) return `no checkpoint yet${failures}`;
  return `checkpoint ${elapsedText(Math.max(0, now - last.startedAt - last.took))} ago (${elapsedText(last.took)}, ${bytesText(last.size)})${failures}`;
}

function watermarkText(watermark: Timestamp, now: Timestamp): string {
  const lag = now - watermark;
  if (lag >= 0 && lag < HISTORICAL) return `lag ${elapsedText(lag)}`;
  return `at ${formatTimestamp(watermark)
    .replace('T', ' ')
    .replace(/(\.\d+)?Z$/, '')}`;
}

/** `40 ms`, `1.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function elapsedText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.floor(milliseconds)} ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `950 B`, `12.3 kB`, `1.24 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  // What would be shown as a thousand is one of the next.
  const exponent = Math.min(4, Math.floor(Math.log10(bytes / 0.9995) / 3));
  const scaled = bytes / 1000 ** exponent;
  return `${scaled < 9.995 ? scaled.toFixed(2) : scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)} ${['kB', 'MB', 'GB', 'TB'][exponent - 1]}`;
}

/** `950/s`, `12.3k/s`, `1.24M/s`. */
export function rateText(perSecond: number): string {
  if (perSecond < 1000) return `${Math.round(perSecond)}/s`;
  const [scaled, suffix] = perSecond < 999_500 ? [perSecond / 1000, 'k'] : [perSecond / 1_000_000, 'M'];
  return `${scaled < 9.995 ? scaled.toFixed(2) : scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${suffix}/s`;
}
