import type { SinkContext, SinkWriter } from '../operators/connector.ts';
import { SinkOwner } from './sinkOwner.ts';
import { fencedOff, onConflict, quoted, quotedAll, rowsGone, type SinkTable, type StagedRows, stageOf } from './sinkTable.ts';
import type { SqliteDatabase, SqliteValue } from './sqliteDatabase.ts';
import { sqliteValue } from './sqliteValue.ts';

/** So many rows are collected before they are written: each write waits for the disk. */
const HELD = 4096;
/** Rows that are moved before everything else has its turn. */
const CHUNK = 1000;

const CREATE = `
  CREATE TABLE IF NOT EXISTS millrace_sinks (sink TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS millrace_commits (
    writer TEXT, round INTEGER, checkpoint INTEGER, epoch INTEGER NOT NULL, PRIMARY KEY (writer, round)
  ) WITHOUT ROWID;`;

/**
 * One subtask of a sink to SQLite. Rows wait in a table beside theirs until their checkpoint is complete; then they are moved, and the number of
 * the checkpoint is noted, in one transaction. Without checkpoints they wait in a table of the connection alone.
 */
export class SqliteWriter<T> implements SinkWriter<T, StagedRows> {
  readonly #database: SqliteDatabase;
  readonly #table: SinkTable;
  readonly #context: SinkContext;
  readonly #owner: SinkOwner;
  readonly #columns: readonly (keyof T & string)[];
  /** The table that outlives this run, or the connection's own. */
  readonly #isLocal: boolean;
  /** What was committed, where no table knows. */
  readonly #committed = new Set<string>();
  #rows: SqliteValue[][] = [];
  #round = 0;
  /** Rows of this round that wait in their table. */
  #staged = 0;
  #mayHaveLeftBehind: boolean;

  private constructor(database: SqliteDatabase, table: SinkTable, context: SinkContext) {
    this.#database = database;
    this.#table = table;
    this.#context = context;
    this.#owner = new SinkOwner(context);
    this.#columns = table.columns as readonly (keyof T & string)[];
    this.#isLocal = context.epoch === 0;
    this.#mayHaveLeftBehind = !this.#isLocal && !table.atOnce;
  }

