import { type FileHandle, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { makeDirectory } from './makeDirectory.ts';

/** Where bytes go. */
export interface ByteOutput {
  /** Whether nothing stands there yet. */
  readonly fresh: boolean;
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when all that was written survives a power cut, where the target can promise that. */
  sync(): Promise<void>;
  /** How many bytes stand there; unknown where bytes cannot be taken back. */
  length?(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** A file; missing directories are made. What it held is cut, unless `append`. */
export async function fileOutput(path: string, append: boolean): Promise<ByteOutput> {
  await makeDirectory(dirname(path));
  const handle = await open(path, append ? 'a' : 'w');
  return {
    fresh: (await handle.stat()).size === 0,
    write: (bytes) => handle.writeFile(bytes),
    sync: () => sync(handle),
    length: async () => {
      const found = await handle.stat();
      return found.isFile() ? found.size : undefined;
    },
    close: () => handle.close(),
  };
}

/** Cuts a file that has become longer. */
export async function shortenFile(path: string, length: number): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
  if (found !== undefined && found.size > length) await truncate(path, length);
}

/** Standard output, or another stream. When its reader has gone (`| head`), the rest is dropped without a word, as Unix tools do. */
export function streamOutput(stream: Writable): ByteOutput {
  if (!guarded.has(stream)) stream.on('error', () => undefined);
  guarded.add(stream);
  return {
    fresh: true,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => {
          if (error && !isClosedPipe(error)) reject(error);
          else resolve();
        });
      }),
    sync: () => Promise.resolve(),
    close: () => Promise.resolve(), // the process owns it
  };
}

/** A stream emits its error after it has told the writer, and without a listener that ends the process. */
const guarded = new WeakSet<Writable>();

function isClosedPipe(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}

async function sync(handle: FileHandle): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    // A pipe or a device has nothing to sync.
    if (!(error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP'))) throw error;
  }
}
