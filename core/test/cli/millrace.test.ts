import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const binary = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));
const fixtures = relative(process.cwd(), fileURLToPath(new URL('fixtures', import.meta.url)));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For files, and for modules that import the package. */
let folder: string;
let modules: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  const cache = fileURLToPath(new URL('../../../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  modules = mkdtempSync(join(cache, 'millrace-cli-'));
});
afterAll(() => [folder, modules].forEach((path) => rmSync(path, { recursive: true })));

/** A copy of a fixture in a package of CommonJS: a TypeScript job is an ES module all the same. */
function commonJs(fixture: string): string {
  const path = join(modules, fixture);
  cpSync(`${fixtures}/${fixture}`, path, { recursive: true });
  writeFileSync(join(path, 'package.json'), '{ "type": "commonjs" }');
  return path;
}

/** Starts the real command. `onOutput` sees standard output as it comes. */
function start(args: readonly string[], onOutput?: (text: string, child: ChildProcessWithoutNullStreams) => void): Promise<Outcome> {
  const child = spawn(process.execPath, [binary, ...args]);
  const outcome = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text;
    onOutput?.(text, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...outcome })));
}

const run = (fixture: string, ...args: readonly string[]): Promise<Outcome> => start(['run', `${fixtures}/${fixture}`, ...args]);

describe.concurrent('millrace', () => {
  test('runs a TypeScript job from its folder, with flags from its schema', async () => {
    const { code, stdout, stderr } = await run(
      'numbers',
      '--',
      '--label',
      'n',
      '--count',
      '4',
      '--skip',
      '2',
      '--order',
      'down',
      '--no-decimals',
    );
    expect([code, stdout]).toEqual([0, 'n4\nn3\nn1\n']);
    expect(stderr).toMatch(/^"numbers" finished in \d+ ms: 4 in \(.*\), 3 out, 0 late, 0 rejected\n$/);
  });

  test('a config file, quiet, metrics: standard output is the job’s', async () => {
    const config = join(folder, 'config.json');
    const metrics = join(folder, 'metrics.json');
    writeFileSync(config, JSON.stringify({ label: 'x', count: 2 }));
    const { code, stdout, stderr } = await run('numbers', '--config', config, '--quiet', '--metrics', metrics, '--', '--json');
    expect([code, stdout, stderr]).toEqual([0, '{"n":1}\n{"n":2}\n', '']);
    expect(JSON.parse(readFileSync(metrics, 'utf8'))).toMatchObject({
      job: 'numbers',
      operators: [{ uid: 'numbers', recordsIn: 2 }, {}, {}, {}],
    });
  });

  test('a wrong flag, and a module that is not there', async () => {
    const [wrong, missing] = await Promise.all([run('numbers', '--', '--lable', 'x'), run('numberz')]);
    expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([
      2,
      '',
      'millrace: [cli/usage] There is no flag --lable. Did you mean --label?\n',
    ]);
    expect([missing.code, missing.stdout]).toEqual([3, '']);
    expect(missing.stderr).toMatch(/^millrace: \[job\/not-found] .*Did you mean .*numbers\?\n$/);
  });

  test('a failed job: one line, and with --verbose where it comes from', async () => {
    const [plain, verbose] = await Promise.all([run('poison'), run('poison', '--verbose')]);
    expect([plain.code, plain.stdout]).toEqual([1, '1\n']);
    expect(plain.stderr).toMatch(
      /^"poison" failed after .*\nmillrace: \[operator\/failed] uid "picky": A user function threw: bad luck\..*\n$/,
    );
    expect(verbose.code).toBe(1);
    expect(verbose.stderr).toMatch(/\[cause]: Error: bad luck\n.*poison\/job\.ts/);
  });

  test('dead letters: what was refused and why, whole, and the job goes on', async () => {
    const file = join(folder, 'dead.jsonl');
    const { code, stdout, stderr } = await start(['run', commonJs('records'), '--dead-letter', file, '--', '--hang']);
    expect([code, stdout]).toEqual([0, '1\n3\n']);
    expect(stderr).toContain('4 in (');
    expect(stderr).toMatch(/2 rejected \(2 to the dead letters\)\n$/);
    const letters = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(
      letters.map((line) => JSON.parse(line) as unknown).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ).toEqual([
      { place: 'no twos', code: 'operator/failed', reason: 'two', value: { id: '2' } },
      { place: 'rows.csv:2', code: 'csv/malformed', reason: 'It has 3 columns.', value: 'a,b,c' },
    ]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops a job in order', async (signal, expected) => {
    const args = ['run', `${fixtures}/endless`];
    const { code, stdout, stderr } = await start(args, (text, child) => text.includes('begun') && child.kill(signal));
    expect([code, stdout]).toEqual([expected, 'begun\n']);
    expect(stderr).toMatch(new RegExp(`^Stopping: [^]*"endless" stopped by ${signal} after .*\\nexit ${expected}\\n$`));
  });

  test('the second signal cancels at once what does not stop', async () => {
    const child = spawn(process.execPath, [binary, 'run', `${fixtures}/endless`, '--', '--stuck']);
    let stderr = '';
    child.stdout.once('data', () => child.kill('SIGINT'));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (text.includes('Stopping')) child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, stderr]).toEqual([130, expect.stringMatching(/"endless" canceled by SIGINT/)]);
  });

  test('a reader that goes away ends the job without a word', async () => {
    const child = spawn(process.execPath, [binary, 'run', `${fixtures}/endless`, '--', '--flood']);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect([code, stderr]).toEqual([141, 'exit 141\n']);
  });
});
