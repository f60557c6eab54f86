import { type FileHandle, mkdir, open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteOutput } from './byteOutput.ts';
import { TextWriter } from './textWriter.ts';

/** What a checkpoint holds of a file that is to be gone on with. Plain data. */
export interface UnfinishedFile {
  /** The directory of the finished file, relative to the sink's. */
  readonly bucket: string;
  readonly number: number;
  /** Its name while it is hidden. */
  readonly hidden: string;
  /** How many bytes of it belong to the checkpoint. */
  readonly length: number;
  /** How many bytes of text that is, before packing. */
  readonly size: number;
  /** Processing times in ms. */
  readonly createdAt: number;
  readonly writtenAt: number;
}

/** How a file is written. */
export interface RollingFileOptions {
  readonly packed: boolean;
  readonly footer: string;
  /** Counts written bytes. */
  readonly wrote: (bytes: number) => void;
}

/** A file in progress. Text is collected until `flush`; `sync` tells how far it is safe. */
export class RollingFile {
  readonly bucket: string;
  readonly number: number;
  readonly hidden: string;
  readonly createdAt: number;
  /** Bytes of text, before packing: what `roll.size` counts. */
  size: number;
  writtenAt: number;
  /** The number of the last record that was written to it, among all of its writer. */
  lastRecord = 0;
  /** A checkpoint may hold it. */
  isHeld = false;
  #length: number;
  #synced = false;
  #text = '';
  readonly #footer: string;
  readonly #writer: TextWriter;

  constructor(path: string, { bucket, number, hidden, createdAt, writtenAt, size, length }: UnfinishedFile, options: RollingFileOptions) {
    this.bucket = bucket;
    this.number = number;
    this.hidden = hidden;
    this.createdAt = createdAt;
    this.writtenAt = writtenAt;
    this.size = size;
    this.#length = length;
    this.#footer = options.footer;
    this.#writer = new TextWriter(lateOutput(path), path, options.packed, (bytes) => {
      this.#length += bytes;
      options.wrote(bytes);
    });
  }

  add(text: string): void {
    this.#text += text;
    this.size += Buffer.byteLength(text);
  }

  /** Hands collected text to the disk; a promise where the caller has to wait before adding more. */
  flush(at: number): Promise<void> | undefined {
    if (this.#text === '') return undefined;
    const text = this.#text;
    this.#text = '';
    this.#synced = false;
    this.writtenAt = at;
    return this.#writer.write(text);
  }

  /** Makes everything safe, and tells what a checkpoint has to know to go on. */
  async sync(): Promise<UnfinishedFile> {
    if (!this.#synced) await this.#writer.sync();
    this.#synced = true;
    this.isHeld = true;
    const { bucket, number, hidden, size, createdAt, writtenAt } = this;
    return { bucket, number, hidden, length: this.#length, size, createdAt, writtenAt };
  }

  /** Writes the end, and makes everything safe. */
  async finish(): Promise<void> {
    await this.#writer.write(this.#text + this.#footer);
    this.#text = '';
    await this.#writer.sync();
    await this.close();
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/** Adds what comes behind the last record to a file that nobody writes any more, and cuts it to its valid length before. */
export async function endFile(path: string, { length }: UnfinishedFile, { packed, footer }: RollingFileOptions): Promise<void> {
  await truncate(path, length);
  const writer = new TextWriter(lateOutput(path), path, packed, () => undefined);
  try {
    await writer.write(footer);
    await writer.sync();
  } finally {
    await writer.close();
  }
}

/** A file that is opened, or made with its directory, when there is something to write. */
function lateOutput(path: string): ByteOutput {
  let handle: FileHandle | undefined;
  const opened = async (): Promise<FileHandle> => {
    for (let tries = 1; handle === undefined; tries++) {
      await mkdir(dirname(path), { recursive: true });
      // Another subtask that ends removes the directory when nothing is in it.
      handle = await open(path, 'a').catch((error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' && tries < 10 ? undefined : Promise.reject(error),
      );
    }
    return handle;
  };
  return {
    fresh: true,
    write: async (bytes) => (await opened()).writeFile(bytes),
    sync: async () => (await opened()).sync(),
    close: async () => {
      await handle?.close();
      handle = undefined;
    },
  };
}
