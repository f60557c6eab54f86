import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { execute } from '../../src/cli/main.ts';

const fixtures = relative(process.cwd(), fileURLToPath(new URL('fixtures', import.meta.url)));

let stdout = '';
let stderr = '';
beforeEach(() => {
  stdout = stderr = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((stdout += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((stderr += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

/** The command in this process; what it says is in `stdout` and `stderr`. */
const millrace = (...args: readonly string[]): Promise<number> => execute(args, { loadTypeScript: async () => undefined });
const run = (fixture: string, ...args: readonly string[]): Promise<number> => millrace('run', `${fixtures}/${fixture}`, ...args);

describe('about itself', () => {
  test('help names the commands and all exit codes; without arguments it is a mistake', async () => {
    expect(await millrace('--help')).toBe(0);
    for (const code of ['0', '1', '2', '3', '4', '130, 143', '141']) expect(stdout).toMatch(new RegExp(`^ {2}${code} {2,}\\S`, 'm'));
    for (const command of [
      'run',
      'explain',
      'status',
      'savepoint',
      'stop',
      'cancel',
      'checkpoint list',
      'checkpoint inspect',
      'checkpoint dump',
    ])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} [A-Z]`, 'm'));
    const help = stdout;
    expect(await millrace('-h')).toBe(0);
    expect(stdout).toBe(help + help);
    expect(await millrace()).toBe(2);
    expect(stderr).toBe(help);
  });

  test('help of a command lists its flags', async () => {
    expect(await millrace('run', '--help')).toBe(0);
    for (const flag of ['mode', 'parallelism', 'seed', 'on-error', 'dead-letter', 'metrics', 'config', 'quiet', 'verbose'])
      expect(stdout).toContain(`  --${flag}`);
    stdout = '';
    expect(await millrace('explain', '-h')).toBe(0);
    for (const flag of ['format', 'mode', 'parallelism', 'config']) expect(stdout).toContain(`  --${flag}`);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('the version is that of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string };
    expect(await millrace('--version')).toBe(0);
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  test.each([
    [['rnu', 'x'], 'Did you mean millrace run?'],
    [['examples/logins'], 'To run a job: millrace run examples/logins'],
    [['--wat'], 'millrace --help'],
    [['run'], 'Which job?'],
    [['run', 'a', 'b'], '"b" is too much'],
    [['run', 'a', '--days', '3'], 'flags of the job come after --'],
    [['run', 'a', '--mode', 'batched'], 'Give one of: streaming, batch, automatic.'],
    [['run', 'a', '--paralelism', '3'], 'Did you mean --parallelism?'],
  ])('%j is a mistake', async (args, text) => {
    expect(await millrace(...args)).toBe(2);
    expect(stderr).toMatch(/^millrace: \[cli\/usage] /);
    expect(stderr).toContain(text);
    expect(stdout).toBe('');
  });
});

describe('run', () => {
  test('a job in batch mode, with a policy for what fails', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    expect(await run('poison', '--on-error', 'skip', '--mode', 'batch')).toBe(0);
    expect(log.mock.calls).toEqual([[1], [3]]);
    expect(stderr).toMatch(/^warning: \[operator\/failed] uid "picky": .*bad luck.\n[^]*2 rejected\n$/);
  });

  test('help of a job goes to standard output', async () => {
    expect(await run('numbers', '--', '--help')).toBe(0);
    expect(stdout).toMatch(/--max-digits NUMBER[^]*--\[no-]decimals {2,}with decimals/);
    expect(stderr).toBe('');
  });

  test('a job that gives nothing says where its elements went', async () => {
    expect(await run('empty')).toBe(0);
    expect(stderr).toMatch(/^warning: \[job\/no-output][^]*\nlarge +filter +3 +0 +0 +0 +3 {2}← let nothing pass\n/);
    stderr = '';
    expect(await run('empty', '--quiet')).toBe(0);
    expect(stderr).toBe('');
  });

  test('metrics on standard output, as Prometheus reads them', async () => {
    expect(await run('empty', '--quiet', '--metrics', '-')).toBe(0);
    expect(stdout).toMatch(/^# HELP millrace_records_in_total/);
  });

  test.each([
    ['numbers', [], 2, /^millrace: \[config\/invalid] The job "numbers" needs --label\./],
    ['numbers', ['--config', 'none.json'], 2, /\[config\/invalid] The configuration file none\.json cannot be read/],
    ['empty', ['--parallelism', '0'], 2, /\[cli\/usage] --parallelism cannot be 0/],
    [
      'lines',
      ['--', '--log-file', 'no-such.log'],
      1,
      /\[source\/not-found] uid "lines": There is no file no-such\.log\. Give another: --log-file PATH\./,
    ],
    ['empty', ['--metrics', 'no/such/folder/metrics.json'], 1, /\[sink\/failed] The metrics cannot be written/],
    ['numberz', [], 3, /\[job\/not-found] .*Did you mean .*\/numbers\?/],
    ['broken', [], 3, /^millrace: \[job\/import-failed] .*the database is gone.*\n$/],
    ['badExport', [], 3, /\[job\/no-default-export]/],
  ] as const)('%s %j ends with %d', async (fixture, args, expected, message) => {
    expect(await run(fixture, ...args)).toBe(expected);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test('with --verbose errors tell their cause and where it is', async () => {
    expect(await run('broken', '--verbose')).toBe(3);
    expect(stderr).toMatch(/\[cause]: TypeError: the database is gone\n +at .*broken\/job\.ts/);
  });
});

test('explain writes the plan as text, JSON and Mermaid', async () => {
  const explain = async (...args: readonly string[]): Promise<string> => {
    stdout = '';
    expect(await millrace('explain', `${fixtures}/poison`, ...args)).toBe(0);
    return stdout;
  };
  expect(await explain('--parallelism', '2')).toContain('task 1 × 2\n  source [numbers]');
  expect(JSON.parse(await explain('--format', 'json', '--mode', 'batch'))).toMatchObject({ mode: 'batch', chains: [{ parallelism: 1 }] });
  expect(await explain('--format', 'mermaid')).toMatch(/^flowchart LR\n/);
  expect(await explain('--dead-letter', 'dead.jsonl')).toContain('[dead-letters]');
});
