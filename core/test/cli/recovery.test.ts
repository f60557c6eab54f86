import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MillraceError } from '../../src/index.ts';
import { parseLocation } from '../../src/node/checkpointLocation.ts';
import { askJob } from '../../src/node/controlClient.ts';
import type { JobReport } from '../../src/node/controlProtocol.ts';

const binary = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));
const ledger = fileURLToPath(new URL('fixtures/ledger', import.meta.url));

let folder: string;
const commands: Command[] = [];
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'millrace-recovery-'))));
afterAll(async () => {
  // Those that a test which failed has left.
  for (const { child } of commands) child.kill('SIGKILL');
  await Promise.all(commands.map(({ ended }) => ended));
  rmSync(folder, { recursive: true, force: true });
});

/** The command in a process of its own. */
class Command {
  stdout = '';
  stderr = '';
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  private readonly watchers = new Set<() => void>();

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [binary, ...args]);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => this.see((this.stdout += text)));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => this.see((this.stderr += text)));
    this.ended = new Promise((resolve) => this.child.on('close', (code) => resolve(code)));
    void this.ended.then(() => this.see(''));
    commands.push(this);
  }

  /** Fulfilled when the command has said something, or has ended. */
  says(text: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (text.test(this.stdout + this.stderr)) resolve();
        else if (this.child.exitCode !== null) reject(new Error(`It ended without ${String(text)}:\n${this.stdout}${this.stderr}`));
      };
      this.watchers.add(look);
      look();
    });
  }

  private see(_text: string): void {
    for (const look of this.watchers) look();
  }
}

/** Runs the command to its end. */
async function millrace(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const command = new Command(...args);
  return { code: await command.ended, stdout: command.stdout, stderr: command.stderr };
}

let places = 0;
/** Where a job of these tests has its checkpoints and its output. */
function newPlace(): { readonly checkpoints: string; readonly output: string; readonly savepoint: string } {
  const place = join(folder, String(++places));
  return { checkpoints: join(place, 'checkpoints'), output: join(place, 'output'), savepoint: join(place, 'savepoint') };
}

const outputOf = (path: string): string[] =>
  (existsSync(path) ? readdirSync(path).filter((file) => !file.endsWith('.tmp')) : [])
    .flatMap((file) => readFileSync(join(path, file), 'utf8').trimEnd().split('\n'))
    .sort();
const numberOf = (line: string): number => Number(line.split(':')[0]);

/** What an undisturbed run has written when it has read `count` numbers. */
function expected(count: number, ends: boolean): string[] {
  const lines = Array.from({ length: count }, (_, n) => `${n}: ${n % 3} has ${Math.floor(n / 3) + 1}`);
  return [...lines, ...(ends ? [0, 1, 2].map((key) => `end: ${key} has ${Math.floor((count - key + 2) / 3)}`) : [])].sort();
}

/** The output is that of a job which was stopped somewhere: everything up to a number, each once. */
function expectPrefix(path: string): number {
  const lines = outputOf(path);
  expect(lines).toEqual(expected(lines.length, false));
  return lines.length;
}

/** Waits until a job has made something of its output visible. */
async function untilWritten(path: string, lines = 1): Promise<void> {
  while (outputOf(path).length < lines) await new Promise((resolve) => setImmediate(resolve));
}

/** Asks a job that runs, or is about to listen. */
async function statusOf(path: string): Promise<JobReport> {
  for (;;) {
    try {
      return await askJob(await parseLocation(path), { command: 'status' });
    } catch (error) {
      if ((error as MillraceError).code !== 'job/unreachable') throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const quick = ['--every', '30ms'];

describe.concurrent('a job that is killed and started again', () => {
  test('writes what an undisturbed one does', async () => {
    const { checkpoints, output } = newPlace();
    const args = ['run', ledger, '--checkpoint', checkpoints, ...quick];
    const first = new Command(...args, '--', '--output', output, '--count', '1500');
    await untilWritten(output);
    first.child.kill('SIGKILL');
    expect(await first.ended).toBeNull();
    expect(existsSync(join(checkpoints, 'control.sock'))).toBe(true);
    const { code, stderr, stdout } = await millrace(
      ...args,
      '--restore',
      'latest',
      '--parallelism',
      '2',
      '--',
      '--output',
      output,
      '--count',
      '1500',
    );
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^The job "ledger" goes on from checkpoint \d+\.\n[^]*"ledger" finished in/)]);
    expect(stdout).toMatch(/^begun [1-9]/);
    expect(outputOf(output)).toEqual(expected(1500, true));
    expect(readdirSync(checkpoints).sort()).toEqual([expect.stringMatching(/^lease/), 'manifests', 'state']);
  });

  test('is taken over by a standby, which says that it waits', async () => {
    const { checkpoints, output } = newPlace();
    const args = ['run', ledger, '--checkpoint', checkpoints, '--every', '30ms', '--restore', 'latest'];
    const first = new Command(...args, '--', '--output', output);
    await untilWritten(output);
    const second = new Command(...args, '--standby', '--', '--output', output);
    await second.says(/The job "ledger" waits for .*checkpoints, which another process holds\.\n/);
    const third = new Command(...args, '--standby', '--', '--output', output);
    await third.says(/waits for/);
    third.child.kill('SIGTERM');
    expect([await third.ended, third.stderr]).toEqual([143, expect.not.stringContaining('millrace:')]);
    expect((await statusOf(checkpoints)).process).toBe(first.child.pid);
    first.child.kill('SIGKILL');
    await second.says(/goes on from checkpoint/);
    await second.says(/begun/);
    const after = await statusOf(checkpoints);
    expect([after.process, after.checkpoints!.epoch]).toEqual([second.child.pid, 2]);
    second.child.kill('SIGTERM');
    expect([await second.ended, second.stderr]).toEqual([143, expect.stringMatching(/"ledger" stopped by SIGTERM after/)]);
    // With the last checkpoint everything that was read has been written, and goes on behind it.
    const done = expectPrefix(output);
    expect(await millrace(...args, '--', '--output', output, '--count', String(done + 100))).toMatchObject({
      code: 0,
      stdout: `begun ${done}\n`,
    });
    expect(outputOf(output)).toEqual(expected(done + 100, true));
  });
});

