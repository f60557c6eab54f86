import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';

/** How a PostgreSQL server is reached. What is left out comes from the environment: `PGHOST`, `PGUSER`, `PGPASSWORD` and so on. */
export interface PostgresConnection {
  /** A host's name, or the directory of the server's Unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  readonly database?: string;
  /** `true`, or options as Node's `tls.connect` takes them. Default: false. */
  readonly ssl?: boolean | object;
}

/** What a query gives. */
export interface PostgresResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number | null;
}

interface Client {
  connect(): Promise<unknown>;
  query(query: { readonly name?: string; readonly text: string; readonly values?: unknown[] }): Promise<PostgresResult>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** How long it may take to connect, in ms. */
const CONNECTING = 10_000;

/** A connection to a server. Its queries are done one after the other. */
export class PostgresSession {
  readonly #target: string;
  readonly #client: Client;
  #isClosed = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(target: string, client: Client) {
    this.#target = target;
    this.#client = client;
    // A connection that is lost while nothing is asked of it is told of by the next query.
    client.on('error', () => undefined);
  }

  /**
   * Connects. `target` stands in errors; `name` is shown among the server's activities.
   *
   * @throws MillraceError `package/missing`, `sink/failed`
   */
  static async open(connection: string | PostgresConnection, target: string, name: string): Promise<PostgresSession> {
    const make = await loadClient();
    const given = typeof connection === 'string' ? { connectionString: connection } : connection;
    const client = make({ ...given, application_name: name, connectionTimeoutMillis: CONNECTING, keepAlive: true });
    const session = new PostgresSession(target, client);
    try {
      await client.connect();
    } catch (error) {
      throw session.#failure(error);
    }
    return session;
  }

  /** `name`: prepares the statement for further use. */
  query(text: string, values?: unknown[], name?: string): Promise<PostgresResult> {
    const query = { text, ...(values !== undefined && { values }), ...(name !== undefined && { name }) };
    // A writer commits while it writes.
    const result = this.#last
      .then(() => this.#client.query(query))
      .catch((error: unknown): never => {
        throw this.#failure(error);
      });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Nothing of some work stays when it fails. */
  async transaction<R>(work: () => Promise<R>): Promise<R> {
    await this.query('BEGIN');
    try {
      const result = await work();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      // What failed first is what counts, also where the connection is lost.
      await this.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#client.end().catch(() => undefined);
  }

  #failure(error: unknown): MillraceError {
    if (isMillraceError(error)) return error;
    const state = sqlState(error);
    const { problem, isTold } = problemOf(error, state);
    const message = `${this.#target} cannot be written: ${problem}${state === '' ? '' : ` (SQLSTATE ${state})`}.`;
    return new PostgresError(message, { remedy: remedyFor(state), ...(isTold && { cause: error }) }, state);
  }
}

/** What a server has objected to. */
class PostgresError extends MillraceError {
  readonly sqlState: string;

  constructor(message: string, options: { readonly remedy: string; readonly cause?: unknown }, state: string) {
    super('sink/failed', message, options);
    this.sqlState = state;
  }
}

/** The server's code for what it objects to; empty for everything else. */
export function sqlState(error: unknown): string {
  if (error instanceof PostgresError) return error.sqlState;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[0-9A-Z]{5}$/.test(code) ? code : '';
}

/** What servers say of data has values in it, which belong in no log. */
function problemOf(error: unknown, state: string): { readonly problem: string; readonly isTold: boolean } {
  const text = describeError(error).replace(/\.$/, '');
  const isTold = !/^2[23]/.test(state);
  return { problem: isTold ? text : text.replace(/: .*$/s, ''), isTold };
}

function remedyFor(state: string): string {
  if (state.startsWith('22')) return 'Compare the types of the columns with what elements hold, and map them before the sink.';
  if (state.startsWith('23'))
    return 'Filter such elements out, name the key if rows are to take the places of others, or mend the rows where they wait: in millrace_staged_….';
  if (state === '42501') return 'Grant the user what it needs: to use the table, and to create tables beside it.';
  if (state.startsWith('42')) return 'Compare table, columns and key with the database; setup can make the table.';
  if (state.startsWith('28') || state === '3D000') return 'Look at the user, the password and the name of the database.';
  if (state.startsWith('53')) return 'Make room on the server, or allow more connections: every subtask has one or two.';
  if (state.startsWith('40')) return 'Others write to the same rows. Start the job again, or let it do so with a restart strategy.';
  return 'Look at the server and the network, then start the job again.';
}

async function loadClient(): Promise<(options: object) => Client> {
  try {
    const { default: pg } = await import('pg');
    return (options) => new pg.Client(options) as unknown as Client;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MillraceError('package/missing', 'Writing to PostgreSQL needs the package "pg".', {
      remedy: 'Install it: npm install pg.',
      cause,
    });
  }
}
