import type { ByteWindow } from './byteWindow.ts';
import { cellText } from './cellText.ts';
import type { CsvDialect } from './csvDialect.ts';

const NEWLINE = 10;
const RETURN = 13;

/** What {@link CsvTokenizer} answers instead of a place: the record needs care, is not all there, or is malformed. */
export const CAREFUL = -1;
export const INCOMPLETE = -2;
export const MALFORMED = -3;

/**
 * Finds the cells of one record after RFC 4180. Most records have no quotes and are ASCII: `scan` finds the ends of their cells in one
 * pass over the bytes. The others are taken apart cell by cell.
 */
export class CsvTokenizer {
  /** Where the cells of the scanned record end. Cells beyond its length are counted only. */
  readonly ends: Int32Array;
  /** How many cells the last record had. */
  count = 0;
  /** The cells of the last record that `split` took apart. */
  readonly cells: string[] = [];
  /** What is wrong with the record, when it is malformed, and how far it had to be read to see it. */
  problem = '';
  problemAt = 0;
  readonly #delimiter: number;
  readonly #quote: number;
  readonly #quoteText: string;
  /** The highest byte that means something: all above are skipped with one comparison. */
  readonly #highest: number;

  constructor(dialect: CsvDialect, columns: number) {
    this.ends = new Int32Array(columns);
    this.#delimiter = dialect.delimiter;
    this.#quote = dialect.quote;
    this.#quoteText = dialect.quote === -1 ? '' : String.fromCharCode(dialect.quote);
    this.#highest = Math.max(dialect.delimiter, dialect.quote, NEWLINE);
  }

  /** Returns where the record's line ends, or `CAREFUL` if it holds a quote or anything but ASCII. */
  scan(bytes: Buffer, start: number, limit: number): number {
    const { ends } = this;
    const delimiter = this.#delimiter;
    const quote = this.#quote;
    const highest = this.#highest;
    let count = 0;
    let bits = 0;
    let index = start;
    for (; index < limit; index++) {
      const byte = bytes[index]!;
      bits |= byte;
      if (byte > highest) continue;
      if (byte === delimiter) ends[count++] = index;
      else if (byte === NEWLINE) break;
      else if (byte === quote) return CAREFUL;
    }
    if (bits > 127) return CAREFUL;
    ends[count++] = bytes[index - 1] === RETURN ? index - 1 : index;
    this.count = count;
    return index;
  }

  /** Takes a record apart into `cells`. Returns where its last line ends, or `INCOMPLETE` or `MALFORMED`. */
  split(window: ByteWindow, start: number): number {
    this.cells.length = 0;
    let index = start;
    for (;;) {
      const opened = index < window.limit && window.bytes[index] === this.#quote;
      index = opened ? this.#quoted(window, index + 1) : this.#unquoted(window, index);
      if (index < 0) break;
      if (index >= window.limit || window.bytes[index] !== this.#delimiter) break;
      index++;
    }
    this.count = this.cells.length;
    return index;
  }

  /** A cell in quotes whose content begins at `start`. Returns the place of the delimiter or newline after it. */
  #quoted(window: ByteWindow, start: number): number {
    const { text, bytes, limit } = window;
    let end = text.indexOf(this.#quoteText, start);
    let doubled = false;
    while (end !== -1 && bytes[end + 1] === this.#quote && end + 1 < limit) {
      doubled = true;
      end = text.indexOf(this.#quoteText, end + 2);
    }
    if (end === -1) {
      if (!window.ended && !window.crowded) return INCOMPLETE;
      return this.#malformed(`the quote that opens cell ${this.cells.length + 1} is not closed`, window.ended ? limit : Infinity);
    }
    const cell = cellOf(window, start, end);
    this.cells.push(doubled ? cell.replaceAll(this.#quoteText + this.#quoteText, this.#quoteText) : cell);
    return this.#afterQuote(window, end + 1);
  }

  /** What may stand after a closing quote: a delimiter, a newline, the end. */
  #afterQuote({ bytes, limit }: ByteWindow, after: number): number {
    if (after === limit || bytes[after] === this.#delimiter || bytes[after] === NEWLINE) return after;
    if (bytes[after] === RETURN && (after + 1 === limit || bytes[after + 1] === NEWLINE)) return after + 1;
    return this.#malformed(`text follows the closing quote of cell ${this.cells.length}`, after);
  }

  #malformed(problem: string, at: number): number {
    this.problem = problem;
    this.problemAt = at;
    return MALFORMED;
  }

  #unquoted(window: ByteWindow, start: number): number {
    const { bytes, limit } = window;
    let index = start;
    for (; index < limit; index++) {
      const byte = bytes[index]!;
      if (byte === this.#delimiter || byte === NEWLINE) break;
      if (byte === this.#quote) {
        return this.#malformed(`a quote stands within cell ${this.cells.length + 1}, which is not in quotes`, index);
      }
    }
    const last = index === limit || bytes[index] === NEWLINE;
    this.cells.push(cellOf(window, start, last && bytes[index - 1] === RETURN ? index - 1 : index));
    return index;
  }
}

function cellOf(window: ByteWindow, start: number, end: number): string {
  if (window.ascii) return cellText(window.text, window.bytes, start, end);
  let bits = 0;
  for (let index = start; index < end; index++) bits |= window.bytes[index]!;
  return bits > 127 ? window.bytes.toString('utf8', start, end) : cellText(window.text, window.bytes, start, end);
}
