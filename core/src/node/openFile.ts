import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { isAbsent, notFound } from './fileSet.ts';

/** A file that is open for reading. */
export interface OpenFile {
  readonly handle: FileHandle;
  /** The name it was opened by. */
  readonly path: string;
  /** Device and inode: the same file under whatever name. */
  readonly id: string;
  /** In bytes, when it was opened. */
  readonly size: number;
  /** As its first bytes tell, and not its name. */
  readonly gzipped: boolean;
}

/**
 * Opens a file.
 *
 * @throws MillraceError `source/not-found`, `source/failed`
 */
export async function openFile(path: string): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    // Before it is opened: the opening of a pipe waits until somebody writes to it.
    if (!(await stat(path)).isFile()) throw new Error('it is no regular file');
    handle = await open(path);
    const found = await handle.stat({ bigint: true });
    return { handle, path, id: fileId(found), size: Number(found.size), gzipped: await isGzipped(handle) };
  } catch (error) {
    await handle?.close();
    if (isAbsent(error)) throw await notFound([path]);
    throw unreadable(path, error);
  }
}

/** What a source says when a file cannot be read. */
export function unreadable(path: string, cause: unknown): MillraceError {
  return new MillraceError('source/failed', `${path} cannot be read: ${describeError(cause)}.`, {
    remedy: 'See to the file and its permissions; read pipes and standard input with fromIterable(process.stdin).',
    cause,
  });
}

async function isGzipped(handle: FileHandle): Promise<boolean> {
  const start = Buffer.alloc(3);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  return bytesRead === start.length && start[0] === 0x1f && start[1] === 0x8b && start[2] === 8;
}

/** What tells a file from every other one. */
export function fileId(found: BigIntStats): string {
  return `${found.dev}:${found.ino}`;
}

/** The file that a name means now, if any. */
export async function lookUp(
  path: string,
): Promise<{ readonly id: string; readonly size: number; readonly changedAt: bigint } | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return { id: fileId(found), size: Number(found.size), changedAt: found.mtimeNs };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
