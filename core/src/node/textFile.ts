import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describeError } from '../errors/describe.ts';
import type { Source } from '../operators/connector.ts';
import { checkerOf } from '../schema/standard.ts';
import type { FileFormat } from './fileFormat.ts';
import { fileSource } from './fileSource.ts';
import type { FilePaths } from './fileSet.ts';
import { type LineReader, lineParser } from './lineParser.ts';
import type { TextOptions } from './textOptions.ts';

/** How lines become elements. */
export interface LineOptions<out T> extends TextOptions {
  /**
   * Makes an element of a line: a function, or a schema over text. A line on which the function throws (`text/malformed`), or which the schema
   * refuses (`schema/invalid`), goes to the `rejected` side output with its file and line.
   */
  readonly parse: ((line: string) => T) | StandardSchemaV1<string, T>;
}

/**
 * The lines of UTF-8 text files, without their `\n` or `\r\n`; gzipped files are unpacked. A line that is not UTF-8 (`text/encoding`) or too
 * long (`text/line-too-long`) goes to the `rejected` side output with its file and line, and reading goes on.
 *
 * Each file is a split; its position is the byte after the last line taken. A last line without newline counts, in a followed file once
 * it has its newline or nothing follows any more.
 *
 * With `parse` the elements are what it makes of the lines; then the source can give them their time, file by file.
 *
 * @throws MillraceError `schema/invalid` if `parse` is neither a function nor a schema; when it runs: `schema/async`, `source/not-found` if a path names nothing, `source/failed`, `gzip/truncated`, `gzip/corrupt`.
 * @example
 * await writeFile('auth.log', 'Failed password for ann\nAccepted password for ann\n');
 * const failed = env.from(textFile('auth.log')).filter((line) => line.startsWith('Failed'));
 * console.log(await failed.collect()); // [ 'Failed password for ann' ]
 *
 * await writeFile('sizes.log', 'a.txt 300\nb.txt\n');
 * const parse = (line: string): number => {
 *   const [, size] = line.split(' ');
 *   if (size === undefined) throw new Error('no size');
 *   return Number(size);
 * };
 * const sizes = env.from(textFile('sizes.log', { parse }));
 * console.log(await sizes.side('rejected').map(({ place, reason }) => `${place}: ${reason}`).collect()); // [ 'sizes.log:2: no size' ]
 */
export function textFile(path: FilePaths, options?: TextOptions): Source<string>;
export function textFile<T>(path: FilePaths, options: LineOptions<T>): Source<T>;
export function textFile(path: FilePaths, options: TextOptions & Partial<LineOptions<unknown>> = {}): Source<unknown> {
  return fileSource(path, formatOf(options.parse), options);
}

function formatOf(parse: LineOptions<unknown>['parse'] | undefined): FileFormat<unknown> {
  const format = (read: LineReader<unknown>, schema?: StandardSchemaV1): FileFormat<unknown> => ({
    name: 'text',
    schema,
    parser: () => lineParser(read, false),
  });
  if (parse === undefined) return format(take);
  // Some schemas are functions too.
  if (typeof parse === 'function' && !('~standard' in parse)) return format(parsing(parse));
  checkerOf(parse as StandardSchemaV1);
  return format(take, parse as StandardSchemaV1);
}

const take: LineReader<unknown> = (text, line, batch) => batch.add(text, line);

function parsing(parse: (line: string) => unknown): LineReader<unknown> {
  return (text, line, batch) => {
    let element: unknown;
    try {
      element = parse(text);
    } catch (error) {
      return batch.reject('text/malformed', describeError(error), line, text);
    }
    batch.add(element, line);
  };
}
