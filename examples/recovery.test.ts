import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-recovery-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const at = (...parts: readonly string[]): string => join(folder, ...parts);

/** A checkpoint every 100 ms, of which the latest is gone on from. */
const CHECKPOINTS = (): readonly string[] => ['--checkpoint', at('checkpoints'), '--every', '100ms', '--restore', 'latest', '--quiet'];

/** Runs a job by the command; `until` is waited for and the process killed then. Returns whether it came to its end. */
async function millrace(args: readonly string[], until?: () => Promise<boolean>): Promise<boolean> {
  const child = spawn(process.execPath, ['core/bin/millrace.js', 'run', ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let isOver = false;
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on('close', (code, signal) => ((isOver = true), resolve(signal ?? code)));
  });
  while (until !== undefined && !isOver && !(await until())) await delay(5);
  if (until !== undefined) child.kill('SIGKILL');
  const end = await ended;
  if (end !== 'SIGKILL' && end !== 0) throw new Error(errors);
  return end === 0;
}

/** The number of the latest checkpoint. */
async function latest(): Promise<number> {
  const names = await readdir(at('checkpoints', 'manifests')).catch(() => []);
  return Math.max(0, ...names.map((name) => Number(/(\d+)\.json$/.exec(name)?.[1] ?? 0)));
}

/** All files of a directory with what they hold, the hidden ones too. */
async function filesOf(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(names.sort().map(async (name) => [relative(path, name), await readFile(name, 'utf8')] as const));
  return Object.fromEntries(contents);
}

/** Killed when two further checkpoints are complete, twice, and then left to come to its end. Returns how often it was killed. */
async function runDisturbed(example: string, flags: readonly string[]): Promise<number> {
  const args = [`examples/${example}`, ...CHECKPOINTS(), '--', ...flags];
  for (let kills = 0; kills < 2; kills++) {
    const before = await latest();
    if (await millrace(args, async () => (await latest()) >= before + 2)) return kills;
  }
  await millrace(args);
  return 2;
}

test('logins, killed midway and started again, writes exactly the files of an undisturbed run', async () => {
  const log = at('auth.log');
  await writeFile(log, loginLines(4000).join('\n'));
  const flags = ['--input', log, '--year', '2015'];
  await millrace(['examples/logins', '--quiet', '--', ...flags, '--output', at('plain')]);
  const killed = await runDisturbed('logins', [...flags, '--rate', '3000', '--output', at('disturbed')]);
  expect(killed).toBeGreaterThan(0);
  const plain = await filesOf(at('plain'));
  expect(Object.keys(plain).length).toBeGreaterThan(3);
  expect(await filesOf(at('disturbed'))).toEqual(plain);
}, 60_000);

test.each([['--output'], ['--alerts']])(
  'fraud, killed midway and started again, writes exactly the files of an undisturbed run: %s',
  async (flag) => {
    const target = (run: string): string => (flag === '--output' ? at(run) : at(run, 'alerts.jsonl'));
    await millrace(['examples/fraud', '--quiet', '--', '--days', '20', flag, target('plain')]);
    expect(await runDisturbed('fraud', ['--days', '20', flag, target('disturbed')])).toBeGreaterThan(0);
    expect(await filesOf(at('disturbed'))).toEqual(await filesOf(at('plain')));
  },
  60_000,
);

/** Lines of sshd: some addresses fail again and again, and get in now and then. */
function loginLines(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const stamp = new Date(Date.UTC(2015, 0, 10) + i * 7000).toUTCString().replace(/^\w+, (\d+) (\w+) \d+ ([\d:]+) GMT$/, '$2 $1 $3');
    const outcome = i % 97 === 0 ? 'Accepted' : 'Failed';
    return `${stamp} host sshd[${i}]: ${outcome} password for root from 10.0.0.${(i * 7) % 11} port 22 ssh2`;
  });
}
