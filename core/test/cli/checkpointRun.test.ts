import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { execute } from '../../src/cli/main.ts';
import { S3Server, CREDENTIALS } from '../checkpoint/s3Server.ts';

const ledger = fileURLToPath(new URL('fixtures/ledger', import.meta.url));
let folder: string;
let stdout = '';
let stderr = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-run-'));
  stdout = stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** The command in this process; what it says is in `stdout` and `stderr`. */
async function millrace(...args: readonly string[]): Promise<number> {
  stdout = stderr = '';
  return execute(args, { loadTypeScript: async () => undefined });
}
const at = (...parts: readonly string[]): string => join(folder, ...parts);
/** Runs the ledger over so many numbers. */
const run = (count: number, flags: readonly string[], job: readonly string[] = []): Promise<number> =>
  millrace('run', ledger, ...flags, '--', '--output', at('output'), '--count', String(count), ...job);
/** What jobs have made visible: a file that is still being written has another name. */
function outputOf(path: string): string[] {
  const files = existsSync(path) ? readdirSync(path).filter((file) => file.endsWith('.txt')) : [];
  return files.flatMap((file) => readFileSync(join(path, file), 'utf8').trimEnd().split('\n')).sort();
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('flags of checkpoints', () => {
  test.each([
    [['--every', '5s'], /--every says nothing without --checkpoint/],
    [['--restore', 'latest'], /--restore says nothing without --checkpoint/],
    [['--standby'], /--standby says nothing without --checkpoint/],
    [['--allow-non-restored-state'], /--allow-non-restored-state says nothing/],
    [['--checkpoint', 'c', '--every', '10'], /--every cannot be "10"\. Write a length of time such as 500ms/],
    [['--checkpoint', 'c', '--every', '0s'], /--every cannot be "0s"/],
    [['--checkpoint', 'c', '--checkpoint-timeout', 'x'], /--checkpoint-timeout cannot be "x"/],
    [['--checkpoint', 'c', '--lease', '-1s'], /--lease cannot be "-1s"/],
    [['--checkpoint', 'c', '--retain', '0'], /--retain cannot be 0/],
    [['--checkpoint', 'c', '--checkpoint-mode', 'twice'], /Give one of: exactly-once, at-least-once/],
    [['--checkpoint', 'ftp://x/y'], /Checkpoints cannot be in ftp:/],
    [['--checkpoint', 's3://b/p?zone=x'], /"zone" is no option of an object store\. There are endpoint/],
    [['--checkpoint', 's3://'], /s3:\/\/ names no bucket/],
    [['--checkpoint', 's3://a b/c'], /s3:\/\/a b\/c is no address/],
    [['--checkpoint', 's3://b/%zz'], /is no address/],
    [['--checkpoint', 'c', '--restore', 'lastest'], /There is no lastest\. Did you mean --restore latest\?/],
    [['--checkpoint', 'DIR/manifests/1.json'], /is one checkpoint\. Name the directory/],
    [['--restart', 'often'], /--restart cannot be "often"\. Give none, exponential, fixed:10s/],
    [['--restart', 'fixed:1s:x'], /--restart cannot be "fixed:1s:x"/],
    [['--restart', 'fixed:soon'], /--restart cannot be "soon"/],
    [['--max-parallelism', '0'], /--max-parallelism cannot be 0/],
  ])('%j is a mistake', async (flags, message) => {
    expect(await run(1, flags)).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^millrace: \[cli\/usage]/);
  });

  test('a location that is a file, or is in one', async () => {
    writeFileSync(at('file'), '');
    expect(await run(1, ['--checkpoint', at('file')])).toBe(2);
    expect(stderr).toMatch(/file is a file\. Name a directory/);
    expect(await run(1, ['--checkpoint', at('file', 'c')])).toBe(2);
    expect(stderr).toMatch(/file is a file\./);
  });

  test('defaults work; batch mode takes none, and says so', async () => {
    expect(await run(9, ['--checkpoint', at('c')])).toBe(0);
    expect(readdirSync(at('c')).sort()).toEqual([expect.stringMatching(/^lease/), 'manifests', 'state']);
    expect(await run(9, ['--checkpoint', at('c2'), '--mode', 'batch'])).toBe(0);
    expect(stderr).toMatch(/^warning: In batch mode no checkpoints are taken/);
  });
});