  static async open<T>(database: SqliteDatabase, table: SinkTable, context: SinkContext, setup: string): Promise<SqliteWriter<T>> {
    const writer = new SqliteWriter<T>(database, table, context);
    if (setup !== '') await database.setUp(setup);
    await database.transaction(() => writer.#begin());
    return writer;
  }

  write(values: readonly T[]): Promise<void> | undefined {
    for (const value of values) this.#rows.push(this.#columns.map((column) => sqliteValue(value[column], column)));
    return this.#table.atOnce || this.#rows.length >= HELD ? this.#flush() : undefined;
  }

  async prepare(checkpoint?: number): Promise<readonly StagedRows[]> {
    await this.#flush();
    if (this.#staged === 0) return [];
    const { table, columns } = this.#table;
    const rows = { kind: 'staged', writer: this.#owner.name, round: this.#round++, rows: this.#staged, table, columns } as const;
    this.#staged = 0;
    return [checkpoint === undefined ? rows : { ...rows, checkpoint }];
  }

  async commit(all: readonly StagedRows[]): Promise<void> {
    for (const rows of all) await this.#move(rows);
    // Every subtask has gone on from where it stood, and a checkpoint holds that: what older runs have left nobody needs any more.
    if (this.#mayHaveLeftBehind) await this.#removeLeftBehind();
    this.#mayHaveLeftBehind = false;
  }

  async abort(all: readonly StagedRows[]): Promise<void> {
    for (const { writer, round, table } of all) await this.#remove(stageOf(table), writer, round);
  }

  async recover(all: readonly StagedRows[]): Promise<void> {
    for (const rows of all) await this.#move(rows);
  }

  async close(failure?: unknown): Promise<void> {
    try {
      // What no checkpoint can hold.
      if (failure !== undefined && this.#staged > 0) await this.#remove(stageOf(this.#table.table), this.#owner.name, this.#round);
    } finally {
      await this.#database.close();
    }
  }

  #begin(): void {
    const { table, columns, atOnce } = this.#table;
    const database = this.#database;
    // Tells now whether the table is there and has such columns and such a key.
    database.statement(this.#insert);
    if (!this.#isLocal) {
      database.exec(CREATE);
      const { epoch } = this.#context;
      const known = database.statement('SELECT epoch FROM millrace_sinks WHERE sink = ?').get([this.#owner.sink]);
      if (known !== undefined && Number(known['epoch']) > epoch) throw fencedOff(epoch, Number(known['epoch']));
      database.statement('INSERT OR REPLACE INTO millrace_sinks (sink, epoch) VALUES (?, ?)').run([this.#owner.sink, BigInt(epoch)]);
    }
    if (atOnce) return;
    const stage = quoted(stageOf(table));
    database.exec(`CREATE ${this.#isLocal ? 'TEMP TABLE' : 'TABLE'} IF NOT EXISTS ${stage} (
      millrace_writer, millrace_round, millrace_position, ${quotedAll(columns)}, PRIMARY KEY (millrace_writer, millrace_round, millrace_position)
    ) WITHOUT ROWID`);
    const known = database.statement('SELECT name FROM pragma_table_info(?)').all([stageOf(table)]);
    const names = new Set(known.map(({ name }) => name));
    // An earlier version of the job wrote fewer.
    for (const column of columns) if (!names.has(column)) database.exec(`ALTER TABLE ${stage} ADD COLUMN ${quoted(column)}`);
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    const { table, columns, atOnce } = this.#table;
    const first = this.#staged;
    if (!atOnce) {
      rows.forEach((row, i) => row.unshift(this.#owner.name, BigInt(this.#round), BigInt(first + i)));
      this.#staged += rows.length;
    }
    const places = columns.map(() => '?').join(', ');
    const stage = `INSERT INTO ${quoted(stageOf(table))} (millrace_writer, millrace_round, millrace_position, ${quotedAll(columns)}) VALUES (?, ?, ?, ${places})`;
    await this.#transaction(() => this.#database.runAll(atOnce ? this.#insert : stage, rows), this.#isLocal && !atOnce);
  }

  get #insert(): string {
    const { table, columns } = this.#table;
    return `INSERT INTO ${quoted(table)} (${quotedAll(columns)}) VALUES (${columns.map(() => '?').join(', ')})${onConflict(this.#table)}`;
  }

  #move(rows: StagedRows): Promise<void> {
    return this.#transaction(async () => {
      const { writer, table, columns } = rows;
      const round = BigInt(rows.round);
      if (this.#isCommitted(writer, rows.round)) return;
      const stage = stageOf(table);
      const found = this.#countOf(stage, writer, round);
      if (found !== rows.rows) throw rowsGone(stage, rows, found);
      const move = this.#database.statement(`INSERT INTO ${quoted(table)} (${quotedAll(columns)})
        SELECT ${quotedAll(columns)} FROM ${quoted(stage)}
        WHERE millrace_writer = ? AND millrace_round = ? AND millrace_position >= ? AND millrace_position < ?
        ORDER BY millrace_position${onConflict({ columns, key: this.#table.key })}`);
      for (let at = 0; at < found; at += CHUNK) {
        move.run([writer, round, BigInt(at), BigInt(at + CHUNK)]);
        if (at + CHUNK < found) await new Promise((resolve) => setImmediate(resolve));
      }
      this.#database.statement(`DELETE FROM ${quoted(stage)} WHERE millrace_writer = ? AND millrace_round = ?`).run([writer, round]);
      this.#note(rows);
    });
  }

  #isCommitted(writer: string, round: number): boolean {
    if (this.#isLocal) return this.#committed.has(`${writer} ${round}`);
    const noted = 'SELECT 1 FROM millrace_commits WHERE writer = ? AND round >= ?';
    return this.#database.statement(noted).get([writer, BigInt(round)]) !== undefined;
  }

  /** Notes what is committed. Of each writer the last is enough: it commits one round after the other. */
  #note({ writer, round, checkpoint }: StagedRows): void {
    if (this.#isLocal) return void this.#committed.add(`${writer} ${round}`);
    const database = this.#database;
    database.statement('DELETE FROM millrace_commits WHERE writer = ? AND round < ?').run([writer, BigInt(round)]);
    const number = checkpoint === undefined ? null : BigInt(checkpoint);
    database
      .statement('INSERT INTO millrace_commits (writer, round, checkpoint, epoch) VALUES (?, ?, ?, ?)')
      .run([writer, BigInt(round), number, BigInt(this.#context.epoch)]);
  }

  #countOf(stage: string, writer: string, round: bigint): number {
    const tables = this.#isLocal ? 'sqlite_temp_master' : 'sqlite_master';
    if (this.#database.statement(`SELECT 1 FROM ${tables} WHERE name = ?`).get([stage]) === undefined) return 0;
    const count = `SELECT count(*) AS n FROM ${quoted(stage)} WHERE millrace_writer = ? AND millrace_round = ?`;
    return Number(this.#database.statement(count).get([writer, round])!['n']);
  }

  #remove(stage: string, writer: string, round: number): Promise<void> {
    return this.#database.transaction(() => {
      this.#database
        .statement(`DELETE FROM ${quoted(stage)} WHERE millrace_writer = ? AND millrace_round = ?`)
        .run([writer, BigInt(round)]);
    }, this.#isLocal);
  }

  #removeLeftBehind(): Promise<void> {
    return this.#transaction(() => {
      const stage = quoted(stageOf(this.#table.table));
      const writers = this.#database.statement(`SELECT DISTINCT millrace_writer AS writer FROM ${stage}`).all([]);
      for (const { writer } of writers) {
        if (this.#owner.leftBehind(String(writer)))
          this.#database.statement(`DELETE FROM ${stage} WHERE millrace_writer = ?`).run([String(writer)]);
      }
    });
  }

  /** A transaction in which this writer's epoch is the newest. */
  #transaction(work: () => void | Promise<void>, isLocal = false): Promise<void> {
    return this.#database.transaction(() => {
      if (!this.#isLocal) {
        const { epoch } = this.#context;
        const known = Number(
          this.#database.statement('SELECT epoch FROM millrace_sinks WHERE sink = ?').get([this.#owner.sink])?.['epoch'],
        );
        if (known !== epoch) throw fencedOff(epoch, known);
      }
      return work();
    }, isLocal);
  }
}
