import type { Sink } from '../operators/connector.ts';
import { jsonText } from './jsonText.ts';
import { type TextSinkOptions, textSink } from './textSink.ts';

/**
 * Writes each element as a line of JSON to a file, or to standard output if `path` is `-`. The file is replaced (or continued with `append`),
 * its directories are made, and it is gzipped if its name ends in `.gz`. With a parallelism above 1 every subtask writes a file of its own
 * (`alerts.0.jsonl`).
 *
 * Lines are written as they come, and are on disk at each checkpoint and at the end. A job that goes on from a checkpoint cuts the file where it
 * stood then, so that in the end it has every element once; who reads it meanwhile sees lines that are taken back. With `append`, and on standard
 * output, nothing is cut: what was written since the checkpoint comes again. Where that matters, {@link rollingFiles} shows nothing too early.
 *
 * @throws MillraceError when it runs: `sink/failed` if the file cannot be written, or an element is no JSON (a bigint, a function, a cycle).
 * @example
 * env.from(fromArray([{ card: 'a', cents: 300 }])).sinkTo(jsonLinesSink('-'));
 * await env.execute('alerts'); // {"card":"a","cents":300}
 */
export function jsonLinesSink<T>(path: string, options: TextSinkOptions = {}): Sink<T> {
  return textSink<T>('JSON lines', path, options, () => ({ encode: encodeLines }));
}

function encodeLines(values: readonly unknown[]): string {
  let text = '';
  for (const value of values) text += `${jsonText(value)}\n`;
  return text;
}
