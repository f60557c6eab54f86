import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { ByteOutput } from './byteOutput.ts';

const pack = promisify(gzip);

/** While the target is busy so much text is collected; beyond it the job waits. In characters. */
const HELD = 256 * 1024;

/**
 * Collects text and writes it: at once while the target keeps up, in large pieces while it does not. Packed output is written in members of
 * some size, each complete, so that what was synced can be read whatever comes after.
 */
export class TextWriter {
  readonly #output: ByteOutput;
  readonly #target: string;
  readonly #packed: boolean;
  readonly #wrote: (bytes: number) => void;
  #held: string[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #failure: MillraceError | undefined;

  /** `target` is its name in errors. */
  constructor(output: ByteOutput, target: string, packed: boolean, wrote: (bytes: number) => void) {
    this.#output = output;
    this.#target = target;
    this.#packed = packed;
    this.#wrote = wrote;
  }

  /**
   * Takes text. The caller waits for what is returned before giving more.
   *
   * @throws MillraceError `sink/failed`, also for what was taken before.
   */
  write(text: string): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#held.push(text);
    this.#length += text.length;
    if (this.#length >= HELD) return this.flush();
    if (!this.#packed) void this.#start();
    return undefined;
  }

  /** Resolves when all that was taken is written. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#length > 0) await this.#start();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all that was taken is safe. */
  async sync(): Promise<void> {
    await this.flush();
    await this.#output.sync().catch((error: unknown) => Promise.reject(sinkFailed(this.#target, error)));
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#output.close();
    }
  }

  #start(): Promise<void> {
    this.#writing ??= this.#writeHeld()
      .catch((error: unknown) => {
        this.#failure ??= sinkFailed(this.#target, error);
      })
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }

  async #writeHeld(): Promise<void> {
    const text = Buffer.from(this.#held.join(''));
    this.#held = [];
    this.#length = 0;
    const bytes = this.#packed ? await pack(text) : text;
    await this.#output.write(bytes);
    this.#wrote(bytes.length);
  }
}

/** What a sink says when its target refuses. */
export function sinkFailed(target: string, cause: unknown): MillraceError {
  return new MillraceError('sink/failed', `${target} cannot be written: ${describeError(cause)}.`, { remedy: remedyFor(cause), cause });
}

function remedyFor(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EISDIR') return 'It is a directory: name a file in it.';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Make room, and run the job again.';
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'A part of its path is a file: name another path.';
  return 'See to its path and permissions.';
}
