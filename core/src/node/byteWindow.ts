import { isAscii, isUtf8 } from 'node:buffer';
import type { ByteInput } from './byteInput.ts';
import type { FilePosition } from './filePosition.ts';

/** A line that was too long to be taken in. */
export interface LongLine {
  readonly line: number;
  /** Its length, without the newline. */
  readonly bytes: number;
  /** Its beginning. */
  readonly head: string;
}

const NEWLINE = 10;
/** How much of a file is read at a time. */
const CHUNK = 128 * 1024;
const SMALLEST = 4 * 1024;
/** What is kept of a line that is too long. */
const HEAD = 1024;
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The stretch of a file that is in memory. `text` has one character per byte (latin1), so an index means the same in both, delimiters
 * can be searched in either, and ASCII is already decoded; what is not ASCII is decoded cell by cell from `bytes`. Parsers take records
 * from `at` and move it; they never look past `limit`, which stands after the last whole line (at the end when nothing follows).
 */
export class ByteWindow {
  bytes: Buffer;
  text = '';
  at = 0;
  limit = 0;
  /** The number of the line at `at`. */
  line: number;
  /** Whether all of it is ASCII, and if not, whether all of it is UTF-8. */
  ascii = true;
  utf8 = true;
  /** Nothing comes after `limit`. */
  ended = false;
  /** A line that the last call of `fill` or `end` passed over. */
  longLine: LongLine | undefined;
  readonly maxLine: number;
  readonly #input: ByteInput;
  /** Where `bytes[0]` stands in the content. */
  #base: number;
  #filled = 0;
  #skipped: { line: number; bytes: number; head: string } | undefined;

  /** `size` is that of the file, as far as it is known: a small file needs no big buffer. */
  constructor(input: ByteInput, from: FilePosition, maxLine: number, size: number) {
    this.#input = input;
    this.#base = from.offset;
    this.line = from.line;
    this.maxLine = maxLine;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST, Math.min(CHUNK, size + 1)));
  }

  /** Where `at` stands in the file: between two records, except while a long line is passed over, of which nothing is told before its end. */
  get position(): FilePosition {
    return { offset: this.#base + this.at, line: this.line };
  }

  /** More than `maxLine` bytes were read from `at` on: a parser that waits for the rest of a record has to give it up. */
  get crowded(): boolean {
    return this.#filled - this.at > this.maxLine;
  }

  /** Goes on from a place that is not before `at`. */
  moveTo(position: FilePosition): void {
    const index = position.offset - this.#base;
    this.line = position.line;
    if (index <= this.#filled) {
      this.at = index;
      return;
    }
    this.#base = position.offset;
    this.at = 0;
    this.#filled = 0;
    this.limit = 0;
  }

  /** Reads on. Resolves to false when nothing more stands there now. */
  async fill(): Promise<boolean> {
    this.longLine = undefined;
    this.#makeRoom();
    const first = this.#base === 0 && this.#filled === 0;
    if (!(await this.#read())) return false;
    if (first) await this.#passMark();
    if (this.#skipped !== undefined) this.#skip(this.#skipped);
    this.#show(this.bytes.subarray(0, this.#filled).lastIndexOf(NEWLINE) + 1);
    if (this.crowded && this.limit === this.at) this.#startSkipping();
    return true;
  }

  /** Says that nothing follows: what is there, and no whole line, is the last record. */
  end(): void {
    this.ended = true;
    this.longLine = this.#skipped;
    this.#skipped = undefined;
    this.#show(this.#filled);
  }

  /** Says that what is there and no whole line is lost, and nothing follows. */
  abandon(): void {
    this.at = this.#filled;
    this.end();
    this.line++;
  }

  /** A record as it stands in the file. Where it is not UTF-8 nothing may get lost: then each byte is the character of its number. */
  raw(start: number, end: number): string {
    const stretch = this.bytes.subarray(start, end);
    return stretch.toString(isUtf8(stretch) ? 'utf8' : 'latin1');
  }

  /** All that was read from `at` on: where reading broke off. */
  rest(): string {
    return this.raw(this.at, this.#filled);
  }

  /** The beginning of a record that is too long to be shown. */
  head(start: number, end: number): string {
    // Not more than was surely read when a line turns out to be too long.
    let to = Math.min(end, start + Math.min(HEAD, this.maxLine));
    // Not within a character.
    while (to < end && to > start && (this.bytes[to]! & 0xc0) === 0x80) to--;
    return this.raw(start, to);
  }

  /** Whether a stretch is UTF-8. */
  isText(start: number, end: number): boolean {
    return this.utf8 || isUtf8(this.bytes.subarray(start, end));
  }

  /** Drops what was taken. Doubling keeps the work for a record that needs many reads proportional to its length. */
  #makeRoom(): void {
    const { length } = this.bytes;
    const small = this.#filled === length && (this.at === 0 || length < CHUNK);
    const target = small ? Buffer.allocUnsafeSlow(length * 2) : this.bytes;
    if (this.at > 0 || small) this.bytes.copy(target, 0, this.at, this.#filled);
    this.bytes = target;
    this.#base += this.at;
    this.#filled -= this.at;
    this.at = 0;
    this.limit = 0; // `text` no longer fits
  }

  async #read(): Promise<boolean> {
    // After a huge record the buffer is larger than the reads should be.
    const room = this.bytes.subarray(0, this.#filled + Math.max(CHUNK, this.#filled));
    const count = await this.#input.read(room, this.#filled, this.#base + this.#filled);
    this.#filled += count;
    return count > 0;
  }

  /** A byte order mark says that UTF-8 follows, and is no part of the first record. */
  async #passMark(): Promise<void> {
    while (this.#filled < MARK.length && this.bytes[0] === MARK[0]) {
      if (!(await this.#read())) return;
    }
    if (this.#filled >= MARK.length && MARK.equals(this.bytes.subarray(0, MARK.length))) this.at = MARK.length;
  }

  #show(limit: number): void {
    this.limit = Math.max(this.at, limit);
    const whole = this.bytes.subarray(0, this.limit);
    this.ascii = isAscii(whole);
    this.utf8 = this.ascii || isUtf8(whole);
    this.text = whole.toString('latin1');
  }

  #startSkipping(): void {
    this.#skipped = { line: this.line, bytes: 0, head: this.head(this.at, this.#filled) };
    this.#skip(this.#skipped);
    this.limit = this.at;
  }

  /** Passes over the rest of a line that is too long, or over all there is of it. */
  #skip(skipped: { bytes: number }): void {
    const newline = this.bytes.subarray(0, this.#filled).indexOf(NEWLINE, this.at);
    const end = newline === -1 ? this.#filled : newline;
    skipped.bytes += end - this.at;
    this.at = end;
    if (newline === -1) return;
    this.longLine = this.#skipped;
    this.#skipped = undefined;
    this.at++;
    this.line++;
  }
}
