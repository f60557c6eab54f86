import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Source } from '../operators/connector.ts';
import { checkerOf } from '../schema/standard.ts';
import { fileSource } from './fileSource.ts';
import type { FilePaths } from './fileSet.ts';
import { type LineReader, lineParser } from './lineParser.ts';
import type { TextOptions } from './textOptions.ts';

/**
 * One JSON value per line, each checked by the schema; blank lines are passed over, gzipped files unpacked. What is no JSON
 * (`json/malformed`), does not pass the schema (`schema/invalid`), is not UTF-8 or too long goes to the `rejected` side output with its file and
 * line, and reading goes on. Splits and positions are those of {@link textFile}.
 *
 * @throws MillraceError `schema/invalid` if `schema` is none; when it runs: `schema/async`, `source/not-found`, `source/failed`,
 * `gzip/truncated`, `gzip/corrupt`.
 * @example
 * await writeFile('payments.jsonl', '{"card":"a","cents":300}\n{"card":"b"}\n');
 * const payments = env.from(jsonLines('payments.jsonl', z.object({ card: z.string(), cents: z.number() })));
 * console.log(await payments.side('rejected').map(({ place, code }) => `${place} ${code}`).collect()); // [ 'payments.jsonl:2 schema/invalid' ]
 */
export function jsonLines<S extends StandardSchemaV1>(
  path: FilePaths,
  schema: S,
  options: TextOptions = {},
): Source<StandardSchemaV1.InferOutput<S>> {
  checkerOf(schema);
  return fileSource(path, { name: 'JSON lines', schema, parser: () => lineParser(readJson, true) }, options);
}

const readJson: LineReader<unknown> = (text, line, batch) => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (text.trim() !== '') batch.reject('json/malformed', problemOf(error as SyntaxError), line, ownCopy(text));
    return;
  }
  batch.add(value, line);
};

/** V8's message quotes the text, and a reason is logged. */
function problemOf(error: SyntaxError): string {
  const position = /position (\d+)/.exec(error.message)?.[1];
  if (position !== undefined) return `the line is no JSON: it breaks off at character ${Number(position) + 1}`;
  return error.message.includes('end of JSON') ? 'the line is no JSON: it ends too early' : 'the line is no JSON';
}

/** The text may be a slice that keeps its whole chunk alive. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
