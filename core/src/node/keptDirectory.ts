import { openSync } from 'node:fs';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import { crc32 as plainCrc32 } from '../checkpoint/checksum.ts';
import type { StoredRecords } from '../state/recordSorter.ts';
import type { KeptFile, KeptSpace } from '../state/spill.ts';
import { processIdentity } from './processIdentity.ts';
import { spillFile } from './spillDirectory.ts';

type Checksum = (bytes: Uint8Array, previous?: number) => number;

// Node 20.15 and later.
const crc32: Checksum = 'crc32' in zlib ? (zlib.crc32 as Checksum) : plainCrc32;

/** What names of directories begin with; then comes whose they are. */
const PREFIX = 'millrace-results-';
/** Files are read through in pieces of so many bytes. */
const PIECE = 2 ** 20;

/** Files in a directory that all hosts of a job share: what one has written another reads, also when that one is gone. */
export function keptDirectory(directory: string): KeptSpace {
  return {
    create() {
      const name = randomBytes(12).toString('hex');
      return keptFile(openSync(join(directory, name), 'wx+', 0o600), { name, length: 0, checksum: 0 });
    },
    open: (kept) => keptFile(openSync(join(directory, kept.name), 'r'), kept),
  };
}

function keptFile(descriptor: number, { name, length, checksum }: KeptFile): ReturnType<KeptSpace['open']> {
  const file = spillFile(descriptor, length);
  let sum = checksum;
  return {
    get length() {
      return file.length;
    },
    get kept() {
      return { name, length: file.length, checksum: sum };
    },
    append(bytes) {
      file.append(bytes);
      sum = crc32(bytes, sum);
    },
    read: (offset, wanted) => file.read(offset, wanted),
    remove: () => file.remove(),
  };
}

/** The directory of a job's results, for the process that started the job. */
export class ResultDirectory {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one where temporary files are (`TMPDIR`), and removes those of processes that are gone. */
  static async make(parent: string = tmpdir()): Promise<ResultDirectory> {
    const others = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
    for (const name of others) if (isLeft(name)) await rm(join(parent, name), { recursive: true, force: true });
    return new ResultDirectory(await mkdtemp(join(parent, `${PREFIX}${Buffer.from(processIdentity.own).toString('base64url')}.`)));
  }

  /** Whether all of it is there, as it was written. */
  async isWhole({ files }: StoredRecords): Promise<boolean> {
    for (const file of files) if (!(await this.#isWhole(file).catch(() => false))) return false;
    return true;
  }

  drop({ files }: StoredRecords): void {
    for (const { name } of files) void rm(join(this.path, name), { force: true }).catch(() => undefined);
  }

  /** Removes all other files. While nobody writes. */
  async retain(records: readonly StoredRecords[]): Promise<void> {
    const names = new Set(records.flatMap(({ files }) => files.map(({ name }) => name)));
    for (const name of await readdir(this.path)) if (!names.has(name)) await rm(join(this.path, name), { force: true });
  }

  /** What cannot be removed now the next job removes: it is no failure of this one. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true }).catch(() => undefined);
  }

  async #isWhole({ name, length, checksum }: KeptFile): Promise<boolean> {
    const file = await open(join(this.path, name));
    try {
      if ((await file.stat()).size !== length) return false;
      const piece = new Uint8Array(PIECE);
      let sum = 0;
      for (let read = -1; read !== 0; sum = crc32(piece.subarray(0, read), sum)) ({ bytesRead: read } = await file.read(piece, 0, PIECE));
      return sum === checksum;
    } finally {
      await file.close();
    }
  }
}

function isLeft(name: string): boolean {
  const owner = name.slice(PREFIX.length).split('.')[0]!;
  return processIdentity.isGone(Buffer.from(owner, 'base64url').toString());
}
