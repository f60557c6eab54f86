import type { Source } from '../operators/connector.ts';
import { fileSource } from './fileSource.ts';
import type { FilePaths } from './fileSet.ts';
import { lineParser } from './lineParser.ts';
import type { TextOptions } from './textOptions.ts';

/**
 * The lines of UTF-8 text files, without their `\n` or `\r\n`; gzipped files are unpacked. A line that is not UTF-8 (`text/encoding`) or too
 * long (`text/line-too-long`) goes to the `rejected` side output with its file and line, and reading goes on.
 *
 * Each file is a split; its position is the byte after the last line taken. A last line without newline counts, in a followed file once
 * it has its newline or nothing follows any more.
 *
 * @throws MillraceError when it runs: `source/not-found` if a path names nothing, `source/failed`, `gzip/truncated`, `gzip/corrupt`.
 * @example
 * await writeFile('auth.log', 'Failed password for ann\nAccepted password for ann\n');
 * const failed = env.from(textFile('auth.log')).filter((line) => line.startsWith('Failed'));
 * console.log(await failed.collect()); // [ 'Failed password for ann' ]
 */
export function textFile(path: FilePaths, options: TextOptions = {}): Source<string> {
  return fileSource<string>(
    path,
    { name: 'text', schema: undefined, parser: () => lineParser((text, line, batch) => batch.add(text, line), false) },
    options,
  );
}
