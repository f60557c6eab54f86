import { basename, dirname, extname, resolve } from 'node:path';
import { describeValue } from '../errors/describe.ts';
import { defineSink, type Rejected, type Sink, type SinkDefinition } from '../operators/connector.ts';
import { FinishedName } from './rollingFileName.ts';
import { DEFAULT_ROLL, RollPolicy } from './rollingFilePolicy.ts';
import type { PendingFile } from './rollingFilePublisher.ts';
import { type RollingFileSettings, type RollingFileState, RollingFileWriter } from './rollingFileWriter.ts';
import { type TextSinkOptions, textSink } from './textSink.ts';

/**
 * Writes what a job could not process to a file of JSON lines: `{ place, code, reason, value }`. Unlike with `jsonLinesSink` nothing that
 * JSON cannot hold makes it fail: a bigint is written as text, and a value with a cycle is described.
 *
 * In a job with checkpoints every letter is written exactly once, in files beside that name, as {@link rollingFiles} does: `dead-letters-0-0.jsonl`
 * and so on, each visible when it is a minute old and a checkpoint is complete. Standard output (`-`) and a job without checkpoints have
 * the letters as they come.
 *
 * @throws MillraceError when it runs: `sink/failed` if the file cannot be written.
 * @example
 * env.from(fromArray(['1', 'x'])).map((text) => BigInt(text), { uid: 'parse', onError: 'deadLetter' }).sinkTo(discard());
 * env.deadLetterTo(deadLetterFile('dead-letters.jsonl'));
 * await env.execute('numbers');
 * console.log(JSON.parse(await readFile('dead-letters.jsonl', 'utf8')).value); // x
 */
export function deadLetterFile(path: string, options: TextSinkOptions = {}): Sink<Rejected> {
  const plain = textSink<Rejected>('dead letters', path, options, () => ({
    encode: (letters) => letters.map((letter) => `${lineOf(letter)}\n`).join(''),
  }));
  if (path === '-') return plain;
  const settings = rollingSettings(path);
  const { name, open } = plain.definition as unknown as SinkDefinition<Rejected, PendingFile, RollingFileState>;
  return defineSink<Rejected, PendingFile, RollingFileState>({
    name,
    open: (context) => (context.epoch === 0 ? open(context) : RollingFileWriter.open(settings, context)),
  });
}

/** `out/dead-letters.jsonl.gz` in several files: `out/dead-letters-0-0.jsonl.gz`. */
function rollingSettings(path: string): RollingFileSettings<Rejected> {
  const packed = path.endsWith('.gz');
  const name = basename(path, packed ? '.gz' : '');
  const extension = extname(name);
  return {
    directory: resolve(dirname(path)),
    names: new FinishedName(basename(name, extension), `${extension}${packed ? '.gz' : ''}`),
    format: { encode: (letter) => `${lineOf(letter)}\n` },
    roll: new RollPolicy(DEFAULT_ROLL),
    bucketOf: () => '',
    packed,
  };
}

/** JSON would leave a function or symbol out. */
function isHeld(value: unknown): boolean {
  return typeof value !== 'function' && typeof value !== 'symbol';
}

function lineOf({ place, code, reason, issues, value }: Rejected): string {
  const objections = issues?.map(({ message, path }) => ({
    message,
    path: path?.map((part) => String(typeof part === 'object' ? part.key : part)),
  }));
  const letter = { place, code, reason, issues: objections, value: isHeld(value) ? (value ?? null) : describeValue(value) };
  try {
    return JSON.stringify(letter, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  } catch {
    return JSON.stringify({ ...letter, value: describeValue(value) });
  }
}
