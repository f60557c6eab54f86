import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { DataStream, Source } from '@millrace/core';
import { everyCheckpoint, harness, testJob, type TestJobOptions, testSource } from '@millrace/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { realFile } from '../realData.ts';
import { type Attempt, parseAttempt } from './attempts.ts';
import { SYSTEM_LOG } from './authLog.ts';
import { breakIns } from './breakIns.ts';
import { bursts } from './bursts.ts';
import { type Finding, findingText } from './findings.ts';
import job from './job.ts';
import { parseSyslogLine, timeOf } from './syslog.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CONFIG = { input: 'unused', year: 2015, json: true };

/** No complaints about logs in which nothing is found. */
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The watermark moves after every line. */
function lineByLine(log: readonly string[]): Source<string> {
  return testSource(log, { batchSize: 1 });
}

async function findingsIn(log: readonly string[], options: Partial<TestJobOptions<typeof CONFIG>> = {}): Promise<readonly Finding[]> {
  const { outputs } = await testJob(job, { config: CONFIG, inputs: { log: lineByLine(log) }, logger: silent, ...options });
  return outputs['findings'] as readonly Finding[];
}

test.each([
  ['Failed password for root from 5.1.2.3 port 22 ssh2', { address: '5.1.2.3', user: 'root', succeeded: false, times: 1 }],
  ['Failed password for invalid user admin from 5.1.2.3 port 22 ssh2', { address: '5.1.2.3', user: 'admin', succeeded: false, times: 1 }],
  ['Failed password for invalid user  from 5.1.2.3 port 22 ssh2', { address: '5.1.2.3', user: '', succeeded: false, times: 1 }],
  ['Failed password for a b from ::1 port 22 ssh2', { address: '::1', user: 'a b', succeeded: false, times: 1 }],
  [
    'message repeated 5 times: [ Failed password for root from 5.1.2.3 port 50011 ssh2]',
    { address: '5.1.2.3', user: 'root', succeeded: false, times: 5 },
  ],
  [
    'Accepted publickey for ubuntu from 5.1.2.3 port 542 ssh2: RSA SHA256:Kl8kPG',
    { address: '5.1.2.3', user: 'ubuntu', succeeded: true, times: 1 },
  ],
  // A user name that looks like an address.
  [
    'Failed password for invalid user x from 9.9.9.9 port 1 ssh2 from 5.1.2.3 port 22 ssh2',
    { address: '5.1.2.3', user: 'x from 9.9.9.9 port 1 ssh2', succeeded: false, times: 1 },
  ],
  ['Connection closed by 5.1.2.3 port 22 [preauth]', undefined],
  ['error: maximum authentication attempts exceeded for root from 5.1.2.3 port 22 ssh2 [preauth]', undefined],
])('sshd says: %s', (message, attempt) => {
  expect(parseAttempt(message)).toEqual(attempt);
});

test('a program cannot pass for another one', () => {
  const line = 'Mar 27 13:06:56 host app[7]: sshd[1]: Failed password for root from 5.1.2.3 port 22 ssh2';
  expect(parseSyslogLine(line)?.program).toBe('app[7]');
});

test('the year of a line is the one that brings it nearest to the line before', () => {
  const december = Date.UTC(2015, 11, 31, 23, 59, 59);
  const january = Date.UTC(2016, 0, 1, 0, 0, 1);
  expect(timeOf('Jan 1 00:00:01', { near: december })).toBe(january);
  expect(timeOf('Dec 31 23:59:59', { near: january })).toBe(december);
  expect(timeOf('Feb 29 12:00:00', { near: december })).toBe(Date.UTC(2016, 1, 29, 12));
  expect(timeOf('2016-01-01T01:00:01.250000+01:00', { near: december })).toBe(january + 250);
});

test.each([
  'Foo 1 00:00:00',
  'Feb 30 00:00:00',
  'Feb 29 00:00:00',
  'Mar 1 24:00:00',
  'Mar 1 00:60:00',
  'Mar 1',
  '2015-13-01T00:00:00Z',
  '',
])('no time: "%s"', (stamp) => {
  expect(timeOf(stamp, { year: 2015 })).toBeUndefined();
});

