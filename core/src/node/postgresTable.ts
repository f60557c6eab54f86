import { MillraceError } from '../errors/millraceError.ts';
import type { PostgresColumn } from './postgresRows.ts';
import type { PostgresSession } from './postgresSession.ts';
import { onConflict, OWN, quoted, quotedAll, type SinkTable, stageOf } from './sinkTable.ts';

/** Finds the row that says which epoch owns the sink, and keeps it as it is until the statement is done. */
const FENCE = (sinks: string): string => `fence AS (SELECT 1 FROM ${sinks} WHERE sink = $1 AND epoch = $2 FOR SHARE)`;

/** Where a sink writes, and the statements that it needs. */
export class PostgresTable {
  readonly name: string;
  readonly sinks: string;
  readonly commits: string;
  readonly columns: readonly PostgresColumn[];
  readonly #schema: string;
  readonly #table: SinkTable;

  private constructor(schema: string, table: SinkTable, columns: readonly PostgresColumn[]) {
    this.#schema = schema;
    this.#table = table;
    this.columns = columns;
    this.name = this.#at(table.table);
    this.sinks = this.#at(`${OWN}sinks`);
    this.commits = this.#at(`${OWN}commits`);
  }

  /** Looks the table up. */
  static async find(session: PostgresSession, schema: string | undefined, table: SinkTable): Promise<PostgresTable> {
    const path = schema === undefined ? quoted(table.table) : `${quoted(schema)}.${quoted(table.table)}`;
    const { rows } = await session.query(
      `SELECT n.nspname AS schema, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
       FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
      [path],
    );
    const missing = (what: string): MillraceError =>
      new MillraceError('sink/failed', `There is no ${what}.`, {
        remedy: 'Compare table, schema and columns with the database; setup can make the table.',
      });
    if (rows.length === 0) throw missing(`table ${path} that can be seen`);
    const columns = table.columns.map((column) => {
      const found = rows.find(({ name }) => name === column);
      if (found === undefined) throw missing(`column "${column}" in ${path}`);
      return { name: column, type: String(found['type']), isRequired: found['required'] === true };
    });
    return new PostgresTable(String(rows[0]!['schema']), table, columns);
  }

  /** The epoch that owns a sink; 0 where none does. */
  async epoch(session: PostgresSession, sink: string): Promise<number> {
    const { rows } = await session.query(`SELECT epoch FROM ${this.sinks} WHERE sink = $1`, [sink]);
    return Number(rows[0]?.['epoch'] ?? 0);
  }

  /** Lets an epoch own a sink, unless a newer one does: then that. Makes the tables of the bookkeeping where they are missing. */
  async takeOver(session: PostgresSession, sink: string, epoch: number): Promise<number | undefined> {
    const { rows: found } = await session.query('SELECT to_regclass($1) AS sinks, to_regclass($2) AS commits', [this.sinks, this.commits]);
    // Even where they are there, making them takes rights that not every user has.
    if (found[0]!['sinks'] === null) await session.query(`CREATE TABLE ${this.sinks} (sink text PRIMARY KEY, epoch bigint NOT NULL)`);
    if (found[0]!['commits'] === null)
      await session.query(
        `CREATE TABLE ${this.commits} (writer text, round bigint, checkpoint bigint, epoch bigint NOT NULL, PRIMARY KEY (writer, round))`,
      );
    await session.query(
      `INSERT INTO ${this.sinks} AS known (sink, epoch) VALUES ($1, $2)
       ON CONFLICT (sink) DO UPDATE SET epoch = excluded.epoch WHERE known.epoch < excluded.epoch`,
      [sink, epoch],
    );
    const owner = await this.epoch(session, sink);
    return owner === epoch ? undefined : owner;
  }

  /** The table in which rows wait. */
  stage(table: string, isLocal: boolean): string {
    return isLocal ? `pg_temp.${quoted(stageOf(table))}` : this.#at(stageOf(table));
  }

  /** Takes $1 sink, $2 epoch, $3 rows; gives the number of fences. Without a fence only the rows, as $1. */
  insert(isFenced: boolean): string {
    const { columns } = this.#table;
    const rows = `json_populate_recordset(NULL::${this.name}, ${isFenced ? '$3' : '$1'}) WITH ORDINALITY r`;
    const from = `SELECT ${quotedAll(columns, 'r.')}, r.ordinality AS ${POSITION} FROM ${isFenced ? 'fence, ' : ''}${rows}`;
    const insert = this.#write(columns, `given`);
    return isFenced
      ? `WITH ${FENCE(this.sinks)}, given AS (${from}), written AS (${insert}) SELECT count(*)::int AS fences FROM fence`
      : `WITH given AS (${from}) ${insert}`;
  }

  /** Takes $1 sink, $2 epoch, $3 writer, $4 round, $5 position, $6 rows. Without a fence the last four. */
  stageRows(isLocal: boolean): string {
    const { columns, table } = this.#table;
    const stage = this.stage(table, isLocal);
    const [writer, round, position, rows] = isLocal ? ['$1', '$2', '$3', '$4'] : ['$3', '$4', '$5', '$6'];
    return `${isLocal ? '' : `WITH ${FENCE(this.sinks)} `}INSERT INTO ${stage} (${WRITER}, ${ROUND}, ${POSITION}, ${quotedAll(columns)})
      SELECT ${writer}::text, ${round}::bigint, ${position}::bigint + r.ordinality, ${quotedAll(columns, 'r.')}
      FROM ${isLocal ? '' : 'fence, '}json_populate_recordset(NULL::${stage}, ${rows}) WITH ORDINALITY r`;
  }

  /** Takes $1 sink, $2 epoch, $3 writer, $4 round, $5 checkpoint; gives the numbers of fences and of rows. Without a fence $1 writer, $2 round. */
  move(table: string, columns: readonly string[], isLocal: boolean): string {
    const stage = this.stage(table, isLocal);
    const written = `written AS (${this.#write(columns, 'moved', table)})`;
    const counts = `SELECT (SELECT count(*)::int FROM moved) AS moved`;
    if (isLocal) return `WITH moved AS (DELETE FROM ${stage} WHERE ${WRITER} = $1 AND ${ROUND} = $2 RETURNING *), ${written} ${counts}`;
    return `WITH ${FENCE(this.sinks)},
      moved AS (DELETE FROM ${stage} s USING fence WHERE ${WRITER} = $3 AND ${ROUND} = $4 RETURNING s.*),
      pruned AS (DELETE FROM ${this.commits} USING fence WHERE writer = $3 AND round < $4),
      noted AS (INSERT INTO ${this.commits} (writer, round, checkpoint, epoch) SELECT $3, $4, $5, $2 FROM fence ON CONFLICT DO NOTHING),
      ${written} ${counts}, (SELECT count(*)::int FROM fence) AS fences`;
  }

  #at(name: string): string {
    return `${quoted(this.#schema)}.${quoted(name)}`;
  }

  /** An INSERT of rows in their order, each key once: the last one. */
  #write(columns: readonly string[], from: string, table: string = this.#table.table): string {
    const { key } = this.#table;
    const insert = `INSERT INTO ${this.#at(table)} (${quotedAll(columns)}) SELECT ${quotedAll(columns)} FROM `;
    if (key.length === 0) return `${insert}${from} ORDER BY ${POSITION}`;
    // Keys that are NULL differ. In order of keys, so that two subtasks do not wait for each other.
    const isNull = key.map((column) => `${quoted(column)} IS NULL`).join(' OR ');
    const each = `${quotedAll(key)}, (CASE WHEN ${isNull} THEN ${POSITION} END)`;
    return `${insert}(SELECT DISTINCT ON (${each}) * FROM ${from} ORDER BY ${each}, ${POSITION} DESC) latest${onConflict({ columns, key })}`;
  }
}

const WRITER = `${OWN}writer`;
const ROUND = `${OWN}round`;
const POSITION = `${OWN}position`;
