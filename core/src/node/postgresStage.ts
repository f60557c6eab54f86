import type { SinkContext } from '../operators/connector.ts';
import type { PostgresTable } from './postgresTable.ts';
import { rowsAsJson } from './postgresRows.ts';
import type { PostgresSession } from './postgresSession.ts';
import type { SinkOwner } from './sinkOwner.ts';
import { fencedOff, quoted, rowsGone, type SinkTable, type StagedRows, stageOf } from './sinkTable.ts';

/** What every part of a writer needs. */
export interface PostgresParts {
  readonly session: PostgresSession;
  readonly table: PostgresTable;
  readonly sinkTable: SinkTable;
  readonly context: SinkContext;
  readonly owner: SinkOwner;
}

/**
 * Rows wait in a table beside theirs, which knows their types. They are moved by a single statement: a process that is stopped at any moment holds no
 * lock. Without checkpoints the table is the connection's own.
 */
export class PostgresStage {
  readonly #parts: PostgresParts;
  readonly #isLocal: boolean;
  readonly #committed = new Set<string>();
  #round = 0;
  /** Rows of this round that wait. */
  #rows = 0;

  constructor(parts: PostgresParts) {
    this.#parts = parts;
    this.#isLocal = parts.context.epoch === 0;
  }

  /** Makes the table, or lets it be like the one that rows go to. */
  async open(): Promise<void> {
    const { session, table, sinkTable } = this.#parts;
    const stage = table.stage(sinkTable.table, this.#isLocal);
    const found = await session.query(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
      [stage],
    );
    if (found.rows.length === 0) {
      const columns = table.columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ');
      await session.query(`CREATE ${this.#isLocal ? 'TEMP ' : ''}TABLE ${stage}
        (millrace_writer text, millrace_round bigint, millrace_position bigint, ${columns}, PRIMARY KEY (millrace_writer, millrace_round, millrace_position))`);
      return;
    }
    for (const { name, type } of table.columns) {
      const known = found.rows.find((row) => row['name'] === name)?.['type'];
      if (known === undefined) await session.query(`ALTER TABLE ${stage} ADD COLUMN ${quoted(name)} ${type}`);
      else if (known !== type)
        await session.query(`ALTER TABLE ${stage} ALTER COLUMN ${quoted(name)} TYPE ${type} USING ${quoted(name)}::${type}`);
    }
  }

  async write(values: readonly unknown[]): Promise<void> {
    const { session, table, owner, context } = this.#parts;
    const rows = [owner.name, this.#round, this.#rows, rowsAsJson(values, table.columns)];
    this.#rows += values.length;
    const fence = this.#isLocal ? [] : [owner.sink, context.epoch];
    const { rowCount } = await session.query(table.stageRows(this.#isLocal), [...fence, ...rows], 'millrace_stage');
    if (rowCount === 0) throw await this.#fenced();
  }

  prepare(checkpoint?: number): readonly StagedRows[] {
    if (this.#rows === 0) return [];
    const { sinkTable, owner } = this.#parts;
    const { table, columns } = sinkTable;
    const rows = { kind: 'staged', writer: owner.name, round: this.#round++, rows: this.#rows, table, columns } as const;
    this.#rows = 0;
    return [checkpoint === undefined ? rows : { ...rows, checkpoint }];
  }

  async commit(rows: StagedRows): Promise<void> {
    const { session, table, owner, context } = this.#parts;
    const { writer, round, checkpoint = null } = rows;
    if (await this.#isCommitted(rows)) return;
    const count = await this.#count(rows);
    const fence = this.#isLocal ? [] : [owner.sink, context.epoch];
    if (count !== rows.rows) throw rowsGone(stageOf(rows.table), rows, count);
    const values = [...fence, writer, round, ...(this.#isLocal ? [] : [checkpoint])];
    const { rows: found } = await session.query(table.move(rows.table, rows.columns, this.#isLocal), values);
    if (!this.#isLocal && found[0]!['fences'] === 0) throw await this.#fenced();
    // An earlier connection of this process may just have been quicker.
    if (found[0]!['moved'] !== rows.rows && !(await this.#isCommitted(rows)))
      throw rowsGone(stageOf(rows.table), rows, Number(found[0]!['moved']));
    if (this.#isLocal) this.#committed.add(`${writer} ${round}`);
  }

  async remove({ writer, round, table }: Pick<StagedRows, 'writer' | 'round' | 'table'>): Promise<void> {
    const stage = this.#parts.table.stage(table, this.#isLocal);
    await this.#parts.session.query(`DELETE FROM ${stage} WHERE millrace_writer = $1 AND millrace_round = $2`, [writer, round]);
  }

  /** What no checkpoint can hold, when the job has failed. */
  async dropUnprepared(): Promise<void> {
    const { owner, sinkTable } = this.#parts;
    if (this.#rows > 0 && !this.#isLocal) await this.remove({ writer: owner.name, round: this.#round, table: sinkTable.table });
  }

  async removeLeftBehind(): Promise<void> {
    const { session, table, sinkTable, owner } = this.#parts;
    const stage = table.stage(sinkTable.table, false);
    const { rows } = await session.query(`SELECT DISTINCT millrace_writer AS writer FROM ${stage}`);
    const writers = rows.map(({ writer }) => String(writer)).filter((writer) => owner.leftBehind(writer));
    if (writers.length > 0) await session.query(`DELETE FROM ${stage} WHERE millrace_writer = ANY ($1)`, [writers]);
  }

  async #isCommitted({ writer, round }: StagedRows): Promise<boolean> {
    const { session, table } = this.#parts;
    if (this.#isLocal) return this.#committed.has(`${writer} ${round}`);
    const { rowCount } = await session.query(`SELECT 1 FROM ${table.commits} WHERE writer = $1 AND round >= $2 LIMIT 1`, [writer, round]);
    return rowCount !== 0;
  }

  async #count({ writer, round, table: name }: StagedRows): Promise<number> {
    const { session, table, sinkTable } = this.#parts;
    const stage = table.stage(name, this.#isLocal);
    if (name !== sinkTable.table) {
      const { rows } = await session.query('SELECT to_regclass($1) AS stage', [stage]);
      if (rows[0]!['stage'] === null) return 0;
    }
    const { rows } = await session.query(`SELECT count(*)::int AS n FROM ${stage} WHERE millrace_writer = $1 AND millrace_round = $2`, [
      writer,
      round,
    ]);
    return Number(rows[0]!['n']);
  }

  async #fenced(): Promise<Error> {
    const { session, table, owner, context } = this.#parts;
    return fencedOff(context.epoch, await table.epoch(session, owner.sink));
  }
}
