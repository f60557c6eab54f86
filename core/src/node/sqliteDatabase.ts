import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';

/** A prepared statement, as far as it is used. */
export interface SqliteStatement {
  run(parameters: readonly SqliteValue[]): unknown;
  get(parameters: readonly SqliteValue[]): Readonly<Record<string, unknown>> | undefined;
  all(parameters: readonly SqliteValue[]): readonly Readonly<Record<string, unknown>>[];
}

/** What SQLite holds. */
export type SqliteValue = string | number | bigint | Uint8Array | null;

interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** How long another's transaction is waited for, in ms. */
const PATIENCE = 60_000;
/** Statements that are run before everything else has its turn. */
const TURN = 1000;

/** A connection to a database. Nothing blocks: others' locks are waited for, and long transactions leave the event loop turns. */
export class SqliteDatabase {
  readonly #path: string;
  readonly #connection: Connection;
  readonly #statements = new Map<string, SqliteStatement>();
  /** A transaction at a time. */
  #last: Promise<unknown> = Promise.resolve();
  /** A connection that is used once it is closed ends the whole process. */
  #isClosed = false;

  private constructor(path: string, connection: Connection) {
    this.#path = path;
    this.#connection = connection;
  }

  /**
   * Opens a file, or makes it and its directory.
   *
   * @throws MillraceError `package/missing`, `sink/failed`
   */
  static async open(path: string): Promise<SqliteDatabase> {
    const open = await loadSqlite();
    try {
      await mkdir(dirname(path), { recursive: true });
      return new SqliteDatabase(path, open(path));
    } catch (error) {
      throw databaseFailed(path, error);
    }
  }

  /**
   * Does some work in a transaction, which is the only one that writes; with `local` tables of this connection alone. Nothing of it stays
   * when it fails.
   */
  transaction(work: () => void | Promise<void>, isLocal = false): Promise<void> {
    const run = this.#last.then(() => this.#inTransaction(work, isLocal));
    this.#last = run.catch(() => undefined);
    return run;
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  /** Runs SQL in no transaction; all of it again where others hold the database. */
  async setUp(sql: string): Promise<void> {
    await this.#patiently(sql).catch((error: unknown) => Promise.reject(databaseFailed(this.#path, error)));
  }

  /** A statement, prepared once. */
  statement(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#connection.prepare(sql)));
    return statement;
  }

  /** Runs a statement for each of some rows, and lets everything else have its turn meanwhile. */
  async runAll(sql: string, rows: Iterable<readonly SqliteValue[]>): Promise<void> {
    const statement = this.statement(sql);
    let left = TURN;
    for (const row of rows) {
      statement.run(row);
      if (--left > 0) continue;
      left = TURN;
      await setImmediate();
    }
  }

  async close(): Promise<void> {
    await this.#last;
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#statements.clear();
    this.#connection.close();
  }

  async #inTransaction(work: () => void | Promise<void>, isLocal: boolean): Promise<void> {
    if (this.#isClosed) throw databaseFailed(this.#path, new Error('the connection is closed'));
    let isBegun = false;
    try {
      await this.#patiently(isLocal ? 'BEGIN' : 'BEGIN IMMEDIATE');
      isBegun = true;
      await work();
      // Without a write-ahead log, whoever reads holds it up.
      await this.#patiently('COMMIT');
    } catch (error) {
      if (isBegun) this.#rollBack();
      throw databaseFailed(this.#path, error);
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // What failed has rolled it back already: a full disk does.
    }
  }

  async #patiently(sql: string): Promise<void> {
    const start = performance.now();
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
      try {
        this.#connection.exec(sql);
        return;
      } catch (error) {
        if (!codeOf(error).startsWith('SQLITE_BUSY') || performance.now() - start > PATIENCE) throw error;
      }
      await setTimeout(pause);
    }
  }
}

async function loadSqlite(): Promise<(path: string) => Connection> {
  try {
    const { default: Database } = await import('libsql');
    return (path) => new Database(path) as unknown as Connection;
  } catch (cause) {
    if (!codeOf(cause).endsWith('MODULE_NOT_FOUND')) throw cause;
    throw new MillraceError('package/missing', 'Writing to SQLite needs the package "libsql".', {
      remedy: 'Install it: npm install libsql.',
      cause,
    });
  }
}

function databaseFailed(path: string, error: unknown): MillraceError {
  if (isMillraceError(error)) return error;
  return new MillraceError('sink/failed', `${path} cannot be written: ${describeError(error)}.`, {
    remedy: remedyFor(error),
    cause: error,
  });
}

function remedyFor(error: unknown): string {
  const code = codeOf(error);
  if (code.startsWith('SQLITE_BUSY')) return 'Another process has held the database for a minute: look which one.';
  if (code.startsWith('SQLITE_CONSTRAINT'))
    return 'Filter such elements out, name the key if rows are to take the places of others, or mend the rows where they wait: in millrace_staged_….';
  if (code === 'SQLITE_NOTADB' || code === 'SQLITE_CORRUPT') return 'It is no database, or damaged: name another file.';
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') return 'Make room, and run the job again.';
  if (code === 'SQLITE_READONLY') return 'See to its permissions.';
  if (code === 'SQLITE_ERROR') return 'Compare table, columns and key with the database; setup can make the table.';
  return 'See to its path and permissions.';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
