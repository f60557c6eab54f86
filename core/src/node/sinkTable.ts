import { MillraceError } from '../errors/millraceError.ts';

/** Options of sinks that write to a table of a database. */
export interface TableOptions<T> {
  /** The table, which is there. */
  readonly table: string;
  /** The fields to write; a column of the same name takes each. Others are left out. */
  readonly columns: readonly (keyof T & string)[];
  /**
   * The columns of a primary key or another unique index: a row with the same key as one that is there takes its place. Without it every
   * element becomes a row of its own.
   */
  readonly key?: readonly (keyof T & string)[];
  /**
   * Writes rows as they come instead of with a checkpoint. A failure writes some of them again, which `key` makes harmless in the end; a reader may
   * see a row go back to an earlier version for a while. Default: false.
   */
  readonly atOnce?: boolean;
}

/** A table and what is written to it. */
export interface SinkTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly atOnce: boolean;
}

/** What the bookkeeping's own tables and columns begin with. */
export const OWN = 'millrace_';

/** `sink` is its name in errors. */
export function sinkTableOf<T>(sink: string, { table, columns, key = [], atOnce = false }: TableOptions<T>): SinkTable {
  const invalid = (problem: string, remedy: string): MillraceError =>
    new MillraceError('config/invalid', `${sink}: ${problem}.`, { remedy });
  if (table === '' || table.startsWith(OWN)) throw invalid(`"${table}" cannot be its table`, 'Name one of your own.');
  if (columns.length === 0) throw invalid('columns is empty', 'Name at least one.');
  const wrong = columns.find((column, i) => column === '' || column.startsWith(OWN) || columns.indexOf(column) !== i);
  if (wrong !== undefined) throw invalid(`"${wrong}" cannot be a column`, 'Name every column once, and none that begins with millrace_.');
  const other = key.find((column) => !columns.includes(column));
  if (other !== undefined) throw invalid(`the key has "${other}", which is not among the columns`, 'Add it to columns.');
  if (atOnce && key.length === 0)
    throw invalid('rows are written at once, and have no key', 'Name the key, so that rows which come again take their places.');
  return { table, columns, key, atOnce };
}

/** A name in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names in SQL, with commas. */
export function quotedAll(names: readonly string[], before = ''): string {
  return names.map((name) => before + quoted(name)).join(', ');
}

/** What follows an INSERT where rows take the places of others. */
export function onConflict({ columns, key }: Pick<SinkTable, 'columns' | 'key'>): string {
  if (key.length === 0) return '';
  const rest = columns.filter((column) => !key.includes(column));
  const update = rest.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ');
  return ` ON CONFLICT (${quotedAll(key)}) DO ${rest.length === 0 ? 'NOTHING' : `UPDATE SET ${update}`}`;
}

/** Rows that wait beside their table until their checkpoint is complete. Plain data: the committable. */
export interface StagedRows {
  readonly kind: 'staged';
  /** Who wrote them, and which of its rounds they are. */
  readonly writer: string;
  readonly round: number;
  readonly rows: number;
  readonly table: string;
  readonly columns: readonly string[];
  /** Number of the checkpoint; missing for the last rows of a job. */
  readonly checkpoint?: number;
}

/** Where rows wait for their checkpoint. */
export function stageOf(table: string): string {
  return `${OWN}staged_${table}`;
}

/** Rows that a checkpoint holds are not there, and were not committed either. */
export function rowsGone(stage: string, { writer, rows }: StagedRows, found: number): MillraceError {
  return new MillraceError('sink/failed', `A checkpoint holds ${rows} rows of ${writer} in ${stage}, and there are ${found}.`, {
    remedy: 'Somebody has changed that table, or another database is in its place. Restore from an older checkpoint, or put the rows back.',
  });
}

/** A newer owner of the checkpoint location has written. */
export function fencedOff(own: number, newer: number): MillraceError {
  return new MillraceError('checkpoint/fenced', `The sink's table belongs to epoch ${newer}, and this is epoch ${own}.`, {
    remedy: 'Another process has taken over the job. Let it go on, and end this one.',
  });
}
