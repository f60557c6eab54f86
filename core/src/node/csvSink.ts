import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { Sink } from '../operators/connector.ts';
import { jsonText } from './jsonText.ts';
import { type TextFormat, type TextSinkOptions, textSink } from './textSink.ts';

/** How CSV files are written. */
export interface CsvSinkOptions<T> extends TextSinkOptions {
  /** The fields to write, in this order; others are left out. Default: those of the first element, and then a later one may have no others. */
  readonly columns?: readonly (keyof T & string)[];
  /** Whether the first line names the columns (not where the file is continued). Default: true. */
  readonly header?: boolean;
}

/**
 * Writes each element as a row of a CSV file after RFC 4180, or to standard output if `path` is `-`. Strings, numbers, bigints and booleans are
 * written as they are, dates in ISO 8601, other objects as JSON; `null`, `undefined` and missing fields are empty cells. What needs it is put in
 * quotes, so that {@link csvFile} reads the same cells back.
 *
 * Directories, gzip, parallelism and guarantees are those of {@link jsonLinesSink}.
 *
 * @throws MillraceError when it runs: `sink/failed` if the file cannot be written, or an element has a field that the first one had not.
 * @example
 * const days = env.from(fromArray([{ day: '2026-01-01', orders: 3, note: 'a holiday' }]));
 * days.sinkTo(csvSink('out/days.csv.gz', { columns: ['day', 'orders'] }));
 * await env.execute('days');
 */
export function csvSink<T extends object>(path: string, options: CsvSinkOptions<T> = {}): Sink<T> {
  const { columns, header = true, append = false } = options;
  if (columns?.length === 0)
    throw new MillraceError('config/invalid', 'CSV sink: columns is empty.', { remedy: 'Name at least one, or leave it out.' });
  if (append && columns === undefined) {
    throw new MillraceError('config/invalid', 'CSV sink: a file is continued, but not with which columns.', {
      remedy: 'Name the columns that it has: { append: true, columns: [...] }.',
    });
  }
  // One for all openings: after a restart the columns are still those of the header.
  const rows = new CsvRows(columns, header);
  return textSink<T>('CSV', path, options, () => rows);
}

class CsvRows implements TextFormat<object> {
  #columns: readonly string[] | undefined;
  /** Undefined where elements may have more fields than are written. */
  readonly #known: Set<string> | undefined;
  readonly #header: boolean;

  constructor(columns: readonly string[] | undefined, header: boolean) {
    this.#columns = columns;
    this.#known = columns === undefined ? new Set() : undefined;
    this.#header = header;
  }

  encode(values: readonly object[], fresh: boolean): string {
    this.#columns ??= this.#learn(values[0]!);
    let text = fresh && this.#header ? rowOf(this.#columns) : '';
    for (const value of values) {
      this.#check(value);
      const fields = value as Readonly<Record<string, unknown>>;
      text += rowOf(this.#columns.map((column) => fields[column]));
    }
    return text;
  }

  #learn(first: object): readonly string[] {
    const columns = Object.keys(first);
    for (const column of columns) this.#known!.add(column);
    if (columns.length > 0) return columns;
    throw new MillraceError('sink/failed', `A CSV row cannot be made of ${describeValue(first)}: it has no fields.`, {
      remedy: 'Map elements to objects before the sink.',
    });
  }

  #check(value: object): void {
    if (this.#known === undefined) return;
    for (const field in value) {
      if (this.#known.has(field) || !Object.hasOwn(value, field)) continue;
      throw new MillraceError('sink/failed', `An element has the field "${field}", which the first had not: there is no column for it.`, {
        remedy: 'Name all columns: csvSink(path, { columns: [...] }).',
      });
    }
  }
}

/** A row of a CSV file, with its line end. */
export function rowOf(cells: readonly unknown[]): string {
  let row = '';
  for (let index = 0; index < cells.length; index++) {
    if (index > 0) row += ',';
    row += cellOf(cells[index]);
  }
  // An empty line would be no row.
  return row === '' ? '""\n' : `${row}\n`;
}

function cellOf(value: unknown): string {
  if (typeof value === 'string') return SPECIAL.test(value) ? quoted(value) : value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value === null || value === undefined) return '';
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  return quoted(jsonText(value));
}

const SPECIAL = /[",\r\n]/;

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
