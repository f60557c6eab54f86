import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DataStream } from '@millrace/core';
import { everyCheckpoint, testJob, type TestedJob, type TestJobOptions, testSource } from '@millrace/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { realFile } from '../realData.ts';
import { parseRequest, type Request } from './accessLog.ts';
import job from './job.ts';
import { sessions } from './sessions.ts';
import { statusCounts } from './statusCounts.ts';

const CONFIG = { input: 'unused', bound: 60, json: true };
/** No complaints about logs without lines. */
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The watermark moves after every line. */
function run(log: readonly string[], options: Partial<TestJobOptions<typeof CONFIG>> = {}): Promise<TestedJob> {
  return testJob(job, { config: CONFIG, inputs: { log: testSource(log, { batchSize: 1 }) }, logger: silent, ...options });
}

/** Each result as a line, in no order. */
function lines(values: readonly unknown[]): readonly string[] {
  return values.map((value) => JSON.stringify(value)).toSorted();
}

function lateOf({ metrics }: TestedJob): number {
  return metrics.operators.reduce((total, { late }) => total + late, 0);
}

test.each([
  [
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 203 "http://a.b/" "Mozilla/5.0 (X)"',
    { at: Date.UTC(2015, 4, 17, 10, 5, 3), address: '1.2.3.4', status: 200, bytes: 203 },
  ],
  [
    '::1 - Ann Smith [01/Jan/2016:00:30:00 +0130] "GET /\\"quoted\\" HTTP/1.1" 304 -',
    { at: Date.UTC(2015, 11, 31, 23), address: '::1', status: 304, bytes: 0 },
  ],
  [
    '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "-" 408 0 "-" "-"',
    { at: Date.UTC(2015, 4, 17, 10, 5, 3), address: '1.2.3.4', status: 408, bytes: 0 },
  ],
])('a line: %s', (line, request) => {
  expect(parseRequest(line)).toEqual(request);
});

test.each(['', 'GET /', '1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /', '1.2.3.4 - - [17/Foo/2015:10:05:03 +0000] "GET /" 200 1'])(
  'no line: "%s"',
  (line) => {
    expect(() => parseRequest(line)).toThrow();
  },
);

const START = Date.UTC(2015, 4, 17, 10);

function lineOf({ at, address, status, bytes }: Request): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+) GMT$/.exec(new Date(at).toUTCString())!;
  return `${address} - - [${day}/${month}/${year}:${time} +0000] "GET / HTTP/1.1" ${status} ${bytes} "-" "-"`;
}

/** The results by definition. */
function expected(requests: readonly Request[]): readonly string[] {
  const results: object[] = [];
  const iso = (at: number): string => new Date(at).toISOString();
  for (const address of new Set(requests.map((request) => request.address))) {
    const own = requests.filter((request) => request.address === address).toSorted((a, b) => a.at - b.at);
    const starts = own.flatMap(({ at }, index) => (index === 0 || at - own[index - 1]!.at > 1_800_000 ? [index] : []));
    starts.forEach((start, index) => {
      const visit = own.slice(start, starts[index + 1]);
      const bytes = visit.reduce((total, request) => total + request.bytes, 0);
      results.push({ type: 'session', address, start: iso(visit[0]!.at), end: iso(visit.at(-1)!.at), requests: visit.length, bytes });
    });
  }
  const hours = requests.map(({ at, status }) => `${iso(at).slice(0, 13)}:00:00.000Z ${status}`);
  for (const hour of new Set(hours)) {
    const [start, status] = hour.split(' ');
    results.push({ type: 'status', hour: start, status: Number(status), requests: hours.filter((other) => other === hour).length });
  }
  return lines(results);
}