const day = (time: string, message: string): string => `Jan 10 ${time} host sshd[1]: ${message}`;
const fails = (time: string, address: string, user = 'root'): string =>
  day(time, `Failed password for ${user} from ${address} port 1 ssh2`);
const enters = (time: string, address: string): string => day(time, `Accepted password for root from ${address} port 1 ssh2`);

test('five failures in ten minutes by the clock are a burst, four are none', async () => {
  const five = ['12:00:00', '12:01:00', '12:02:00', '12:03:00', '12:09:59'].map((time) => fails(time, '1.1.1.1'));
  const four = ['12:00:00', '12:01:00', '12:09:59', '12:09:59', '12:10:00'].map((time) => fails(time, '2.2.2.2'));
  expect(await findingsIn([...five, ...four].toSorted())).toEqual([
    { type: 'burst', address: '1.1.1.1', start: '2015-01-10T12:00:00.000Z', failures: 5 },
  ]);
});

test('a success counts the failures of the 600 s before it, and in its own second those of earlier lines', async () => {
  const log = [
    ...Array.from({ length: 4 }, () => fails('12:00:00', '1.1.1.1')),
    fails('12:10:00', '1.1.1.1'),
    enters('12:10:00', '1.1.1.1'),
    fails('12:10:00', '1.1.1.1'),
    enters('12:10:01', '1.1.1.1'),
  ];
  expect(await findingsIn(log)).toEqual([
    { type: 'breakin', address: '1.1.1.1', user: 'root', at: '2015-01-10T12:10:00.000Z', failures: 5 },
  ]);
});

test('lines a little out of order are put in order', async () => {
  const log = [
    ...Array.from({ length: 4 }, () => fails('12:00:00', '1.1.1.1')),
    enters('12:00:02', '1.1.1.1'),
    fails('12:00:11', '2.2.2.2'),
    fails('12:00:01', '1.1.1.1'),
  ];
  const found = await findingsIn(log);
  expect(found.map(({ type, failures }) => ({ type, failures }))).toEqual([
    { type: 'breakin', failures: 5 },
    { type: 'burst', failures: 5 },
  ]);
});

test('an attempt is forgotten when it cannot count any more', () => {
  const h = harness(({ attempted }: { attempted: DataStream<Attempt> }) => ({ out: breakIns(attempted) }));
  const at = Date.UTC(2015, 0, 1);
  const before = h.watermark(at - 1).snapshot().bytes.length;
  h.push('attempted', { at, address: '1.1.1.1', user: 'root', succeeded: false, times: 1 }, at);
  expect(h.snapshot().bytes.length).toBeGreaterThan(before);
  expect(h.watermark(at + 600_001).snapshot().bytes.length).toBe(before);
});

test('a log can go on after the end of a year, and lines of both years can mix', async () => {
  const inYear = (stamp: string, message: string): string => `${stamp} host sshd[1]: ${message} password for root from 1.1.1.1 port 1 ssh2`;
  const log = [
    ...Array.from({ length: 4 }, () => inYear('Dec 31 23:59:58', 'Failed')),
    inYear('Jan  1 00:00:01', 'Accepted'),
    inYear('Dec 31 23:59:59', 'Failed'),
  ];
  expect((await findingsIn(log)).map(findingText)).toEqual([
    '2015-12-31 23:50:00  burst     1.1.1.1          5 failed passwords within 10 minutes',
    '2016-01-01 00:00:01  BREAK-IN  1.1.1.1          as root after 5 failures',
  ]);
});

test.skipIf(existsSync(SYSTEM_LOG))("where the system's log is wanted and there is none, it says how to give another", async () => {
  await expect(job.run({ ...CONFIG, input: SYSTEM_LOG })).rejects.toMatchObject({
    code: 'source/not-found',
    remedy: expect.stringContaining('--input FILE') as string,
  });
});