describe('where a job goes on from', () => {
  test('there is nothing yet', async () => {
    expect(await run(9, ['--checkpoint', at('c'), '--restore', 'latest'])).toBe(0);
    expect(stderr).toMatch(/^warning: There is no checkpoint to go on from: the job "ledger" starts fresh\./);
    expect(await run(9, ['--checkpoint', at('d'), '--restore', at('nothing')])).toBe(1);
    expect(stderr).toMatch(/\[checkpoint\/not-found] There is no checkpoint in .*nothing\. Look at the path/);
    expect(await run(9, ['--checkpoint', at('d'), '--restore', at('c', 'manifests', '7.json')])).toBe(1);
    expect(stderr).toMatch(/\[checkpoint\/not-found] There is no manifests\/7\.json in .*c\./);
  });

  test('there is something, and it was not asked for', async () => {
    expect(await run(9, ['--checkpoint', at('c')])).toBe(0);
    expect(await run(9, ['--checkpoint', at('c')], ['--pause', '0'])).toBe(0);
    expect(stderr).toMatch(
      /^warning: The job starts without the state in .*c: checkpoint \d+ of "ledger"\. --restore latest goes on from it\.\n/,
    );
  });

  test('one of its own checkpoints, after which the newer ones do not count', async () => {
    const flags = ['--checkpoint', at('c'), '--every', '20ms', '--retain', '50'];
    const running = run(100_000, flags);
    await until(() => outputOf(at('output')).length > 0);
    expect(await millrace('stop', at('c'))).toBe(0);
    expect(await running).toBe(0);
    const done = outputOf(at('output')).length;
    const [oldest] = readdirSync(at('c', 'manifests')).sort();
    expect(await run(done + 10, [...flags, '--restore', at('c', 'manifests', oldest!)])).toBe(0);
    expect(stderr).toMatch(new RegExp(`goes on from checkpoint ${Number(oldest!.slice(9, 21))}\\.\n`));
    const whole = done + 10 + 3;
    expect(new Set(outputOf(at('output'))).size).toBe(whole);
    expect(await millrace('checkpoint', 'list', at('c'))).toBe(0);
    expect(stdout).toContain('does not count: another process had taken over');
  });

  test('a job that had finished has nothing left to do, and says so', async () => {
    const flags = ['--checkpoint', at('c'), '--restore', at('c')];
    expect(await run(9, ['--checkpoint', at('c')])).toBe(0);
    expect(await run(19, flags)).toBe(0);
    expect(stderr).toMatch(/goes on from checkpoint \d+\. It had finished/);
    expect(outputOf(at('output'))).toHaveLength(9 + 3);
  });

  test('another job, and state that it does not have', async () => {
    expect(await run(9, ['--checkpoint', at('c')], ['--other'])).toBe(0);
    expect(await run(9, ['--checkpoint', at('c'), '--restore', 'latest'])).toBe(1);
    expect(stderr).toMatch(
      /\[checkpoint\/unmatched] .* of "ledger" .*operators that the job does not have: other\. .*without state in it: count/,
    );
    expect(await run(9, ['--checkpoint', at('c'), '--restore', 'latest', '--allow-non-restored-state'])).toBe(0);
  });

  test('another number of key groups', async () => {
    expect(await run(9, ['--checkpoint', at('c'), '--max-parallelism', '16'])).toBe(0);
    expect(await run(9, ['--checkpoint', at('c'), '--restore', 'latest'])).toBe(1);
    expect(stderr).toMatch(/\[checkpoint\/unmatched] .* has 16 key groups, the job 128\. Set maxParallelism to 16/);
    expect(await run(9, ['--checkpoint', at('c'), '--restore', 'latest', '--max-parallelism', '16', '--parallelism', '4'])).toBe(0);
  });

  test('a location that another process holds', async () => {
    const until = Date.now() + 60_000;
    mkdirSync(at('c'));
    writeFileSync(at('c', 'lease.json.1'), JSON.stringify({ epoch: 1, owner: 'web-1~pid:[1]|4711|1|x', until, base: null }));
    expect(await run(1, ['--checkpoint', at('c')])).toBe(1);
    expect(stderr).toMatch(/\[checkpoint\/held] Another process holds .*c \(process 4711 on web-1, for another \d+ ms\)\. .*--standby/);
    expect(await millrace('status', at('c'))).toBe(4);
    expect(stderr).toMatch(/\[job\/unreachable] The job on .*c is process 4711 on web-1, which does not listen here\./);
  });
});