test('random logs, out of order by up to a minute, give what the definition says in either mode, and nothing is late', async () => {
  const request = fc.record({
    // Multiples of 7: no pause is exactly of 30 minutes, where it depends on the watermark whether a session has ended.
    after: fc.constantFrom(0, 7, 35, 1743, 1799, 1806, 3605),
    delay: fc.integer({ min: 0, max: 60 }),
    address: fc.constantFrom('1.1.1.1', '2.2.2.2'),
    status: fc.constantFrom(200, 404),
    bytes: fc.nat(1000),
  });
  const property = fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (steps) => {
    let clock = START;
    const written = steps.map(({ after, delay, ...rest }) => ({ ...rest, at: (clock += after * 1000), due: clock + delay * 1000 }));
    const requests = written.toSorted((a, b) => a.due - b.due);
    for (const options of [{}, { mode: 'batch' }, { parallelism: 2 }] as const) {
      const tested = await run(requests.map(lineOf), options);
      expect(lines(tested.outputs['results']!)).toEqual(expected(requests));
      expect(lateOf(tested)).toBe(0);
    }
  });
  await fc.assert(property, { numRuns: 20 });
});

test('what is later than the bound is counted and given out', async () => {
  const at = (seconds: number): string => lineOf({ at: START + seconds * 1000, address: '1.1.1.1', status: 200, bytes: 1 });
  const tested = await run([at(0), at(3600), at(3661), at(0)]);
  expect(tested.sides).toMatchObject({ sessions: { late: [{ at: START }] }, 'status-counts': { late: [{ at: START }] } });
  expect(lateOf(tested)).toBe(2);
  expect(lateOf(await run([at(3659), at(3599)]))).toBe(0);
});

test('lines that are none go to the dead letters and the job goes on', async () => {
  const good = lineOf({ at: START, address: '1.1.1.1', status: 200, bytes: 1 });
  const { outputs, deadLetters } = await run([good, 'nonsense', good]);
  expect(outputs['results']).toContainEqual({ type: 'status', hour: new Date(START).toISOString(), status: 200, requests: 2 });
  expect(deadLetters).toMatchObject([{ place: 'requests', value: 'nonsense' }]);
});

test('a crash between any two requests changes nothing', () => {
  const pipeline = ({ requests }: { requests: DataStream<Request> }) => ({
    ended: sessions(requests),
    hours: statusCounts(requests),
  });
  const out = everyCheckpoint(pipeline, (h) => {
    for (const minutes of [0, 20, 10, 70, 130]) {
      const at = START + minutes * 60_000;
      h.push('requests', { at, address: '1.1.1.1', status: 200, bytes: 1 }, at).watermark(at - 900_000);
    }
    h.end();
  });
  expect(out.ended.map(({ requests }) => requests)).toEqual([3, 1, 1]);
  expect(out.hours.map(({ requests }) => requests)).toEqual([3, 1, 1]);
});

test('on a real log: what an independent script finds, in either mode, and nothing is late', async (context) => {
  const log = gunzipSync(readFileSync(realFile('logs/apache_access.log.gz', context)))
    .toString()
    .trimEnd()
    .split('\n');
  const words = log.map((line) => line.split(' '));
  const requests = words.map(([address, , , time, , , , ...rest], index): Request => {
    const [date, ...clock] = time!.slice(1).split(':');
    const [status, bytes] = log[index]!.split('" ')[1]!.split(' ');
    return {
      at: Date.parse(`${date!.replaceAll('/', ' ')} ${clock.join(':')} UTC`),
      address: address!,
      status: Number(status),
      bytes: bytes === '-' || rest.length === 0 ? 0 : Number(bytes),
    };
  });
  expect(requests.filter(({ at }, index) => index > 0 && at < requests[index - 1]!.at).length).toBeGreaterThan(4000);
  const results = expected(requests);
  for (const mode of ['streaming', 'batch'] as const) {
    const tested = await run(log, { mode });
    expect(lines(tested.outputs['results']!)).toEqual(results);
    expect(lateOf(tested)).toBe(0);
    expect(tested.deadLetters).toEqual([]);
  }
});
