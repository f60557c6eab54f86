import { constants, type Stats } from 'node:fs';
import { copyFile, link, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { endFile, type RollingFileOptions, type UnfinishedFile } from './rollingFile.ts';
import { type FinishedName, HIDDEN, ownerOf } from './rollingFileName.ts';
import type { SinkOwner } from './sinkOwner.ts';
import { makeDirectory } from './makeDirectory.ts';
import { syncDirectory } from './syncDirectory.ts';
import { sinkFailed } from './textWriter.ts';

/** A file that is whole and safe, and still hidden. Plain data: the committable. */
export interface PendingFile {
  readonly hidden: string;
  readonly bucket: string;
  readonly subtask: number;
  readonly number: number;
}

/**
 * Gives hidden files their finished names. A name is given with a hard link, which fails where the name is taken: nothing is ever
 * overwritten, and whether it was given already shows by the file itself. Every step can be done again after a crash at any point.
 */
export class RollingFilePublisher {
  readonly #directory: string;
  readonly #names: FinishedName;

  constructor(directory: string, names: FinishedName) {
    this.#directory = directory;
    this.#names = names;
  }

  /** Makes the sink's directory. */
  open(): Promise<void> {
    return this.#guarded(() => makeDirectory(this.#directory));
  }

  hiddenPath(hidden: string): string {
    return join(this.#directory, HIDDEN, hidden);
  }

  /** The number after the last one that a finished file of the subtask has. */
  async nextNumber(subtask: number): Promise<number> {
    const entries = await readdir(this.#directory, { recursive: true, withFileTypes: true });
    let next = 0;
    for (const { name } of entries) next = Math.max(next, (this.#names.numberOf(name, subtask) ?? -1) + 1);
    return next;
  }

  /** Makes files visible that are whole. One that is not hidden any more was made visible before. */
  async publish(files: readonly PendingFile[]): Promise<void> {
    if (files.length === 0) return;
    await this.#guarded(async () => {
      const folders = new Set<string>();
      for (const file of files) folders.add(await this.#link(this.hiddenPath(file.hidden), file));
      for (const folder of folders) await syncDirectory(folder);
      for (const { hidden } of files) await unlink(this.hiddenPath(hidden)).catch(unlessCode('ENOENT'));
    });
  }

  /**
   * A copy of a file as a checkpoint holds it, under a name of its own, with `options.footer` behind it. The file itself stays as it is: who has
   * lost its place and does not know may still write to it, and who goes on from the same checkpoint needs it too.
   */
  async copyUnfinished(file: UnfinishedFile, hidden: string, options: RollingFileOptions): Promise<void> {
    await this.#guarded(async () => {
      const path = this.hiddenPath(hidden);
      if (!(await exists(this.hiddenPath(file.hidden)))) throw this.#gone(file);
      await this.#copy(this.hiddenPath(file.hidden), path, file);
      await endFile(path, file, options);
    });
  }

  async remove(hidden: string): Promise<void> {
    await this.#guarded(() => rm(this.hiddenPath(hidden), { force: true }));
  }

  async removeLeftBehind(owner: SinkOwner): Promise<void> {
    await this.#guarded(async () => {
      const names = await readdir(join(this.#directory, HIDDEN)).catch(unlessCode('ENOENT'));
      for (const name of names ?? []) if (owner.leftBehind(ownerOf(name))) await rm(this.hiddenPath(name), { force: true });
    });
  }

  /** Makes it durable which hidden files there are. */
  async syncHidden(): Promise<void> {
    await this.#guarded(() => syncDirectory(join(this.#directory, HIDDEN)));
  }

  /** Leaves nothing hidden behind where nothing is under way. */
  async close(): Promise<void> {
    await rmdir(join(this.#directory, HIDDEN)).catch(() => undefined);
  }

  /** Gives a file its finished name beside the hidden one. Returns the directory that it is in. */
  async #link(path: string, { bucket, subtask, number }: PendingFile): Promise<string> {
    const folder = join(this.#directory, bucket);
    const source = await stat(path).catch(unlessCode('ENOENT'));
    if (source === undefined) return this.#directory;
    await makeDirectory(folder);
    for (let copy = 0; !(await linkOnce(path, source, join(folder, this.#names.of(subtask, number, copy)))); copy++);
    return folder;
  }

  async #copy(from: string, to: string, { length }: UnfinishedFile): Promise<void> {
    const { size } = await stat(from);
    if (size < length) {
      throw new MillraceError('sink/failed', `${from} has ${size} bytes, of which a checkpoint holds ${length}.`, {
        remedy: 'Something has cut it. Restore from an older checkpoint, or put it back.',
      });
    }
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }

  #gone({ hidden, length }: UnfinishedFile): MillraceError {
    const path = this.hiddenPath(hidden);
    return new MillraceError('sink/failed', `The checkpoint goes on with ${path} behind ${length} bytes, and it is not there any more.`, {
      remedy:
        'A later checkpoint has finished it: what was made visible since cannot be taken back. Restore from the latest one; with roll: { checkpoint: true } older ones can be gone on from too.',
    });
  }

  async #guarded<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof MillraceError ? error : sinkFailed(this.#directory, error);
    }
  }
}

/** Gives a file one more name. False where another file has it. */
async function linkOnce(path: string, source: Stats, name: string): Promise<boolean> {
  try {
    await link(path, name);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process, which goes on from the same checkpoint, was quicker.
    if (code === 'ENOENT' && !(await exists(path))) return true;
    if (code !== 'EEXIST') throw error;
    const { ino, dev } = await stat(name);
    return ino === source.ino && dev === source.dev;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessCode('ENOENT'))) !== undefined;
}

function unlessCode(code: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === code) return undefined;
    throw error;
  };
}
