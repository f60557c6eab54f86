import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { discard, generator, type Job, memoryStorage, readSavepoint, StreamEnvironment } from '../../src/index.ts';
import { directory } from '../../src/node.ts';
import { parseLocation } from '../../src/node/checkpointLocation.ts';
import { privateSocket } from '../../src/node/controlAddress.ts';
import { askJob } from '../../src/node/controlClient.ts';
import { controlSocket, ControlSocket } from '../../src/node/controlSocket.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
let folder: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-control-'))));
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** A job that never ends, with its checkpoints in `path`. */
async function start(path: string): Promise<Job> {
  const env = new StreamEnvironment();
  env.from(generator({ rate: 1000, create: (i) => i }), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
  const job = await env.start('endless', { logger: SILENT, checkpoint: { storage: directory(path) } });
  closing.push(() => job.cancel());
  return job;
}

async function listen(job: Job, path: string): Promise<ControlSocket> {
  const control = await controlSocket(job, path);
  closing.push(() => control.close());
  return control;
}

/** Talks to a socket by hand. */
async function talk(path: string, text: string, answers: number): Promise<string[]> {
  const socket = await new Promise<Socket>((resolve) => {
    const connecting = createConnection(path, () => resolve(connecting));
  });
  return new Promise((resolve) => {
    let received = '';
    const end = (): void => {
      socket.destroy();
      resolve(received.split('\n').slice(0, -1));
    };
    socket.setEncoding('utf8').on('error', end).on('close', end);
    socket.on('data', (data: string) => {
      received += data;
      if (received.split('\n').length > answers) end();
    });
    socket.write(text);
  });
}

const unreachable = (text: RegExp): unknown => expect.objectContaining({ code: 'job/unreachable', message: expect.stringMatching(text) });

describe('the socket', () => {
  test('is there, for this user alone, while the job runs, and leaves nothing behind', async () => {
    const job = await start(folder);
    const control = await listen(job, folder);
    expect(control.path).toBe(join(folder, 'control.sock'));
    const { mode } = lstatSync(control.path);
    expect([mode & 0o777, mode & 0o170000]).toEqual([0o600, 0o140000]);
    await job.stop();
    await control.close();
    expect(readdirSync(folder).sort()).toEqual([expect.stringMatching(/^lease/), 'manifests', 'state']);
  });

  test('takes the place of one that a killed process has left', async () => {
    const script = `require('net').createServer().listen(${JSON.stringify(join(folder, 'control.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(join(folder, 'control.sock'))).toBe(true);
    await expect(askJob(await parseLocation(folder), { command: 'status' })).rejects.toEqual(unreachable(/No job runs on/));
    const job = await start(folder);
    await listen(job, folder);
    expect((await askJob(await parseLocation(folder), { command: 'status' })).job).toBe('endless');
  });

  test('removes the directory in which a killed process was making one, and not one that is being made', async () => {
    const job = await start(folder);
    const [left, fresh] = ['.c-left', '.c-fresh'].map((name) => join(folder, name)) as [string, string];
    for (const path of [left, fresh]) mkdirSync(path);
    const before = new Date(Date.now() - 120_000);
    utimesSync(left, before, before);
    await listen(job, folder);
    expect([existsSync(left), existsSync(fresh)]).toEqual([false, true]);
  });

  test('of a process that was replaced goes without taking that of its successor with it', async () => {
    const job = await start(folder);
    const first = await listen(job, folder);
    const second = await listen(job, folder);
    await first.close();
    expect(existsSync(second.path)).toBe(true);
    await askJob(await parseLocation(folder), { command: 'status' });
  });

  test('is elsewhere, privately, where its path would be too long', async () => {
    const path = join(folder, 'long'.repeat(20), 'long'.repeat(10));
    const job = await start(path);
    const control = await listen(job, path);
    expect(control.path).toBe(privateSocket(path));
    expect(lstatSync(control.path).mode & 0o777).toBe(0o600);
    const pointer = join(path, 'control.json');
    expect(lstatSync(pointer).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(pointer, 'utf8'))).toEqual({ socket: control.path });
    expect((await askJob(await parseLocation(path), { command: 'status' })).job).toBe('endless');
    await control.close();
    expect([existsSync(control.path), existsSync(pointer)]).toEqual([false, false]);
  });

  test('of an object store is elsewhere too', async () => {
    const job = await start(folder);
    const location = { storage: { ...memoryStorage(), location: 's3://bucket/prefix' }, path: undefined, manifest: undefined };
    const control = await ControlSocket.listen(job, location);
    closing.push(() => control.close());
    expect(control.path).toBe(privateSocket('s3://bucket/prefix'));
    expect((await askJob(location, { command: 'status' })).job).toBe('endless');
  });

  test('is not made in a directory that others have made for it', async () => {
    const path = join(folder, 'long'.repeat(30));
    mkdirSync(path);
    const job = await start(folder);
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = folder;
    const squatted = join(folder, `millrace-${process.getuid!()}`);
    mkdirSync(squatted);
    chmodSync(squatted, 0o777);
    await expect(controlSocket(job, path)).rejects.toThrow(/not private/);
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });

  test.skipIf(process.getuid?.() !== 0)('turns another user away', async () => {
    chmodSync(folder, 0o755);
    const job = await start(folder);
    await listen(job, folder);
    const script = `require('net').connect(${JSON.stringify(join(folder, 'control.sock'))}).on('error', (e) => console.log(e.code)).on('connect', () => process.exit())`;
    const { stdout } = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534, encoding: 'utf8' });
    expect(stdout).toBe('EACCES\n');
  });
});

describe('commands', () => {
  test('status tells all there is', async () => {
    const job = await start(folder);
    await listen(job, folder);
    await job.checkpoint();
    const report = await askJob(await parseLocation(folder), { command: 'status' });
    expect(report).toMatchObject({ version: 1, job: 'endless', status: 'running', process: process.pid, attempts: 1, progress: null });
    expect(report.checkpoints).toMatchObject({ location: folder, epoch: 1, completed: 1, failed: 0 });
    expect(report.checkpoints!.recent).toEqual([expect.objectContaining({ checkpoint: 1, kind: 'checkpoint', size: expect.any(Number) })]);
    expect(report.metrics.operators.map(({ uid }) => uid)).toEqual(['numbers', 'output']);
  });

  test('savepoint: written and named; a place that is taken, or cannot be written, is refused, and the job goes on', async () => {
    const job = await start(folder);
    await listen(job, folder);
    const location = await parseLocation(folder);
    const target = join(folder, 'savepoint');
    expect(await askJob(location, { command: 'savepoint', target })).toMatchObject({ location: target, kind: 'savepoint', checkpoint: 1 });
    expect((await readSavepoint(directory(target))).kind).toBe('savepoint');
    writeFileSync(join(folder, 'file'), '');
    for (const wrong of [target, folder, join(folder, 'file', 'x')]) {
      await expect(askJob(location, { command: 'savepoint', target: wrong })).rejects.toMatchObject({ code: 'checkpoint/storage' });
      await expect(askJob(location, { command: 'stop', drain: false, target: wrong })).rejects.toMatchObject({
        code: 'checkpoint/storage',
      });
    }
    await expect(askJob(location, { command: 'savepoint', target: 'ftp://x/y' })).rejects.toMatchObject({ code: 'cli/usage' });
    expect(job.status).toBe('running');
  });

  test('stop answers when the job has ended, also while the socket is being closed', async () => {
    const job = await start(folder);
    const control = await listen(job, folder);
    const target = join(folder, 'savepoint');
    void job.finished.then(() => control.close());
    const answer = await askJob(await parseLocation(folder), { command: 'stop', drain: true, target });
    expect(answer).toMatchObject({ location: target });
    expect(job.status).toBe('finished');
    // What the savepoint made visible is in the job's own latest checkpoint too.
    expect(job.checkpoints()!.recent.map(({ kind }) => kind)).toEqual(['checkpoint', 'savepoint']);
    await expect(askJob(await parseLocation(folder), { command: 'status' })).rejects.toEqual(unreachable(/the last was process \d+ on /));
  });

  test('cancel', async () => {
    const job = await start(folder);
    const ended: string[] = [];
    const control = await ControlSocket.listen(job, await parseLocation(folder), (command) => ended.push(command));
    closing.push(() => control.close());
    expect(await askJob(await parseLocation(folder), { command: 'cancel' })).toBeNull();
    expect([job.status, ended]).toEqual(['canceled', ['cancel']]);
  });

  test('what is no command, no request, or no end of line', async () => {
    const job = await start(folder);
    const { path } = await listen(job, folder);
    const [accepted, refused] = await talk(path, '{"id":7,"command":"dance"}\n', 2);
    expect(JSON.parse(accepted!)).toEqual({ id: 7, accepted: true });
    expect(JSON.parse(refused!)).toMatchObject({ id: 7, error: { code: 'job/protocol', problem: expect.stringContaining('"dance"') } });
    for (const text of ['nonsense', '[]', '{"command":"status"}', 'null']) {
      expect(JSON.parse((await talk(path, `${text}\n`, 1))[0]!)).toMatchObject({ id: 0, error: { code: 'job/protocol' } });
    }
    expect(JSON.parse((await talk(path, '{"id":1,"command":"savepoint"}\n', 2))[1]!)).toMatchObject({ error: { code: 'job/protocol' } });
    expect(await talk(path, 'x'.repeat(2 ** 21), 1)).toEqual([]);
    // Two at once, in pieces; the answers tell which is which.
    const both = await talk(path, '{"id":1,"command":"status"}\n\n{"id":2,"command":"status"}\n', 4);
    expect(both.map((line) => (JSON.parse(line) as { id: number }).id).sort((a, b) => a - b)).toEqual([1, 1, 2, 2]);
  });
});

describe('nobody to talk to', () => {
  test('a place where no job has ever run', async () => {
    await expect(askJob(await parseLocation(join(folder, 'nothing')), { command: 'status' })).rejects.toEqual(
      unreachable(/No job runs on .*Look at the path/),
    );
  });

  test('a job that does not listen, or runs elsewhere', async () => {
    await start(folder);
    await expect(askJob(await parseLocation(folder), { command: 'status' })).rejects.toEqual(
      unreachable(/is process \d+ on \S+, which does not listen here/),
    );
  });

  test('a process that does not answer, and one that goes away', async () => {
    const silent = createServer().listen(join(folder, 'control.sock'));
    const held: Socket[] = [];
    silent.on('connection', (socket) => held.push(socket));
    await new Promise((resolve) => silent.once('listening', resolve));
    await expect(askJob(await parseLocation(folder), { command: 'status' }, 50)).rejects.toEqual(unreachable(/does not answer/));
    silent.removeAllListeners('connection').on('connection', (socket) => socket.destroy());
    await expect(askJob(await parseLocation(folder), { command: 'status' })).rejects.toEqual(unreachable(/ended before it answered/));
    for (const socket of held) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});
