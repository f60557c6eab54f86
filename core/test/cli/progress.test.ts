import { describe, expect, test } from 'vitest';
import type { CheckpointReport } from '../../src/checkpoint/checkpointHistory.ts';
import type { JobReading } from '../../src/cli/jobReading.ts';
import { type ObservedJob, ProgressReporter } from '../../src/cli/progressReporter.ts';
import { bytesText, elapsedText, progressText, rateText, summaryText } from '../../src/cli/progressText.ts';
import { TerminalLine, type TerminalStream } from '../../src/cli/terminalLine.ts';
import type { JobMetrics, OperatorReport } from '../../src/runtime/metrics.ts';
import type { Progress } from '../../src/runtime/progress.ts';
import { ManualClock } from '../../src/time/manualClock.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const READING: JobReading = { received: 0, delivered: 0, late: 0, rejected: 0, deadLetters: 0, watermark: null };

describe('texts', () => {
  test('rates', () => {
    expect([0, 0.4, 950.2, 1_000, 9_994, 12_345, 99_960, 412_345, 999_400, 999_600, 12_345_678].map(rateText)).toEqual([
      '0/s',
      '0/s',
      '950/s',
      '1.00k/s',
      '9.99k/s',
      '12.3k/s',
      '100k/s',
      '412k/s',
      '999k/s',
      '1.00M/s',
      '12.3M/s',
    ]);
  });

  test('sizes', () => {
    expect([0, 999, 1_000, 5_604, 99_960, 999_600, 12_345_678, 4e9, 7.5e15].map(bytesText)).toEqual([
      '0 B',
      '999 B',
      '1.00 kB',
      '5.60 kB',
      '100 kB',
      '1.00 MB',
      '12.3 MB',
      '4.00 GB',
      '7500 TB',
    ]);
  });

  test('lengths of time', () => {
    expect([0, 42.7, 999, 1_400, 9_999, 12_345, 59_700, 185_000, 7_800_000].map(elapsedText)).toEqual([
      '0 ms',
      '42 ms',
      '999 ms',
      '1.4 s',
      '10.0 s',
      '12 s',
      '1 min 0 s',
      '3 min 5 s',
      '2 h 10 min',
    ]);
  });

  test('a live stream shows how far time lags, historical data where it is', () => {
    const view = { receivedRate: 412_000, deliveredRate: 260, elapsed: 12_000, fraction: undefined, checkpoints: undefined, now: NOW };
    const reading = { ...READING, received: 4_812_000, delivered: 3_120 };
    expect(progressText({ ...view, reading: { ...reading, watermark: NOW - 1_200 } })).toBe(
      '12 s · 4,812,000 in (412k/s) · 3,120 out (260/s) · lag 1.2 s',
    );
    expect(
      progressText({
        ...view,
        fraction: 0.4299,
        reading: { ...reading, watermark: Date.UTC(2015, 11, 10, 9, 32, 1, 5), late: 3, rejected: 1_000 },
      }),
    ).toBe('12 s · 42% read · 4,812,000 in (412k/s) · 3,120 out (260/s) · at 2015-12-10 09:32:01 · 3 late · 1,000 rejected');
  });

  test('the summary', () => {
    expect(
      summaryText('logins', 'finished in', { ...READING, received: 1_751_234, delivered: 1_204, rejected: 3, deadLetters: 2 }, 12_300),
    ).toBe('"logins" finished in 12 s: 1,751,234 in (142k/s), 1,204 out, 0 late, 3 rejected (2 to the dead letters)');
  });
});

function operator(kind: string, counts: Partial<OperatorReport>): OperatorReport {
  return { uid: kind, kind, recordsIn: 0, late: 0, rejected: 0, watermark: null, ...counts } as OperatorReport;
}

