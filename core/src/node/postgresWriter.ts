import type { SinkContext, SinkWriter } from '../operators/connector.ts';
import { lockOf, PostgresPrepared, type PreparedRows } from './postgresPrepared.ts';
import { rowsAsJson } from './postgresRows.ts';
import { type PostgresConnection, PostgresSession } from './postgresSession.ts';
import { type PostgresParts, PostgresStage } from './postgresStage.ts';
import { PostgresTable } from './postgresTable.ts';
import { SinkOwner } from './sinkOwner.ts';
import { fencedOff, type SinkTable, type StagedRows } from './sinkTable.ts';

/** A sink to PostgreSQL with everything filled in. */
export interface PostgresSettings {
  readonly connection: string | PostgresConnection;
  readonly schema: string | undefined;
  readonly table: SinkTable;
  readonly prepared: boolean;
  readonly setup: string;
}

type Committable = StagedRows | PreparedRows;

/** One subtask of a sink to PostgreSQL. */
export class PostgresWriter<T> implements SinkWriter<T, Committable, PreparedRows> {
  readonly #parts: PostgresParts;
  readonly #stage: PostgresStage;
  /** Where rows are written in prepared transactions. */
  readonly #prepared: PostgresPrepared | undefined;
  readonly #isFenced: boolean;
  #mayHaveLeftBehind: boolean;

  private constructor(parts: PostgresParts, prepared: PostgresPrepared | undefined) {
    this.#parts = parts;
    this.#stage = new PostgresStage(parts);
    this.#prepared = prepared;
    this.#isFenced = parts.context.epoch > 0;
    this.#mayHaveLeftBehind = this.#isFenced && !parts.sinkTable.atOnce && prepared === undefined;
  }

  static async open<T>(settings: PostgresSettings, context: SinkContext): Promise<PostgresWriter<T>> {
    const { schema, table: sinkTable, setup } = settings;
    const owner = new SinkOwner(context);
    const sessions: PostgresSession[] = [];
    const open = async (): Promise<PostgresSession> => {
      const session = await PostgresSession.open(settings.connection, `Table ${sinkTable.table}`, activityOf(owner.sink, context.epoch));
      sessions.push(session);
      return session;
    };
    try {
      const session = await open();
      // Subtasks set up one after the other: servers do not take two that make the same table.
      const table = await session.transaction(async () => {
        await session.query(`SELECT pg_advisory_xact_lock(hashtext('millrace'), hashtext($1))`, [sinkTable.table]);
        if (setup !== '') await session.query(setup);
        return PostgresTable.find(session, schema, sinkTable);
      });
      const parts = { session, table, sinkTable, context, owner };
      const isPrepared = settings.prepared && !sinkTable.atOnce && context.epoch > 0 && (await allowsPrepared(session));
      const prepared = isPrepared ? new PostgresPrepared(parts, await open()) : undefined;
      const writer = new PostgresWriter<T>(parts, prepared);
      await writer.#begin();
      return writer;
    } catch (error) {
      for (const session of sessions) await session.close();
      throw error;
    }
  }

  write(values: readonly T[]): Promise<void> | undefined {
    if (values.length === 0) return undefined;
    if (this.#parts.sinkTable.atOnce) return this.#insert(values);
    return (this.#prepared ?? this.#stage).write(values);
  }

  async prepare(checkpoint?: number): Promise<readonly Committable[]> {
    return (this.#prepared ?? this.#stage).prepare(checkpoint);
  }

  state(): readonly PreparedRows[] {
    return this.#prepared?.state() ?? [];
  }

  async commit(all: readonly Committable[]): Promise<void> {
    await this.#commitAll(all);
    // Every subtask has gone on from where it stood, and a checkpoint holds that: what older runs have left nobody needs any more.
    if (this.#mayHaveLeftBehind) await this.#stage.removeLeftBehind();
    this.#mayHaveLeftBehind = false;
  }

  async abort(all: readonly Committable[]): Promise<void> {
    for (const rows of all) {
      if (rows.kind === 'staged') await this.#stage.remove(rows);
      else await this.#preparedOrOther().abort(rows);
    }
  }

  async recover(all: readonly Committable[], held: readonly PreparedRows[]): Promise<void> {
    await this.#commitAll(all);
    await this.#prepared?.removeLeftBehind(held);
  }

  async close(failure?: unknown): Promise<void> {
    try {
      if (failure !== undefined) await this.#stage.dropUnprepared();
    } finally {
      await this.#prepared?.close();
      await this.#parts.session.close();
    }
  }

  async #begin(): Promise<void> {
    const { session, table, sinkTable, context, owner } = this.#parts;
    // A process that was stopped may hold locks, in a transaction that it never prepares.
    if (this.#prepared !== undefined) await endOlder(session, owner.sink, context.epoch);
    await session.transaction(async () => {
      await session.query(`SELECT pg_advisory_xact_lock(hashtext('millrace'), hashtext($1))`, [sinkTable.table]);
      if (this.#isFenced) {
        if (this.#prepared !== undefined) await session.query('SELECT pg_advisory_xact_lock($1)', [lockOf(owner.sink)]);
        const newer = await table.takeOver(session, owner.sink, context.epoch);
        if (newer !== undefined) throw fencedOff(context.epoch, newer);
      }
      if (!sinkTable.atOnce && this.#prepared === undefined) await this.#stage.open();
    });
    // A job that begins anew holds nothing; one that goes on says in recover() what it does.
    if (!context.restored) await this.#prepared?.removeLeftBehind([]);
    // Tells now whether the key is one.
    await session.query(table.insert(false), ['[]']);
  }

  async #insert(values: readonly T[]): Promise<void> {
    const { session, table, owner, context } = this.#parts;
    const json = rowsAsJson(values, table.columns);
    const fence = this.#isFenced ? [owner.sink, context.epoch] : [];
    const { rows } = await session.query(table.insert(this.#isFenced), [...fence, json], 'millrace_insert');
    if (this.#isFenced && rows[0]!['fences'] === 0) throw fencedOff(context.epoch, await table.epoch(session, owner.sink));
  }

  async #commitAll(all: readonly Committable[]): Promise<void> {
    for (const rows of all) {
      if (rows.kind === 'staged') await this.#stage.commit(rows);
      else await this.#preparedOrOther().commit(rows);
    }
  }

  /** A checkpoint may hold transactions of a run that still prepared them. */
  #preparedOrOther(): PostgresPrepared {
    return this.#prepared ?? new PostgresPrepared(this.#parts, this.#parts.session);
  }
}

/** How a session of a sink is called among the server's activities. */
function activityOf(sink: string, epoch: number): string {
  return `millrace ${sink.slice(0, 20)} ${epoch}`;
}

async function allowsPrepared(session: PostgresSession): Promise<boolean> {
  const { rows } = await session.query('SHOW max_prepared_transactions');
  return Number(rows[0]!['max_prepared_transactions']) > 0;
}

/** Ends the sessions of older epochs, as far as the user may. */
async function endOlder(session: PostgresSession, sink: string, epoch: number): Promise<void> {
  const older = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database()
    AND CASE WHEN application_name LIKE $1 THEN split_part(application_name, ' ', 3)::bigint < $2 END`;
  await session.query(older, [`millrace ${sink} %`, epoch]);
}
