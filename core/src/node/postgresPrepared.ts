import { MillraceError } from '../errors/millraceError.ts';
import { rowsAsJson } from './postgresRows.ts';
import { type PostgresSession, sqlState } from './postgresSession.ts';
import type { PostgresParts } from './postgresStage.ts';
import { fencedOff } from './sinkTable.ts';

/** A transaction that is prepared: it survives a crash of the server, and anybody can commit it. Plain data: the committable. */
export interface PreparedRows {
  readonly kind: 'prepared';
  readonly writer: string;
  readonly round: number;
}

const PREFIX = 'millrace:';

/**
 * Rows are written in transactions that are prepared with a checkpoint and committed when it is complete. Each notes its own commit, so that
 * one that is gone can be told from one that was committed.
 */
export class PostgresPrepared {
  readonly #parts: PostgresParts;
  /** Has the transaction that is open; the other one commits meanwhile. */
  readonly #writing: PostgresSession;
  /** Locked by who prepares or commits, and alone by who takes over. */
  readonly #lock: string;
  #isBegun = false;
  #round = 0;
  /** Prepared and not committed. */
  #pending: PreparedRows[] = [];

  constructor(parts: PostgresParts, writing: PostgresSession) {
    this.#parts = parts;
    this.#writing = writing;
    this.#lock = lockOf(parts.owner.sink);
  }

  async write(values: readonly unknown[]): Promise<void> {
    const { table } = this.#parts;
    if (!this.#isBegun) await this.#writing.query('BEGIN');
    this.#isBegun = true;
    await this.#writing.query(table.insert(false), [rowsAsJson(values, table.columns)], 'millrace_insert');
  }

  async prepare(checkpoint?: number): Promise<readonly PreparedRows[]> {
    if (!this.#isBegun) return [];
    const { owner, table, context } = this.#parts;
    const rows = { kind: 'prepared', writer: owner.name, round: this.#round++ } as const;
    const note = `INSERT INTO ${table.commits} (writer, round, checkpoint, epoch) VALUES ($1, $2, $3, $4)`;
    await this.#writing.query(note, [rows.writer, rows.round, checkpoint ?? null, context.epoch]);
    await this.#fenced(() => this.#writing.query(`PREPARE TRANSACTION '${nameOf(rows)}'`));
    this.#isBegun = false;
    this.#pending.push(rows);
    return [rows];
  }

  /** What belongs to a checkpoint: nobody who goes on from it rolls it back. */
  state(): readonly PreparedRows[] {
    return [...this.#pending];
  }

  async commit(rows: PreparedRows): Promise<void> {
    const { session, table } = this.#parts;
    const { writer, round } = rows;
    await this.#fenced(async () => {
      try {
        await session.query(`COMMIT PREPARED '${nameOf(rows)}'`);
      } catch (error) {
        if (sqlState(error) !== UNKNOWN) throw error;
        const { rowCount } = await session.query(`SELECT 1 FROM ${table.commits} WHERE writer = $1 AND round >= $2 LIMIT 1`, [
          writer,
          round,
        ]);
        if (rowCount === 0) throw gone(rows);
      }
    });
    await session.query(`DELETE FROM ${table.commits} WHERE writer = $1 AND round < $2`, [writer, round]);
    this.#pending = this.#pending.filter((each) => each.writer !== writer || each.round !== round);
  }

  async abort(rows: PreparedRows): Promise<void> {
    await rollBack(this.#parts.session, nameOf(rows));
    this.#pending = this.#pending.filter((each) => each.writer !== rows.writer || each.round !== rows.round);
  }

  /** Rolls back what earlier runs have prepared, but for what a checkpoint holds: it may have locked rows. */
  async removeLeftBehind(held: readonly PreparedRows[]): Promise<void> {
    const { session, owner } = this.#parts;
    const names = new Set(held.map(nameOf));
    const { rows } = await session.query(`SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE $1`, [
      `${PREFIX}${owner.sink}.%`,
    ]);
    for (const { gid } of rows) {
      const name = String(gid);
      const writer = name.slice(PREFIX.length, name.lastIndexOf(':'));
      if (!names.has(name) && owner.leftBehind(writer)) await rollBack(session, name);
    }
  }

  close(): Promise<void> {
    return this.#writing.close();
  }

  /** Does what no process may do that has lost its job: nobody takes over meanwhile. */
  async #fenced(work: () => Promise<unknown>): Promise<void> {
    const { session, table, owner, context } = this.#parts;
    await session.query('SELECT pg_advisory_lock_shared($1)', [this.#lock]);
    try {
      const epoch = await table.epoch(session, owner.sink);
      if (epoch !== context.epoch) throw fencedOff(context.epoch, epoch);
      await work();
    } finally {
      // A connection that is lost has lost its locks too.
      await session.query('SELECT pg_advisory_unlock_shared($1)', [this.#lock]).catch(() => undefined);
    }
  }
}

/** The number of a sink's lock. */
export function lockOf(sink: string): string {
  return String(BigInt.asIntN(64, BigInt(`0x${sink}`)));
}

const UNKNOWN = '42704';

/** The name is made of letters, digits, dots and colons. */
function nameOf({ writer, round }: Pick<PreparedRows, 'writer' | 'round'>): string {
  return `${PREFIX}${writer}:${round}`;
}

async function rollBack(session: PostgresSession, name: string): Promise<void> {
  try {
    await session.query(`ROLLBACK PREPARED '${name}'`);
  } catch (error) {
    // Another subtask was quicker.
    if (sqlState(error) !== UNKNOWN) throw error;
  }
}

function gone(rows: PreparedRows): MillraceError {
  return new MillraceError('sink/failed', `A checkpoint holds the prepared transaction ${nameOf(rows)}, and the server does not know it.`, {
    remedy: 'Somebody has rolled it back, or another database is in its place. Restore from an older checkpoint.',
  });
}
