import { chmod, lstat, mkdtemp, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { type CheckpointLocation, parseLocation } from './checkpointLocation.ts';
import { ensurePrivate, fits, POINTER, privateSocket, SOCKET } from './controlAddress.ts';
import { ControlSession } from './controlSession.ts';
import { type ControlledJob, JobControl } from './jobControl.ts';
import { platform } from './platform.ts';

/** How long answers may take to leave when the job is over, in ms. */
const LEAVING = 1_000;
/** What the directory is called in which a socket is made, and after how many ms one is a leftover: making takes a few. */
const MAKING = '.c-';
const LEFT_AFTER = 60_000;

/**
 * Lets the commands `millrace status`, `savepoint`, `stop` and `cancel` talk to a job that a program has started, as they do to one that
 * `millrace run` has. `location` is the job's checkpoint location: a directory, or `s3://BUCKET/PREFIX`. Close it when the job is over.
 *
 * @throws MillraceError `cli/usage` for a location that is none. Error when no socket can be made.
 * @example
 * env.from(generator({ create: (i) => i }), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
 * const job = await env.start('numbers', { checkpoint: { storage: directory('checkpoints/numbers') } });
 * const control = await controlSocket(job, 'checkpoints/numbers');
 * await job.stop(); // or: millrace stop checkpoints/numbers
 * await control.close();
 */
export async function controlSocket(job: ControlledJob, location: string): Promise<ControlSocket> {
  return ControlSocket.listen(job, await parseLocation(location));
}

/** A file that was made, and is taken away again if it is still the same. */
interface PlacedFile {
  readonly path: string;
  readonly inode: number;
}

/** The files that a socket stands for. */
interface Place {
  readonly socket: string;
  /** Tells where the socket is, if it is not where it is looked for first. */
  readonly pointer: string | undefined;
}

/**
 * Where a running job can be asked and told things: a unix socket of mode 0600 in its checkpoint directory. Where none can be there (its
 * path is too long, the file system has none, the location is an object store) it is in a private directory for temporary files. Whoever
 * holds the location takes the place of a socket that an earlier process has left.
 */
export class ControlSocket {
  /** Where it is. */
  readonly path: string;
  private readonly server: Server;
  private readonly sessions: Set<ControlSession>;
  private readonly files: readonly PlacedFile[];

  private constructor(server: Server, sessions: Set<ControlSession>, files: readonly PlacedFile[]) {
    this.server = server;
    this.sessions = sessions;
    this.files = files;
    this.path = files[0]!.path;
  }

  /**
   * Begins to listen. `onEnd` is told before a command ends the job.
   *
   * @throws Error when no socket can be made anywhere.
   * @internal
   */
  static async listen(
    job: ControlledJob,
    { storage, path }: Pick<CheckpointLocation, 'storage' | 'path'>,
    onEnd: (command: 'stop' | 'cancel') => void = () => undefined,
  ): Promise<ControlSocket> {
    const control = new JobControl(job, storage, onEnd, platform.clock.now());
    const sessions = new Set<ControlSession>();
    // Whoever looks for the socket may find it before this function has ended.
    const server = createServer((socket) => {
      const session = new ControlSession(socket, (request) => control.answer(request));
      sessions.add(session);
      socket.once('close', () => sessions.delete(session));
    }).unref();
    return new ControlSocket(server, sessions, await bindSomewhere(server, storage.location, path));
  }

  /**
   * Answers what was asked, and is gone.
   *
   * @example
   * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const job = await env.start('numbers', { checkpoint: { storage: directory('checkpoints/array') } });
   * const control = await controlSocket(job, 'checkpoints/array');
   * await job.finished;
   * await control.close();
   */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    // What another process has put in their place stays.
    for (const { path, inode } of this.files) if ((await inodeOf(path)) === inode) await unlink(path).catch(() => undefined);
    const left = Promise.all([...this.sessions].map((session) => session.close()));
    let cancel: () => void = () => undefined;
    await Promise.race([left, new Promise<void>((resolve) => (cancel = platform.clock.schedule(platform.clock.now() + LEAVING, resolve)))]);
    cancel();
    if (this.sessions.size === 0) await closed;
  }
}

async function bindSomewhere(server: Server, location: string, path: string | undefined): Promise<PlacedFile[]> {
  const elsewhere: Place = { socket: privateSocket(location), pointer: path && join(path, POINTER) };
  if (path !== undefined && fits(join(path, SOCKET))) {
    try {
      const files = await bind(server, { socket: join(path, SOCKET), pointer: undefined });
      await rm(join(path, POINTER), { force: true });
      return files;
    } catch {
      // A file system without sockets.
    }
  }
  await ensurePrivate(dirname(elsewhere.socket));
  return bind(server, elsewhere);
}

/**
 * Makes the socket in a directory of its own, which nobody else can enter, and gives it its name when only this user may use it. The
 * name then belongs to the newest owner, and closing an older socket does not take it away.
 */
async function bind(server: Server, { socket, pointer }: Place): Promise<PlacedFile[]> {
  await removeLeftovers(dirname(socket));
  const folder = await mkdtemp(join(dirname(socket), MAKING));
  try {
    const first = join(folder, 's');
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(first, resolve));
    await chmod(first, 0o600);
    await rename(first, socket);
    if (pointer !== undefined) {
      await writeFile(join(folder, 'p'), `${JSON.stringify({ socket })}\n`, { mode: 0o600 });
      await rename(join(folder, 'p'), pointer);
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const paths = [socket, ...(pointer === undefined ? [] : [pointer])];
  return Promise.all(paths.map(async (path) => ({ path, inode: (await inodeOf(path))! })));
}

/** A process that was killed while it made its socket has left the directory. */
async function removeLeftovers(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(MAKING));
  for (const name of names) {
    const path = join(folder, name);
    const changed = (await lstat(path).catch(() => undefined))?.mtimeMs;
    if (changed !== undefined && changed < Date.now() - LEFT_AFTER) await rm(path, { recursive: true, force: true });
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  return (await lstat(path).catch(() => undefined))?.ino;
}
