import type { FileHandle } from 'node:fs/promises';
import { type Gunzip, createGunzip } from 'node:zlib';
import { describeError } from '../errors/describe.ts';
import { MillraceError, isMillraceError } from '../errors/millraceError.ts';
import type { ByteInput } from './byteInput.ts';
import { unreadable } from './openFile.ts';

/** Small, since one read of zeros unpacks to a thousand times its size. */
const PACKED_CHUNK = 32 * 1024;

/**
 * The content of a gzipped file of one or more members. What was unpacked before an error is delivered before the error: zlib's stream
 * drops what it still holds when it fails, so its output is taken over the moment it comes.
 */
export class GunzipInput implements ByteInput {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: 64 * 1024 });
  readonly #packed: Buffer = Buffer.allocUnsafeSlow(PACKED_CHUNK);
  /** Unpacked and not yet read; the first from `#used` on. */
  readonly #ready: Buffer[] = [];
  #used = 0;
  /** Where the next unread byte stands in the content, and where the next packed one in the file. */
  #offset = 0;
  #packedOffset = 0;
  #taken = 0;
  #ended = false;
  #failure: unknown;
  /** The unpacking of one chunk. It is started ahead, for it happens on another thread. */
  #step: Promise<void> | undefined;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
    this.#gunzip.on('data', (chunk: Buffer) => this.#ready.push(chunk));
    this.#gunzip.on('end', () => (this.#ended = true));
    // `#unpack` deals with errors; whether zlib emits one before or after it tells the writer, it must not end the process.
    this.#gunzip.on('error', () => undefined);
  }

  async read(target: Buffer, at: number, offset: number): Promise<number> {
    for (;;) {
      this.#drop(offset - this.#offset);
      const count = this.#offset === offset ? this.#move(target, at) : 0;
      if (count > 0) {
        if (this.#ready.length === 0) void this.#advance();
        return count;
      }
      if (this.#failure !== undefined) throw this.#explain(this.#failure);
      if (this.#ended && this.#offset < offset)
        throw unreadable(this.#path, `its content has ${this.#offset} bytes, and ${offset} were read before`);
      if (this.#ended) return 0;
      await this.#advance();
    }
  }

  taken(): number {
    const taken = this.#taken;
    this.#taken = 0;
    return taken;
  }

  reached(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    await this.#step;
    this.#gunzip.close();
    await this.#handle.close();
  }

  #move(target: Buffer, at: number): number {
    let to = at;
    while (this.#ready.length > 0 && to < target.length) {
      const count = Math.min(target.length - to, this.#ready[0]!.length - this.#used);
      this.#ready[0]!.copy(target, to, this.#used, this.#used + count);
      to += count;
      this.#drop(count);
    }
    return to - at;
  }

  /** Passes over `count` bytes, or as many as are there. */
  #drop(count: number): void {
    let rest = count;
    while (rest > 0 && this.#ready.length > 0) {
      const step = Math.min(rest, this.#ready[0]!.length - this.#used);
      this.#used += step;
      this.#offset += step;
      rest -= step;
      if (this.#used < this.#ready[0]!.length) return;
      this.#ready.shift();
      this.#used = 0;
    }
  }

  /** Unpacks the next chunk. What goes wrong is kept until all before it was read. */
  #advance(): Promise<void> {
    this.#step ??= this.#unpack()
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#step = undefined;
      });
    return this.#step;
  }

  async #unpack(): Promise<void> {
    if (this.#failure !== undefined || this.#ended) return;
    const { bytesRead } = await this.#handle.read(this.#packed, 0, PACKED_CHUNK, this.#packedOffset);
    this.#packedOffset += bytesRead;
    this.#taken += bytesRead;
    const gunzip = this.#gunzip;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null): void => {
        gunzip.off('error', settle).off('end', settle);
        if (error) reject(error);
        else resolve();
      };
      // What follows the last member ends the stream without a word to the writer.
      gunzip.on('error', settle).on('end', settle);
      if (bytesRead > 0) gunzip.write(this.#packed.subarray(0, bytesRead), settle);
      else gunzip.end();
    });
    if (this.#ended && gunzip.bytesWritten < this.#packedOffset) await this.#checkPadding(gunzip.bytesWritten);
  }

  /** Zeros may follow the last member; anything else would be lost in silence. */
  async #checkPadding(from: number): Promise<void> {
    const rest = Buffer.alloc(PACKED_CHUNK);
    for (let place = from; ;) {
      const { bytesRead } = await this.#handle.read(rest, 0, PACKED_CHUNK, place);
      if (bytesRead === 0) return;
      if (rest.subarray(0, bytesRead).some((byte) => byte !== 0))
        throw this.#damaged('gzip/corrupt', `goes on with bytes that are not gzip at byte ${from}`);
      place += bytesRead;
    }
  }

  #explain(error: unknown): MillraceError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // zlib's own codes begin so; others are about the file.
    if (!code.startsWith('Z_')) return isMillraceError(error) ? error : unreadable(this.#path, error);
    return code === 'Z_BUF_ERROR'
      ? this.#damaged('gzip/truncated', 'ends in the middle', error)
      : this.#damaged('gzip/corrupt', `is damaged (${describeError(error)})`, error);
  }

  #damaged(code: 'gzip/truncated' | 'gzip/corrupt', problem: string, cause?: unknown): MillraceError {
    return new MillraceError(code, `${this.#path} ${problem}, after ${this.#offset} bytes of content.`, {
      remedy: "Get a complete copy of it; or take what is readable and report the rest as rejected: { damaged: 'reject' }.",
      cause,
    });
  }
}