test('the reporter shows rates of the last two seconds, by the clock', () => {
  const clock = new ManualClock(NOW);
  let received = 0;
  let progress: Progress | undefined;
  let checkpoints: CheckpointReport | undefined;
  const job: ObservedJob = {
    name: 'job',
    metrics: (): JobMetrics => ({
      job: 'job',
      at: clock.now(),
      operators: [
        operator('source', { recordsIn: received, watermark: NOW - 5_000 }),
        operator('source', { recordsIn: received, watermark: NOW - 3_000 }),
        operator('window', { recordsIn: received, watermark: NOW - 9_000, late: 7 }),
        operator('sink', { recordsIn: received / 10 }),
        operator('sink', { uid: 'dead-letters', recordsIn: 5 }),
      ],
    }),
    progress: () => progress,
    checkpoints: () => checkpoints,
  };
  const shown: string[] = [];
  const reporter = new ProgressReporter(job, clock, { every: 250, show: (text) => shown.push(text) }, 0);
  for (let quarter = 0; quarter < 20; quarter++) {
    received += quarter < 8 ? 1_000 : 5_000;
    clock.advanceBy({ milliseconds: 250 });
  }
  expect(shown).toHaveLength(20);
  expect(shown[3]).toBe('1.0 s · 8,000 in (8.00k/s) · 400 out (400/s) · lag 6.0 s · 7 late');
  expect(shown[19]).toBe('5.0 s · 136,000 in (40.0k/s) · 6,800 out (2.00k/s) · lag 10 s · 7 late');
  progress = { fraction: 0.5, sources: [] };
  clock.advanceBy({ milliseconds: 250 });
  expect(shown.at(-1)).toContain(' · 50% read · ');
  checkpoints = { location: 'd', epoch: 1, restored: undefined, completed: 0, failed: 2, underWay: 0, recent: [], lastFailure: undefined };
  clock.advanceBy({ milliseconds: 250 });
  expect(shown.at(-1)).toMatch(/ · no checkpoint yet, 2 failed$/);
  const last = { checkpoint: 1, kind: 'checkpoint', startedAt: clock.now() - 3_000, took: 40, size: 1_234_567, written: 5 } as const;
  checkpoints = { ...checkpoints, failed: 0, recent: [last] };
  clock.advanceBy({ milliseconds: 250 });
  expect(shown.at(-1)).toMatch(/ · checkpoint 3\.2 s ago \(40 ms, 1\.23 MB\)$/);
  reporter.stop();
  clock.advanceBy({ seconds: 10 });
  expect(shown).toHaveLength(23);
  expect(reporter.summary('finished in')).toContain('136,000 in');
});

/** A terminal's screen, of one stream or of several that lead to it. */
class Screen {
  text = '';

  stream(columns: number): TerminalStream {
    return {
      isTTY: true,
      columns,
      write: (...args: never[]) => {
        this.text += String(args[0]);
        return true;
      },
    };
  }

  /** What is to be seen: of each line the part that was not erased. */
  get lines(): string[] {
    return this.text.split('\n').map((line) => line.split('\r\x1b[K').at(-1)!);
  }
}

const write = (stream: TerminalStream, text: string): void => void (stream.write as (text: string) => boolean)(text);

test('a line on a terminal gives way to what else is written, and comes back', () => {
  const screen = new Screen();
  const stderr = screen.stream(20);
  const stdout = screen.stream(20);
  const { write: original } = stdout;
  const line = new TerminalLine(stderr, [stdout]);
  line.show('10 records');
  write(stdout, 'a result\n');
  expect(screen.lines).toEqual(['a result', '']);
  line.show('20 records');
  line.show('30 records and more than fits');
  expect(screen.lines).toEqual(['a result', '30 records and more']);
  write(stderr, 'a warning\n');
  line.show('40 records');
  expect(screen.lines).toEqual(['a result', 'a warning', '40 records']);
  line.close();
  expect(screen.lines).toEqual(['a result', 'a warning', '']);
  expect(stdout.write).toBe(original);
});

test('a terminal that does not know its width has 80 columns', () => {
  const screen = new Screen();
  new TerminalLine(screen.stream(0), []).show('x'.repeat(200));
  expect(screen.lines.at(-1)).toHaveLength(79);
});