describe.concurrent('a running job', () => {
  test('status, savepoint, stop with a savepoint; and another parallelism from it', async () => {
    const { checkpoints, output, savepoint } = newPlace();
    const job = new Command('run', ledger, '--checkpoint', checkpoints, ...quick, '--', '--output', output);
    await untilWritten(output);
    const status = await millrace('status', checkpoints);
    expect(status.stdout).toMatch(
      /^ledger\n {2}status +running[^]*\n {2}epoch +1\n {2}checkpoints +\d+ complete, 0 failed(?:, 1 under way)?\n[^]*\ncount +process +1 /,
    );
    const written = await millrace('savepoint', checkpoints, savepoint);
    expect([written.code, written.stdout]).toEqual([0, expect.stringMatching(/^Savepoint \d+ is in .*savepoint \(\d.*, \d+ ms\)\.\n$/)]);
    const stopped = await millrace('stop', checkpoints, '--savepoint', `${savepoint}2`);
    expect([stopped.code, stopped.stdout, stopped.stderr]).toEqual([0, expect.stringContaining('Savepoint'), 'The job has stopped.\n']);
    expect([await job.ended, job.stderr]).toEqual([0, expect.stringMatching(/^"ledger" stopped by millrace stop after/m)]);
    const done = expectPrefix(output);
    const from = async (restore: string, ...more: string[]) => {
      const place = newPlace();
      const run = await millrace(
        'run',
        ledger,
        '--checkpoint',
        place.checkpoints,
        '--restore',
        restore,
        ...more,
        '--',
        '--output',
        place.output,
        '--count',
        String(done + 20),
      );
      return { ...run, lines: outputOf(place.output) };
    };
    const whole = expected(done + 20, true);
    // The second savepoint holds what was written last as committed already; another output begins with it.
    const second = await from(`${savepoint}2`, '--parallelism', '3');
    expect([second.code, second.stdout, second.lines.at(-1)]).toEqual([0, `begun ${done}\n`, whole.at(-1)]);
    expect(second.lines.filter((line) => numberOf(line) >= done)).toEqual(whole.filter((line) => numberOf(line) >= done));
  });

  test('stop leaves open what is open; stop --drain lets time go to its end', async () => {
    const { checkpoints, output } = newPlace();
    const args = ['run', ledger, '--checkpoint', checkpoints, '--restore', 'latest', ...quick, '--', '--output', output];
    const first = new Command(...args);
    await untilWritten(output);
    expect((await millrace('stop', checkpoints)).code).toBe(0);
    expect(await first.ended).toBe(0);
    const done = expectPrefix(output);
    const second = new Command(...args);
    await untilWritten(output, done + 1);
    expect((await millrace('stop', checkpoints, '--drain')).code).toBe(0);
    expect(await second.ended).toBe(0);
    const lines = outputOf(output);
    expect(lines).toEqual(expected(lines.length - 3, true));
  });

  test('cancel drops what is under way; failures are told while it restarts', async () => {
    const { checkpoints, output } = newPlace();
    const args = ['run', ledger, '--checkpoint', checkpoints, ...quick, '--restart', 'fixed:1ms:1', '--', '--output', output];
    const job = new Command(...args, '--fail-at', '50');
    await job.says(/warning: The job "ledger" failed and starts again in 1ms? .*on purpose/);
    await untilWritten(output);
    expect((await statusOf(checkpoints)).attempts).toBe(2);
    expect(await millrace('cancel', checkpoints)).toMatchObject({ code: 0, stderr: 'The job was canceled.\n' });
    expect([await job.ended, job.stderr]).toEqual([1, expect.stringMatching(/"ledger" canceled by millrace cancel after .*\n$/)]);
  });
});
