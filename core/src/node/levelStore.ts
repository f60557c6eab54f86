import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { KeyStore, RecordChange, StoreSnapshot } from '../state/keyStore.ts';

type Database = ClassicLevel<Uint8Array, Uint8Array>;
type LevelModule = Pick<typeof import('classic-level'), 'ClassicLevel'>;

/** Key groups are dealt out to so many databases: each has fewer levels than one would have, and rewrites a record less often. */
const DATABASES = 8;
/** Memory of all databases together, in bytes: blocks that were read, and records that gather before they are sorted. */
const BLOCKS = 32 * 2 ** 20;
const GATHERED = 128 * 2 ** 20;
/**
 * Files are small, and a database holds so many open: to open one again for every other record costs more than all else. LevelDB maps the first
 * thousand of a process, which count as resident memory (1 GB at most, however large the state is), and reads from the others.
 */
const FILE = 2 ** 20;
const OPEN_FILES = 500;
const PREFIX = 'millrace-state-';
/** A key begins with the number of its backend and its key group, of two bytes each. */
const LOW_BYTE = 3;
const LAST = new Uint8Array(16).fill(0xff);

/**
 * A store of records in LevelDB, in a directory of its own under `parent` that goes with it. What processes have left there that
 * were killed is removed.
 *
 * @throws MillraceError `package/missing`; `state/store` where the directory cannot be used.
 */
export async function openLevelStore(parent: string = tmpdir()): Promise<KeyStore> {
  const level = await loadLevel();
  let directory: string | undefined;
  const databases: Database[] = [];
  try {
    await removeLeftOver(level, parent);
    directory = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
    for (let i = 0; i < DATABASES; i++) databases.push(await openDatabase(level, join(directory, String(i))));
  } catch (cause) {
    await Promise.allSettled(databases.map((database) => database.close()));
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    throw storeFailure(`The state directory in ${parent} cannot be used`, cause);
  }
  return new LevelStore(directory, databases);
}

async function loadLevel(): Promise<LevelModule> {
  try {
    return await import('classic-level');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MillraceError('package/missing', 'State on disk needs the package "classic-level".', {
      remedy: 'Install it: npm install classic-level.',
      cause,
    });
  }
}

async function openDatabase({ ClassicLevel: Level }: LevelModule, location: string): Promise<Database> {
  const database = new Level<Uint8Array, Uint8Array>(location, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    cacheSize: BLOCKS / DATABASES,
    writeBufferSize: GATHERED / DATABASES,
    maxFileSize: FILE,
    maxOpenFiles: OPEN_FILES,
  });
  await database.open();
  return database;
}

/** The directory of a process that is gone is not locked any more. One of another machine, or of a container, is. */
async function removeLeftOver({ ClassicLevel: Level }: LevelModule, parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!(pid > 0) || isRunning(pid)) continue;
    const directory = join(parent, name);
    try {
      for (const database of await readdir(directory)) await Level.destroy(join(directory, database));
      await rm(directory, { recursive: true, force: true });
    } catch {
      // Somebody holds it after all.
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

class LevelStore implements KeyStore {
  private readonly directory: string;
  private readonly databases: readonly Database[];

  constructor(directory: string, databases: readonly Database[]) {
    this.directory = directory;
    this.databases = databases;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.databases[key[LOW_BYTE]! % DATABASES]!.getSync(key);
    } catch (cause) {
      throw storeFailure('State cannot be read from the state directory', cause);
    }
  }

  async write(changes: Iterable<RecordChange>): Promise<void> {
    // Arrays, not chained batches: those keep their memory outside of the heap until they happen to be collected.
    const batches = this.databases.map(
      (): ({ type: 'put'; key: Uint8Array; value: Uint8Array } | { type: 'del'; key: Uint8Array })[] => [],
    );
    for (const { key, record } of changes) {
      const batch = batches[key[LOW_BYTE]! % DATABASES]!;
      batch.push(record === undefined ? { type: 'del', key } : { type: 'put', key, value: record });
    }
    try {
      await Promise.all(batches.map(async (batch, i) => batch.length > 0 && this.databases[i]!.batch(batch)));
    } catch (cause) {
      throw storeFailure('State cannot be written to the state directory', cause);
    }
  }

  snapshot(): StoreSnapshot {
    const views = this.databases.map((database) => ({ database, snapshot: database.snapshot() }));
    const viewOf = (key: Uint8Array): (typeof views)[number] => views[key[LOW_BYTE]! % DATABASES]!;
    return {
      get(key) {
        const { database, snapshot } = viewOf(key);
        return database.getSync(key, { snapshot });
      },
      async scan(prefix, after, limit) {
        const { database, snapshot } = viewOf(prefix);
        const to = Buffer.concat([prefix, LAST]);
        const range = after === undefined ? { gte: prefix } : { gt: after };
        return database.iterator({ ...range, lte: to, limit, snapshot, fillCache: false }).all();
      },
      release() {
        for (const { snapshot } of views) void snapshot.close();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.databases.map((database) => database.close()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** LevelDB tells what the system said in the message of the error's cause. */
function storeFailure(problem: string, cause: unknown): MillraceError {
  const told = describeError(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
  if (/no space left|ENOSPC|disk full|quota/i.test(told) || /no space left|ENOSPC/i.test(describeError(cause))) {
    return new MillraceError('state/disk-full', `${problem}: the disk is full.`, {
      remedy:
        'Make room, or name a directory on a larger disk: state: { backend: "disk", directory }. The job goes on from its latest checkpoint.',
      cause,
    });
  }
  return new MillraceError('state/store', `${problem}: ${told}.`, {
    remedy: 'Name a directory that can be written, on a disk that is sound: state: { backend: "disk", directory }.',
    cause,
  });
}
