import { defineSink, type Sink } from '../operators/connector.ts';
import type { PreparedRows } from './postgresPrepared.ts';
import type { PostgresConnection } from './postgresSession.ts';
import { PostgresWriter } from './postgresWriter.ts';
import { type StagedRows, sinkTableOf, type TableOptions } from './sinkTable.ts';

/** Options of {@link postgresSink}. */
export interface PostgresSinkOptions<T> extends TableOptions<T> {
  /** A URL such as `postgres://user@host/database`, or its parts. */
  readonly connection: string | PostgresConnection;
  /** Where the table is. Default: where the server finds it. */
  readonly schema?: string;
  /**
   * Writes rows in transactions that are prepared with a checkpoint (`PREPARE TRANSACTION`) and committed when it is complete. It writes everything
   * once instead of twice, and what breaks a constraint is found before the checkpoint is. The server has to allow it
   * (`max_prepared_transactions`, which is 0 at first); where it does not, rows wait in a table. Default: false.
   */
  readonly prepared?: boolean;
  /** SQL that is run first, by every subtask: `CREATE TABLE IF NOT EXISTS …`. Default: none. */
  readonly setup?: string;
}

/**
 * Writes each element as a row of a PostgreSQL table, exactly once with checkpoints: rows wait in a table `millrace_staged_…` beside it until
 * their checkpoint is complete, and are then moved together with the checkpoint's number and the epoch of the job, in one transaction. A process that
 * has lost its job to another one is refused. Without checkpoints, and in batch mode, rows appear when the job ends.
 *
 * The server turns values into the types of the columns, as it does with JSON: dates are text in ISO 8601 to it, bigints numbers, byte arrays `bytea`, arrays
 * arrays, and objects `json`, `jsonb` or rows. `null` and missing fields are NULL. Where a row breaks a constraint when it is moved, the job fails and its
 * rows still wait: mend the table or the rows, and start it again.
 *
 * Needs the optional package `pg`, PostgreSQL 11 or later, and the right to create tables in the table's schema.
 *
 * @throws MillraceError `config/invalid`. When it runs: `package/missing`; `sink/failed` if the table cannot be written, an element does not fit, or a
 * checkpoint's rows are gone; `checkpoint/fenced`.
 * @example
 * const orders = postgresSink<{ id: number; cents: number }>({
 *   connection: 'postgres://shop@localhost/shop',
 *   table: 'orders',
 *   columns: ['id', 'cents'],
 *   key: ['id'],
 * });
 * console.log(orders.definition.name); // table orders
 */
export function postgresSink<T extends object>(options: PostgresSinkOptions<T>): Sink<T> {
  const { connection, schema, prepared = false, setup = '' } = options;
  const table = sinkTableOf('PostgreSQL sink', options);
  return defineSink<T, StagedRows | PreparedRows, PreparedRows>({
    name: `table ${table.table}`,
    open: (context) => PostgresWriter.open<T>({ connection, schema, table, prepared, setup }, context),
  });
}
