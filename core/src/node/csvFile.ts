import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../errors/millraceError.ts';
import type { Source } from '../operators/connector.ts';
import { checkerOf } from '../schema/standard.ts';
import { type CsvDialectOptions, csvDialect } from './csvDialect.ts';
import { CsvParser } from './csvParser.ts';
import { fileSource } from './fileSource.ts';
import type { FilePaths } from './fileSet.ts';
import type { TextOptions } from './textOptions.ts';

/** How CSV files are read. */
export interface CsvOptions extends TextOptions, CsvDialectOptions {
  /** The names of the columns, for files that have no header line. Default: the first line has them. */
  readonly header?: readonly string[];
}

/** CSV cells are text: a schema whose input is not text is refused by the compiler, not on row 1. */
export type TextInput<S extends StandardSchemaV1> =
  { [P in keyof StandardSchemaV1.InferInput<S>]: string } extends StandardSchemaV1.InferInput<S>
    ? S
    : { readonly '~millrace': 'CSV cells are text: give a schema that accepts strings, such as z.coerce.number()' };

/** Without a schema every cell is a string. */
export function csvFile(path: FilePaths, options?: CsvOptions): Source<Record<string, string>>;
/**
 * The rows of CSV files after RFC 4180: cells in quotes may hold delimiters, newlines and doubled quotes. Each row becomes an object with the
 * header's names and goes through the schema, if there is one. Gzipped files are unpacked, a byte order mark and blank lines passed over
 * (where there is one column, a blank line is an empty cell).
 *
 * What cannot be taken in goes to the `rejected` side output with its file and the line where it begins, and reading goes on: rows with more or
 * fewer cells than the header, or wrong quotes (`csv/malformed`), rows that do not pass the schema (`schema/invalid`), are not UTF-8
 * (`text/encoding`) or too long (`text/line-too-long`). After wrong quotes reading goes on at the next line, since the end of the row is unknown.
 *
 * Splits and positions are those of {@link textFile}.
 *
 * @throws MillraceError `schema/invalid` if `schema` is none, `config/invalid` for the options; when it runs: `csv/malformed` for a header
 * that cannot be read, `schema/async`, `source/not-found`, `source/failed`, `gzip/truncated`, `gzip/corrupt`.
 * @example
 * await writeFile('payments.csv', 'id;cents\na;300\nb;lots\n');
 * const payments = env.from(csvFile('payments.csv', z.object({ id: z.string(), cents: z.coerce.number() }), { delimiter: ';' }));
 * console.log(await payments.collect()); // [ { id: 'a', cents: 300 } ]
 */
export function csvFile<S extends StandardSchemaV1>(
  path: FilePaths,
  schema: S & TextInput<S>,
  options?: CsvOptions,
): Source<StandardSchemaV1.InferOutput<S>>;
export function csvFile(path: FilePaths, second?: StandardSchemaV1 | CsvOptions, third?: CsvOptions): Source<unknown> {
  const schema = second !== undefined && '~standard' in second ? second : undefined;
  const options = third ?? (schema === undefined ? (second as CsvOptions | undefined) : undefined) ?? {};
  if (schema !== undefined) checkerOf(schema);
  const dialect = csvDialect(options);
  const columns = columnsOf(options);
  return fileSource<unknown>(path, { name: 'CSV', schema, parser: (file) => new CsvParser(file, dialect, columns) }, options);
}

function columnsOf({ header }: CsvOptions): readonly string[] | undefined {
  if (header === undefined) return undefined;
  if (header.length > 0 && new Set(header).size === header.length) return header;
  throw new MillraceError('config/invalid', 'CSV: header has no names, or one of them twice.', {
    remedy: "Name every column once: { header: ['id', 'amount'] }.",
  });
}