test('a line of sshd without a time goes to the dead letters and the job goes on', async () => {
  const good = ['12:00:00', '12:00:00', '12:00:01', '12:00:01', '12:00:01'].map((time) => fails(time, '1.1.1.1'));
  const broken = fails('12:00:00', '1.1.1.1').replace('Jan 10', 'Foo 99');
  const other = 'no log line at all';
  const log = [broken, ...good.slice(0, 2), other, broken, ...good.slice(2)];
  const { outputs, deadLetters } = await testJob(job, { config: CONFIG, inputs: { log }, logger: silent });
  expect(outputs['findings']).toMatchObject([{ type: 'burst', failures: 5 }]);
  expect(deadLetters.map(({ place, value }) => ({ place, value }))).toEqual([
    { place: 'attempts', value: broken },
    { place: 'attempts', value: broken },
  ]);
});

test("without a year the log's first line is of the current one, unless that is still to come", async () => {
  const line = (at: number): string => {
    const stamp = new Date(at).toUTCString().replace(/^\w+, (\d+) (\w+) \d+ ([\d:]+) GMT$/, '$2 $1 $3');
    return `${stamp} host sshd[1]: message repeated 5 times: [ Failed password for root from 1.1.1.1 port 1 ssh2]`;
  };
  for (const daysAgo of [0, 100, 300]) {
    const at = Date.now() - daysAgo * 86_400_000;
    const { outputs } = await testJob(job, { config: { ...CONFIG, year: undefined }, inputs: { log: [line(at)] } });
    const [burst] = outputs['findings'] as { start: string }[];
    expect(Math.abs(Date.parse(burst!.start) - at)).toBeLessThan(600_000);
  }
});

