import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The socket in a checkpoint directory, and the file that says where it is when it cannot be there. */
export const SOCKET = 'control.sock';
export const POINTER = 'control.json';

/** A socket's path may be this long on every system, in bytes. */
const LONGEST_PATH = 103;

/** Whether a socket can have a path. */
export function fits(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_PATH;
}

/** Where the socket for a location is when it cannot be in the location itself: in a directory that is this user's alone. */
export function privateSocket(location: string): string {
  const folder = `millrace-${process.getuid?.() ?? userInfo().username}`;
  const name = `${createHash('sha256').update(location).digest('hex').slice(0, 24)}.sock`;
  const path = join(tmpdir(), folder, name);
  return fits(path) ? path : join('/tmp', folder, name);
}

/**
 * Makes a directory that only this user can look into, or makes sure that it is one: others may have been there first.
 *
 * @throws Error
 */
export async function ensurePrivate(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  const isOwn = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !isOwn || (found.mode & 0o077) !== 0) throw new Error(`${folder} is not private to this user`);
}

/** Where the job of a location may be listening, most likely first. */
export async function socketsOf(location: string, path: string | undefined): Promise<readonly string[]> {
  const elsewhere = privateSocket(location);
  if (path === undefined) return [elsewhere];
  const inside = join(path, SOCKET);
  const pointed = await readFile(join(path, POINTER), 'utf8').then(socketIn, () => undefined);
  return [...(fits(inside) ? [inside] : []), ...(pointed === undefined ? [elsewhere] : [pointed])];
}

function socketIn(text: string): string | undefined {
  try {
    const { socket } = JSON.parse(text) as { readonly socket?: unknown };
    return typeof socket === 'string' ? socket : undefined;
  } catch {
    return undefined;
  }
}
