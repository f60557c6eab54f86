import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Where Debian and others keep the server's programs, the newest first; then the path. */
function programs(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, 'bin')), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.find((folder) => existsSync(join(folder, 'initdb')));
}

/** Servers refuse to run as root: then as the user that their package has made. */
function userOf(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return { uid: process.getuid!(), gid: process.getgid!() };
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    return undefined;
  }
}

/** A PostgreSQL server of the tests' own, on a Unix socket in a directory of its own. */
export class PostgresServer {
  readonly folder: string;
  readonly connection: { readonly host: string; readonly user: string; readonly database: string };
  readonly #programs: string;
  readonly #user: { readonly uid: number; readonly gid: number };
  #server: ChildProcess | undefined;

  private constructor(folder: string, bin: string, user: { readonly uid: number; readonly gid: number }) {
    this.folder = folder;
    this.connection = { host: folder, user: 'tester', database: 'postgres' };
    this.#programs = bin;
    this.#user = user;
  }

  /** Whether there is one to be had here; else why not. */
  static missing(): string | undefined {
    if (process.platform === 'win32' || programs() === undefined)
      return 'PostgreSQL is not installed (no initdb): apt-get install postgresql';
    return userOf() === undefined ? 'PostgreSQL does not run as root, and there is no user postgres' : undefined;
  }

  static async start(prepared: number): Promise<PostgresServer> {
    const user = userOf()!;
    const folder = mkdtempSync(join(tmpdir(), 'millrace-pg-'));
    chownSync(folder, user.uid, user.gid);
    const server = new PostgresServer(folder, programs()!, user);
    const flags = ['--auth=trust', '--username=tester', '--encoding=UTF8', '--locale=C', '--no-sync', '-D', join(folder, 'data')];
    execFileSync(join(server.#programs, 'initdb'), flags, { ...user, cwd: folder, stdio: 'pipe' });
    await server.run(prepared);
    return server;
  }

  /** Starts it, with so many prepared transactions allowed. */
  async run(prepared: number): Promise<void> {
    const options = { fsync: 'off', listen_addresses: '', unix_socket_directories: this.folder, max_prepared_transactions: prepared };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(join(this.#programs, 'postgres'), ['-D', join(this.folder, 'data'), ...flags], {
      ...this.#user,
      cwd: this.folder,
      stdio: 'ignore',
    });
    this.#server = server;
    process.once('exit', () => server.kill('SIGQUIT'));
    while (server.exitCode === null) {
      try {
        await this.rows('SELECT 1');
        return;
      } catch {
        await delay(20);
      }
    }
    throw new Error(`The server has ended with ${server.exitCode}.`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGINT');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What a query gives, from a connection of its own. */
  async rows(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client(this.connection);
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(sql);
      return result.rows;
    } finally {
      await client.end();
    }
  }
}
