import { extname } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { type Sink, type SinkContext, defineSink } from '../operators/connector.ts';
import { fileOutput, streamOutput } from './byteOutput.ts';
import { TextWriter, sinkFailed } from './textWriter.ts';

/** How text files are written. */
export interface TextSinkOptions {
  /** Keeps what the file held and writes after it. Default: false, the file is replaced. */
  readonly append?: boolean;
}

/** Turns the records of one file into text. */
export interface TextFormat<in T> {
  /** The text for some records. `fresh` is true for the first ones of a file that held nothing. */
  encode(values: readonly T[], fresh: boolean): string;
}

/** Text in a file, or on standard output if `path` is `-`. At-least-once: what was written after the last checkpoint is written again. */
export function textSink<T>(kind: string, path: string, options: TextSinkOptions, format: () => TextFormat<T>): Sink<T> {
  if (path === '')
    throw new MillraceError('config/invalid', `${kind} sink: the path is empty.`, { remedy: "Name a file, or '-' for standard output." });
  const opened = new Set<number>();
  return defineSink<T>({
    name: `${kind} ${path}`,
    async open(context) {
      const target = path === '-' ? 'standard output' : partOf(path, context);
      // A job that restarts opens its sinks again, and must not cut what it wrote before.
      const append = options.append === true || opened.has(context.subtask);
      const first = opened.size === 0;
      opened.add(context.subtask);
      const output =
        path === '-'
          ? streamOutput(process.stdout)
          : await fileOutput(target, append).catch((error: unknown) => Promise.reject(sinkFailed(target, error)));
      const writer = new TextWriter(output, target, path.endsWith('.gz'), context.wrote);
      const rows = format();
      // All subtasks share standard output, and so its header.
      let fresh = output.fresh && (path !== '-' || first);
      return {
        write(values) {
          if (values.length === 0) return;
          const text = rows.encode(values, fresh);
          fresh = false;
          return writer.write(text);
        },
        async prepare() {
          await writer.sync();
          return [];
        },
        commit: () => Promise.resolve(),
        close: () => writer.close(),
      };
    },
  });
}

/** Several subtasks write a file each: `alerts.jsonl` becomes `alerts.0.jsonl`, `alerts.1.jsonl`. */
function partOf(path: string, { subtask, parallelism }: SinkContext): string {
  if (parallelism === 1) return path;
  const packed = path.endsWith('.gz') ? '.gz' : '';
  const plain = path.slice(0, path.length - packed.length);
  const extension = extname(plain);
  return `${plain.slice(0, plain.length - extension.length)}.${subtask}${extension}${packed}`;
}