describe('in an object store', () => {
  test('a job keeps its state there, is talked to, and goes on', async () => {
    const server = await S3Server.start();
    vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
    const location = `s3://checkpoints/jobs/ledger?endpoint=${server.endpoint}&region=${server.region}`;
    const flags = ['--checkpoint', location, '--every', '20ms', '--restore', 'latest'];
    const running = run(100_000, flags);
    await vi.waitFor(() => expect([...server.objects.keys()].some((name) => name.startsWith('jobs/ledger/manifests/'))).toBe(true), {
      timeout: 20_000,
    });
    expect(await millrace('status', location, '--json')).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ job: 'ledger', checkpoints: { location: 's3://checkpoints/jobs/ledger', failed: 0 } });
    expect(await millrace('stop', location)).toBe(0);
    expect(await running).toBe(0);
    const done = outputOf(at('output')).length;
    expect(await run(done + 10, flags)).toBe(0);
    expect(outputOf(at('output'))).toHaveLength(done + 10 + 3);
    expect(await millrace('checkpoint', 'list', location)).toBe(0);
    expect(stdout).toMatch(/^s3:\/\/checkpoints\/jobs\/ledger\n/);
    const manifest = /manifests\/\S+\.json/.exec(stdout)![0];
    expect(await millrace('checkpoint', 'inspect', location.replace('?', `/${manifest}?`))).toBe(0);
    await server.stop();
  });
});

describe('looking into checkpoints', () => {
  test('list, inspect and dump', async () => {
    expect(await run(31, ['--checkpoint', at('c'), '--every', '5ms', '--parallelism', '2'], ['--pause', '2'])).toBe(0);
    expect(await millrace('checkpoint', 'list', at('c'), '--json')).toBe(0);
    const listed = JSON.parse(stdout) as { checkpoints: { name: string; size: number }[] };
    const names = listed.checkpoints.map(({ name }) => name);
    expect(names).toEqual(names.toSorted().reverse());
    expect(await millrace('checkpoint', 'list', at('c'))).toBe(0);
    for (const name of names) expect(stdout).toContain(name);
    expect(await millrace('checkpoint', 'inspect', at('c', names[0]!))).toBe(0);
    expect(stdout).toMatch(
      /^checkpoint \d+ of "ledger"[^]*\n {2}every checksum fits\n[^]*\ncount \(process\) × 2: [^]*\n {2}n +keyed +3 +3 +\d+ B +value\n/,
    );
    expect(await millrace('checkpoint', 'inspect', at('c'), '--json')).toBe(0);
    const { operators } = JSON.parse(stdout) as { operators: { uid: string; keyGroups: Record<string, { keys: number }> }[] };
    expect(Object.values(operators.find(({ uid }) => uid === 'count')!.keyGroups).map(({ keys }) => keys)).toEqual([1, 1, 1]);
    expect(await millrace('checkpoint', 'dump', at('c'), '--uid', 'count', '--state', 'n', '--key', '1')).toBe(0);
    expect(stdout).toBe('{"state":"n","key":1,"value":10}\n');
    expect(await millrace('checkpoint', 'dump', at('c'), '--uid', 'output')).toBe(0);
  });

  test.each([
    [['inspect'], 2, /PATH is missing\. Write PATH/],
    [['inspect', 'a', 'b'], 2, /"b" is too much/],
    [['dump', 'NOTHING'], 2, /--uid is missing/],
    [['dump', 'NOTHING', '--uid', 'x'], 1, /\[checkpoint\/not-found] There is no checkpoint in/],
    [['list', 'NOTHING'], 1, /^$/],
    [['inspect', 'NOTHING'], 1, /\[checkpoint\/not-found]/],
    [['lst', 'a'], 2, /There is no command "checkpoint lst"\. Did you mean millrace checkpoint list/],
    [[], 2, /There is no command "checkpoint"\. Did you mean millrace checkpoint list or/],
  ])('checkpoint %j ends with %d', async (args, code, message) => {
    expect(await millrace('checkpoint', ...args.map((arg) => (arg === 'NOTHING' ? at('nothing') : arg)))).toBe(code);
    expect(stderr).toMatch(message);
  });
});

describe('talking to jobs', () => {
  test.each([
    [['status'], 2, /JOB is missing\. Write JOB/],
    [['savepoint', 'a'], 2, /PATH is missing\. Write JOB PATH/],
    [['stop', 'a', 'b'], 2, /"b" is too much/],
    [['status', 'a', '--', '--x'], 2, /"--" is too much/],
    [['status', 'NOTHING'], 4, /\[job\/unreachable] No job runs on .*nothing\. Look at the path/],
    [['cancel', 'NOTHING'], 4, /\[job\/unreachable]/],
  ])('%j ends with %d', async (args, code, message) => {
    expect(await millrace(...args.map((arg) => (arg === 'NOTHING' ? at('nothing') : arg)))).toBe(code);
    expect(stderr).toMatch(message);
  });

  test.each(['status', 'savepoint', 'stop', 'cancel', 'checkpoint list', 'checkpoint inspect', 'checkpoint dump'])(
    '%s has help',
    async (command) => {
      expect(await millrace(...command.split(' '), '--help')).toBe(0);
      expect(stdout).toContain(`Usage: millrace ${command} `);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    },
  );
});
