import { extname } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { type Sink, type SinkContext, type SinkWriter, defineSink } from '../operators/connector.ts';
import { type ByteOutput, fileOutput, shortenFile, streamOutput } from './byteOutput.ts';
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

/** How far a file was written when a checkpoint was taken. Plain data. */
export interface WrittenFile {
  readonly path: string;
  readonly length: number;
}

/**
 * Text in a file, or on standard output if `path` is `-`. A job that goes on from a checkpoint cuts its file where it stood then, so that it
 * has everything once in the end. Where that cannot be, on standard output or in a file that others may append to, it is at-least-once.
 */
export function textSink<T>(kind: string, path: string, options: TextSinkOptions, format: () => TextFormat<T>): Sink<T> {
  if (path === '')
    throw new MillraceError('config/invalid', `${kind} sink: the path is empty.`, { remedy: "Name a file, or '-' for standard output." });
  const opened = new Set<number>();
  return defineSink<T, never, WrittenFile>({
    name: `${kind} ${path}`,
    async open(context) {
      const isAgain = opened.has(context.subtask);
      const isFirst = opened.size === 0;
      opened.add(context.subtask);
      // All subtasks share standard output, and so its header.
      if (path === '-') return new TextSinkWriter(streamOutput(process.stdout), ['standard output'], format(), context, !isFirst, false);
      const { append = false } = options;
      const { subtask, parallelism, restored, epoch } = context;
      const targets = Array.from({ length: parallelism }, (_, i) => partOf(path, i, parallelism));
      // Without checkpoints a job that restarts goes on with whatever its sources have left.
      const isKept = append || restored || (isAgain && epoch === 0);
      const output = await fileOutput(targets[subtask]!, isKept).catch((error: unknown) =>
        Promise.reject(sinkFailed(targets[subtask]!, error)),
      );
      return new TextSinkWriter(output, targets, format(), context, false, !append);
    },
  });
}

class TextSinkWriter<T> implements SinkWriter<T, never, WrittenFile> {
  readonly #output: ByteOutput;
  readonly #path: string;
  readonly #paths: readonly string[];
  readonly #format: TextFormat<T>;
  readonly #context: SinkContext;
  readonly #writer: TextWriter;
  #isFresh: boolean;
  /** Nobody else writes to the file. */
  readonly #isOwn: boolean;
  #state: readonly WrittenFile[] = [];

  /** `paths`: of all subtasks. */
  constructor(output: ByteOutput, paths: readonly string[], format: TextFormat<T>, context: SinkContext, isBegun: boolean, isOwn: boolean) {
    const path = paths[context.subtask] ?? paths[0]!;
    this.#output = output;
    this.#path = path;
    this.#paths = paths;
    this.#format = format;
    this.#context = context;
    this.#writer = new TextWriter(output, path, path.endsWith('.gz'), context.wrote);
    this.#isFresh = output.fresh && !isBegun;
    this.#isOwn = isOwn;
  }

  write(values: readonly T[]): Promise<void> | undefined {
    if (values.length === 0) return undefined;
    const text = this.#format.encode(values, this.#isFresh);
    this.#isFresh = false;
    return this.#writer.write(text);
  }

  async prepare(): Promise<readonly never[]> {
    await this.#writer.sync();
    const length = this.#isOwn ? await this.#output.length?.() : undefined;
    this.#state = length === undefined ? [] : [{ path: this.#path, length }];
    return [];
  }

  state(): readonly WrittenFile[] {
    return this.#state;
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  /** With another parallelism some files have no subtask any more: they are shared out. */
  async recover(_: readonly never[], files: readonly WrittenFile[]): Promise<void> {
    const { subtask, parallelism } = this.#context;
    const isMine = ({ path }: WrittenFile, i: number): boolean =>
      this.#paths.includes(path) ? path === this.#path : i % parallelism === subtask;
    for (const file of files.filter(isMine)) {
      await shortenFile(file.path, file.length).catch((error: unknown) => Promise.reject(sinkFailed(file.path, error)));
      if (file.path === this.#path) this.#isFresh &&= file.length === 0;
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}

/** Several subtasks write a file each: `alerts.jsonl` becomes `alerts.0.jsonl`, `alerts.1.jsonl`. */
function partOf(path: string, subtask: number, parallelism: number): string {
  if (parallelism === 1) return path;
  const packed = path.endsWith('.gz') ? '.gz' : '';
  const plain = path.slice(0, path.length - packed.length);
  const extension = extname(plain);
  return `${plain.slice(0, plain.length - extension.length)}.${subtask}${extension}${packed}`;
}
