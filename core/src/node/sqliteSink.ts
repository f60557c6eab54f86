import { resolve } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { defineSink, type Sink } from '../operators/connector.ts';
import { type StagedRows, sinkTableOf, type TableOptions } from './sinkTable.ts';
import { SqliteDatabase } from './sqliteDatabase.ts';
import { SqliteWriter } from './sqliteWriter.ts';

/** Options of {@link sqliteSink}. */
export interface SqliteSinkOptions<T> extends TableOptions<T> {
  /** SQL that is run first, by every subtask and in no transaction: `CREATE TABLE IF NOT EXISTS …`. It has to bear being run again. Default: none. */
  readonly setup?: string;
}

/**
 * Writes each element as a row of a table of a SQLite database, exactly once with checkpoints: rows wait in a table `millrace_staged_…` of the same database
 * until their checkpoint is complete, and are then moved together with the checkpoint's number and the epoch of the job, in one transaction.
 * A process that has lost its job to another one is refused. Without checkpoints, and in batch mode, rows appear when the job ends.
 *
 * Whole numbers become integers, booleans 0 and 1, dates text in ISO 8601, byte arrays blobs, objects and arrays JSON, `null` and missing fields NULL. Where a
 * row breaks a constraint when it is moved, the job fails and its rows still wait: mend the table or the rows, and start it again.
 *
 * Needs the optional package `libsql`. With `PRAGMA journal_mode = WAL` in `setup` others can read while rows are moved; the database remembers it.
 *
 * @throws MillraceError `config/invalid`. When it runs: `package/missing`; `sink/failed` if the database cannot be written, an element does not fit, or a
 * checkpoint's rows are gone; `checkpoint/fenced`.
 * @example
 * const orders = env.from(fromArray([{ id: 1, cents: 300 }, { id: 2, cents: 50 }, { id: 1, cents: 400 }]));
 * const setup = 'CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL)';
 * orders.sinkTo(sqliteSink('shop.db', { table: 'orders', columns: ['id', 'cents'], key: ['id'], setup }), { uid: 'table' });
 * await env.execute('orders');
 */
export function sqliteSink<T extends object>(path: string, options: SqliteSinkOptions<T>): Sink<T> {
  if (path === '' || path === ':memory:') {
    throw new MillraceError('config/invalid', `SQLite sink: "${path}" is no file.`, { remedy: 'Name one: every subtask opens it.' });
  }
  const table = sinkTableOf('SQLite sink', options);
  const { setup = '' } = options;
  const file = resolve(path);
  return defineSink<T, StagedRows>({
    name: `table ${table.table} of ${path}`,
    async open(context) {
      const database = await SqliteDatabase.open(file);
      try {
        return await SqliteWriter.open<T>(database, table, context, setup);
      } catch (error) {
        await database.close();
        throw error;
      }
    },
  });
}
