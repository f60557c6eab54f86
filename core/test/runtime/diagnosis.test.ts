import { expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import { memoryStorage } from '../../src/checkpoint/memoryStorage.ts';
import { forEach } from '../../src/connectors/forEach.ts';
import { fromArray } from '../../src/connectors/fromArray.ts';
import { defineSource } from '../../src/operators/connector.ts';
import { describeJob, hasNoOutput } from '../../src/runtime/diagnosis.ts';
import type { JobMetrics, OperatorReport } from '../../src/runtime/metrics.ts';
import { MAX_TIMESTAMP } from '../../src/time/timestamp.ts';
import { recordingLogger } from '../recordingLogger.ts';

function report(uid: string, kind: string, counts: Partial<OperatorReport> = {}): OperatorReport {
  return {
    uid,
    kind,
    name: kind,
    subtask: 0,
    recordsIn: 0,
    recordsOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    late: 0,
    rejected: 0,
    rejectedBy: {},
    dropped: 0,
    watermark: MAX_TIMESTAMP,
    lag: null,
    busyTime: 0,
    blockedTime: 0,
    counters: {},
    ...counts,
  };
}

function metrics(...operators: readonly OperatorReport[]): JobMetrics {
  return { job: 'job', at: 0, operators };
}

/** The remark on an operator. */
function remarkOn(kind: string, counts: Partial<OperatorReport>): string {
  return /← (.*)$/.exec(describeJob(metrics(report('op', kind, counts))))?.[1] ?? '';
}

test('the table says what every operator saw, over all its subtasks', () => {
  const text = describeJob(
    metrics(
      report('rows', 'source', { recordsIn: 1_200_000, recordsOut: 1_200_000, rejected: 12 }),
      report('rows', 'source', { subtask: 1, recordsIn: 34_567, recordsOut: 34_567 }),
      report('failed logins', 'filter', { recordsIn: 1_234_567, dropped: 1_234_567 }),
      report('out', 'sink'),
    ),
  );
  expect(text).toMatchInlineSnapshot(`
    "operator       kind           in        out  late  rejected    dropped
    rows           source  1,234,567  1,234,567     0        12          0
    failed logins  filter  1,234,567          0     0         0  1,234,567  ← let nothing pass
    out            sink            0          0     0         0          0"
  `);
});

test('remarks', () => {
  expect(remarkOn('source', {})).toMatch(/read nothing/);
  expect(remarkOn('source', { rejected: 1_500, rejectedBy: { 'csv/malformed': 1_499, 'schema/invalid': 1 } })).toBe(
    'refused everything: csv/malformed × 1,499, schema/invalid × 1',
  );
  expect(remarkOn('source', { recordsIn: 3, rejected: 3, rejectedBy: { 'timestamp/invalid': 3 } })).toBe(
    'refused everything: timestamp/invalid × 3',
  );
  expect(remarkOn('map', {})).toBe('');
  expect(remarkOn('map', { recordsIn: 4, recordsOut: 4 })).toBe('');
  expect(remarkOn('map', { recordsIn: 4, rejected: 4, rejectedBy: { 'operator/failed': 4 } })).toBe(
    'refused everything: operator/failed × 4',
  );
  expect(remarkOn('flatMap', { recordsIn: 4 })).toBe('gave nothing out');
  expect(remarkOn('window', { recordsIn: 4, late: 4 })).toMatch(/late.*outOfOrder.*allowedLateness/);
  expect(remarkOn('window', { recordsIn: 4, late: 1, rejected: 1, dropped: 2 })).toMatch(/late, rejected or dropped/);
  expect(remarkOn('window', { recordsIn: 4, watermark: null })).toMatch(/no watermark/);
  expect(remarkOn('window', { recordsIn: 4, watermark: 5_000 })).toMatch(/drain/);
  expect(remarkOn('intervalJoin', { recordsIn: 4 })).toBe('no two elements met');
  expect(remarkOn('sink', { recordsIn: 4 })).toBe('');
});

test('no output is when every sink was given nothing; dead letters are none', () => {
  expect(hasNoOutput(metrics(report('rows', 'source', { recordsOut: 3 }), report('a', 'sink'), report('b', 'sink')))).toBe(true);
  expect(hasNoOutput(metrics(report('a', 'sink'), report('b', 'sink', { recordsIn: 1 })))).toBe(false);
  expect(hasNoOutput(metrics(report('a', 'sink'), report('dead-letters', 'sink', { recordsIn: 1 })))).toBe(true);
  expect(hasNoOutput(metrics(report('rows', 'source', { recordsOut: 3 })))).toBe(false);
});

test('a job that ends with no output says so, with what each operator saw', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  env
    .from(fromArray([1, 2, 3]), { uid: 'numbers' })
    .filter((n) => n > 3, { uid: 'large' })
    .sinkTo(
      forEach(() => undefined),
      { uid: 'out' },
    );
  await env.execute('quiet');
  expect(logger.entries).toEqual([
    {
      level: 'warn',
      message: expect.stringContaining('The job "quiet" ended with no output.') as string,
      details: { code: 'job/no-output' },
    },
  ]);
  expect(logger.entries[0]!.message).toMatch(/^large +filter +3 +0 +0 +0 +3 {2}← let nothing pass$/m);
});

test('an empty input says so too', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  env.from(fromArray<number>([]), { uid: 'numbers' }).sinkTo(forEach(() => undefined));
  await env.execute('empty');
  expect(logger.of('warn')).toEqual([expect.stringMatching(/^numbers +source .*← read nothing/m)]);
});

test('a job with output says nothing; what is collected is told by itself', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  env.from(fromArray([1])).sinkTo(forEach(() => undefined));
  await env.execute('loud');
  expect(
    await new StreamEnvironment({ logger })
      .from(fromArray([1]))
      .filter(() => false)
      .collect(),
  ).toEqual([]);
  expect(logger.of('warn')).toEqual([]);
  expect(logger.of('info')).toHaveLength(1);
});

test('a job that is stopped before a window has ended is told what it waits for', async () => {
  const endless = defineSource<number, number>({
    name: 'endless',
    bounded: false,
    open: () => ({
      splits: async () => ['only'],
      async *read(_split, _from, { signal }) {
        yield { values: [1, 2, 3], position: 3 };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    }),
  });
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  let arrived: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (arrived = resolve));
  env
    .from(endless, { uid: 'numbers', time: { timestamp: (n) => n } })
    .keyBy(() => 'all')
    .process({
      uid: 'process',
      timers: { later: 'eventTime' },
      onElement(n, { timers }) {
        timers.set('later', 1_000);
        if (n === 3) arrived();
      },
      onTimer: () => ['now'],
    })
    .sinkTo(forEach(() => undefined));
  const job = await env.start('stopped');
  await all;
  await job.stop();
  expect(job.status).toBe('finished');
  expect(logger.of('warn')).toEqual([expect.stringMatching(/^process .*← what it holds waits for a later watermark/m)]);
});

test('a job that had finished before it was started again does not', async () => {
  const logger = recordingLogger();
  const storage = memoryStorage();
  const results: number[] = [];
  for (const restore of [undefined, 'latest'] as const) {
    const env = new StreamEnvironment({ logger });
    env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).sinkTo(
      forEach((n) => void results.push(n)),
      { uid: 'out' },
    );
    await env.execute('done', { checkpoint: { storage }, ...(restore !== undefined && { restore }) });
  }
  expect(results).toEqual([1, 2, 3]);
  expect(logger.of('warn')).toEqual([]);
});
