import { randomBytes } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { makeDirectory } from './makeDirectory.ts';
import { syncDirectory } from './syncDirectory.ts';

/**
 * Checkpoints in a directory. Each object is written beside its place, made durable (fsync), and renamed; the directory is made durable
 * too. Conditional writes go through an exclusive file.
 *
 * @throws MillraceError `checkpoint/storage` naming the path, when a write or read fails.
 * @example
 * env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).sinkTo(print(), { uid: 'output' });
 * await env.execute('numbers', { checkpoint: { storage: directory('checkpoints'), every: { seconds: 10 } } });
 * // 1
 * // 2
 * // 3
 */
export function directory(path: string): CheckpointStorage {
  return new DirectoryStorage(resolve(path));
}

class DirectoryStorage implements CheckpointStorage {
  readonly location: string;

  constructor(path: string) {
    this.location = path;
  }

  write(name: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.guarded(name, async () => {
      const temporary = await this.writeTemporary(name, parts);
      await rename(temporary, this.path(name));
      await syncDirectory(dirname(this.path(name)));
    });
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.guarded(name, () => readFile(this.path(name)).catch(absent));
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.guarded(prefix, async () => {
      const folder = join(this.location, prefix.slice(0, prefix.lastIndexOf('/') + 1));
      const entries = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent)) ?? [];
      const names = entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(this.location, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
      return names.filter((name) => name.startsWith(prefix) && !name.includes('.tmp-')).sort();
    });
  }

  remove(name: string): Promise<void> {
    return this.guarded(name, () => rm(this.path(name), { force: true }));
  }

  /** The object's content is the file of its newest generation. A generation can be made once: linking a name that exists fails. */
  async writeIf(name: string, content: Uint8Array, expected: string | undefined): Promise<string | undefined> {
    return this.guarded(name, async () => {
      const next = Number(expected ?? 0) + 1;
      const temporary = await this.writeTemporary(name, [content]);
      try {
        await link(temporary, this.path(`${name}.${next}`));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
        throw error;
      } finally {
        await unlink(temporary);
      }
      const generations = await this.generations(name);
      // A writer that slept may make a generation that was cleaned up long ago: then a newer one is there. Or all of them are gone.
      if (generations.at(-1) !== next || (expected !== undefined && !generations.includes(next - 1))) {
        await rm(this.path(`${name}.${next}`), { force: true });
        return undefined;
      }
      await syncDirectory(dirname(this.path(name)));
      for (const old of generations.slice(0, -1)) await rm(this.path(`${name}.${old}`), { force: true });
      return String(next);
    });
  }

  readToken(name: string): Promise<{ readonly content: Uint8Array; readonly token: string } | undefined> {
    return this.guarded(name, async () => {
      for (;;) {
        const newest = (await this.generations(name)).at(-1);
        if (newest === undefined) return undefined;
        const content = await readFile(this.path(`${name}.${newest}`)).catch(absent);
        // Gone between the two calls: a newer one has come.
        if (content !== undefined) return { content, token: String(newest) };
      }
    });
  }

  private async generations(name: string): Promise<number[]> {
    const prefix = `${basename(name)}.`;
    const entries = (await readdir(dirname(this.path(name))).catch(absent)) ?? [];
    const numbers = entries.filter((entry) => entry.startsWith(prefix)).map((entry) => Number(entry.slice(prefix.length)));
    return numbers.filter(Number.isSafeInteger).sort((a, b) => a - b);
  }

  private path(name: string): string {
    return join(this.location, name);
  }

  private async writeTemporary(name: string, parts: readonly Uint8Array[]): Promise<string> {
    await makeDirectory(dirname(this.path(name)));
    const temporary = `${this.path(name)}.tmp-${randomBytes(6).toString('hex')}`;
    const file = await open(temporary, 'wx');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await file.close();
    return temporary;
  }

  private async guarded<R>(name: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw new MillraceError('checkpoint/storage', `${this.path(name)} cannot be used: ${describeError(error)}.`, {
        remedy: 'Give a directory that can be written and has room. Earlier checkpoints are untouched.',
        cause: error,
      });
    }
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
