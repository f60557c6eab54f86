import { describeValue } from '../errors/describe.ts';
import type { Rejected, Sink } from '../operators/connector.ts';
import { type TextSinkOptions, textSink } from './textSink.ts';

/**
 * Writes what a job could not process to a file of JSON lines: `{ place, code, reason, value }`. Unlike with `jsonLinesSink` nothing that
 * JSON cannot hold makes it fail: a bigint is written as text, and a value with a cycle is described.
 *
 * @throws MillraceError when it runs: `sink/failed` if the file cannot be written.
 * @example
 * env.from(fromArray(['1', 'x'])).map((text) => BigInt(text), { uid: 'parse', onError: 'deadLetter' }).sinkTo(discard());
 * env.deadLetterTo(deadLetterFile('dead-letters.jsonl'));
 * await env.execute('numbers');
 * console.log(JSON.parse(await readFile('dead-letters.jsonl', 'utf8')).value); // x
 */
export function deadLetterFile(path: string, options: TextSinkOptions = {}): Sink<Rejected> {
  return textSink<Rejected>('dead letters', path, options, () => ({
    encode: (letters) => letters.map((letter) => `${lineOf(letter)}\n`).join(''),
  }));
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