/** An attempt of a random log: seconds after the one before, who, whether it succeeds, for how many it stands. */
const randomLog = fc.array(
  fc.record({
    after: fc.nat(400),
    address: fc.constantFrom('1.1.1.1', '2.2.2.2'),
    succeeds: fc.boolean(),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 40 },
);

/** The findings by definition, each element looking at all others. */
function expectedFindings(events: readonly { at: number; address: string; succeeds: boolean; times: number }[]): Finding[] {
  const failures = events.filter(({ succeeds }) => !succeeds);
  const count = (some: typeof failures): number => some.reduce((total, { times }) => total + times, 0);
  const windows = new Set(failures.map(({ at, address }) => `${address} ${Math.floor(at / 600_000) * 600_000}`));
  const burstsFound = [...windows].map((window): Finding => {
    const [address, start] = window.split(' ') as [string, string];
    const inside = failures.filter((failure) => failure.address === address && failure.at >= +start && failure.at < +start + 600_000);
    return { type: 'burst', address, start: new Date(+start).toISOString(), failures: count(inside) };
  });
  const breakInsFound = events.flatMap(({ at, address, succeeds }, index): Finding[] => {
    if (!succeeds) return [];
    const before = events.slice(0, index).filter((other) => !other.succeeds && other.address === address && other.at >= at - 600_000);
    return [{ type: 'breakin', address, user: 'root', at: new Date(at).toISOString(), failures: count(before) }];
  });
  return [...burstsFound, ...breakInsFound].filter((finding) => finding.failures >= 5);
}

test('random logs give what the definition says, in either mode and on several subtasks', async () => {
  const property = fc.asyncProperty(randomLog, async (steps) => {
    let at = Date.UTC(2015, 0, 10, 12);
    const events = steps.map(({ after, ...event }) => ({ ...event, at: (at += after * 1000) }));
    const log = events.map(({ at: time, address, succeeds, times }) => {
      const message = `${succeeds ? 'Accepted' : 'Failed'} password for root from ${address} port 1 ssh2`;
      const stamp = new Date(time).toISOString().slice(11, 19);
      return day(stamp, times === 1 ? message : `message repeated ${times} times: [ ${message}]`);
    });
    const expected = expectedFindings(events).map(findingText).toSorted();
    for (const options of [{}, { mode: 'batch' }, { parallelism: 2 }] as const) {
      const found = await findingsIn(log, options);
      expect(found.map(findingText).toSorted()).toEqual(expected);
      const times = found.map((finding) => (finding.type === 'burst' ? Date.parse(finding.start) + 599_999 : Date.parse(finding.at)));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });
  await fc.assert(property, { numRuns: 20 });
});

test('a crash between any two attempts changes nothing', () => {
  const pipeline = ({ attempted }: { attempted: DataStream<Attempt> }) => ({ bursts: bursts(attempted), breakIns: breakIns(attempted) });
  const minute = (n: number): number => Date.UTC(2015, 11, 31, 23, 58 + n);
  const attempt = (at: number, succeeded: boolean, times = 1): Attempt => ({ at, address: '1.1.1.1', user: 'root', succeeded, times });
  const log = [attempt(minute(1), false, 4), attempt(minute(0), false), attempt(minute(2), true), attempt(minute(20), true)];
  const out = everyCheckpoint(pipeline, (h) => {
    for (const one of log) h.push('attempted', one, one.at).watermark(one.at - 60_001);
    h.end();
  });
  expect(out.bursts).toMatchObject([{ start: '2015-12-31T23:50:00.000Z', failures: 5 }]);
  expect(out.breakIns).toMatchObject([{ at: '2016-01-01T00:00:00.000Z', failures: 5 }]);
});

/** What a short script finds that knows nothing of the job: it takes lines apart by their words. */
function scriptFindings(text: string): { readonly lines: readonly string[]; readonly failures: number } {
  const perWindow = new Map<string, number>();
  const failed: { address: string; second: number; times: number }[] = [];
  const lines: string[] = [];
  const total = (some: typeof failed): number => some.reduce((sum, { times }) => sum + times, 0);
  for (const line of text.split('\n')) {
    const words = line.split(' ').filter((word) => word !== '');
    if (words[4]?.startsWith('sshd[') !== true) continue;
    const second = Date.parse(`${words[0]} ${words[1]} 2015 ${words[2]} UTC`) / 1000;
    const address = words[words.lastIndexOf('from') + 1]!;
    const times = words[6] === 'repeated' ? Number(words[7]) : 1;
    const rest = words.slice(times > 1 ? 10 : 5);
    if (rest.join(' ').startsWith('Failed password')) {
      failed.push({ address, second, times });
      const window = `${address} ${second - (second % 600)}`;
      perWindow.set(window, (perWindow.get(window) ?? 0) + times);
    } else if (rest[0] === 'Accepted') {
      const before = total(failed.filter((one) => one.address === address && second - one.second <= 600));
      if (before >= 5) lines.push(`breakin ${address} ${rest[3]} ${second} ${before}`);
    }
  }
  for (const [window, count] of perWindow) if (count >= 5) lines.push(`burst ${window} ${count}`);
  return { lines: lines.toSorted(), failures: total(failed) };
}

test('on a real log: what an independent script finds, as JSON and nothing else', async (context) => {
  const input = realFile('logs/auth.log.gz', context);
  const expected = scriptFindings(gunzipSync(readFileSync(input)).toString());
  const flags = ['run', 'examples/logins', '--', '--input', input, '--year', '2015', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, ['core/bin/millrace.js', ...flags], { cwd: root });
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  const asLine = (finding: Finding): string =>
    finding.type === 'burst'
      ? `burst ${finding.address} ${Date.parse(finding.start) / 1000} ${finding.failures}`
      : `breakin ${finding.address} ${finding.user} ${Date.parse(finding.at) / 1000} ${finding.failures}`;
  expect(found.map(asLine).toSorted()).toEqual(expected.lines);
  expect(expected.failures).toBe(1038);
  expect(found.map(({ type }) => type).filter((type) => type === 'burst')).toHaveLength(104);
  expect(stdout).toContain(
    '{"type":"breakin","address":"24.151.103.17","user":"elastic_user_0","at":"2015-03-30T16:01:36.000Z","failures":147}\n',
  );
  expect(stdout).toMatch(/^\{"type":"burst","address":"[\d.]+","start":"[\dT:.-]+Z","failures":\d+\}\n/);
});
