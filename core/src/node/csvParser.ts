import { MillraceError } from '../errors/millraceError.ts';
import type { ByteWindow } from './byteWindow.ts';
import type { CsvDialect } from './csvDialect.ts';
import { CAREFUL, CsvTokenizer, INCOMPLETE, MALFORMED } from './csvTokenizer.ts';
import { rejectEncoding, rejectLong } from './lineParser.ts';
import type { RecordBatch } from './recordBatch.ts';
import type { RecordParser } from './recordParser.ts';
import { type RowShape, rowShape } from './rowShape.ts';

/**
 * Makes rows of a CSV file. A record that is malformed is put aside and reading goes on: after the record if only its cells do not fit
 * the columns; at the next line if its quotes are wrong, for a stray quote would otherwise swallow all up to the next one.
 */
export class CsvParser<T> implements RecordParser<T> {
  readonly #file: string;
  readonly #dialect: CsvDialect;
  #tokenizer: CsvTokenizer;
  #shape: RowShape | undefined;
  #columns: number;

  /** `columns` are given when the file has no header line. */
  constructor(file: string, dialect: CsvDialect, columns: readonly string[] | undefined) {
    this.#file = file;
    this.#dialect = dialect;
    this.#columns = columns?.length ?? 0;
    this.#tokenizer = new CsvTokenizer(dialect, this.#columns);
    this.#shape = columns === undefined ? undefined : rowShape(columns);
  }

  get needsHead(): boolean {
    return this.#shape === undefined;
  }

  readHead(window: ByteWindow): void {
    while (this.needsHead && window.at < window.limit) {
      const start = window.at;
      if (this.#passComment(window)) continue;
      const end = this.#tokenizer.split(window, start);
      if (end === INCOMPLETE) return;
      if (end === MALFORMED) throw this.#badHead('csv/malformed', this.#tokenizer.problem);
      if (end - start > window.maxLine) throw this.#badHead('text/line-too-long', `it has ${end - start} bytes`);
      if (!window.isText(start, end)) throw this.#badHead('text/encoding', 'it is not UTF-8');
      this.#pass(window, end);
      if (!isBlank(this.#tokenizer.cells, window, start)) this.#setColumns(this.#tokenizer.cells);
    }
  }

  parse(window: ByteWindow, batch: RecordBatch<T>): void {
    const { bytes, text, limit, maxLine } = window;
    const tokenizer = this.#tokenizer;
    const shape = this.#shape!;
    const comments = this.#dialect.comment !== -1;
    while (window.at < limit && !batch.full) {
      const start = window.at;
      if (comments && this.#passComment(window)) continue;
      const end = tokenizer.scan(bytes, start, limit);
      if (end === CAREFUL || end - start > maxLine || tokenizer.count !== this.#columns) {
        if (!this.#takeCarefully(window, batch, end)) return;
        continue;
      }
      batch.add(shape.fromBytes(text, bytes, tokenizer.ends, start), window.line);
      window.at = end < limit ? end + 1 : limit;
      window.line++;
    }
  }

  /** Takes or puts aside a record that is not plain. Returns false if it has to wait for the rest of it. */
  #takeCarefully(window: ByteWindow, batch: RecordBatch<T>, scanned: number): boolean {
    const tokenizer = this.#tokenizer;
    const start = window.at;
    const end = scanned === CAREFUL ? tokenizer.split(window, start) : scanned;
    if (end === INCOMPLETE) return false;
    // Where a long record is given up depends on how much of the file is in memory; what becomes of it must not (but for the reason's wording).
    if ((end === MALFORMED ? tokenizer.problemAt : end) - start > window.maxLine) {
      this.#rejectLine(window, batch, `it has more than ${window.maxLine} bytes`);
      return true;
    }
    if (end === MALFORMED) {
      this.#rejectLine(window, batch, tokenizer.problem);
      return true;
    }
    if (!window.isText(start, end)) rejectEncoding(window, batch, start, end);
    else if (tokenizer.count === this.#columns) batch.add(this.#shape!.fromCells(tokenizer.cells), window.line);
    else if (scanned === CAREFUL || tokenizer.count !== 1 || tokenizer.ends[0] !== start) {
      batch.reject(
        'csv/malformed',
        `the row has ${tokenizer.count} cells, the header ${this.#columns}`,
        window.line,
        window.raw(start, withoutReturn(window, end)),
      );
    } // else a blank line
    this.#pass(window, end);
    return true;
  }

  /** Puts the first line of a malformed record aside. */
  #rejectLine(window: ByteWindow, batch: RecordBatch<T>, problem: string): void {
    const start = window.at;
    const newline = window.text.indexOf('\n', start);
    const end = newline === -1 ? window.limit : newline;
    const stop = withoutReturn(window, end);
    if (stop - start > window.maxLine) rejectLong(window, batch, start, stop);
    else if (!window.isText(start, stop)) rejectEncoding(window, batch, start, stop);
    else batch.reject('csv/malformed', `${problem}; reading goes on at the next line`, window.line, window.raw(start, stop));
    this.#pass(window, end);
  }

  #passComment(window: ByteWindow): boolean {
    if (window.bytes[window.at] !== this.#dialect.comment) return false;
    const newline = window.text.indexOf('\n', window.at);
    this.#pass(window, newline === -1 ? window.limit : newline);
    return true;
  }

  /** Goes to the line after the one that ends at `end`, which may have begun several lines before. */
  #pass(window: ByteWindow, end: number): void {
    for (
      let newline = window.text.indexOf('\n', window.at);
      newline !== -1 && newline < end;
      newline = window.text.indexOf('\n', newline + 1)
    )
      window.line++;
    window.line++;
    window.at = end < window.limit ? end + 1 : window.limit;
  }

  #setColumns(names: readonly string[]): void {
    const columns = [...names];
    const twice = columns.findIndex((name, index) => columns.indexOf(name) !== index);
    if (twice !== -1)
      throw this.#badHead('csv/malformed', `columns ${columns.indexOf(columns[twice]!) + 1} and ${twice + 1} have the same name`);
    this.#columns = columns.length;
    this.#tokenizer = new CsvTokenizer(this.#dialect, columns.length);
    this.#shape = rowShape(columns);
  }

  #badHead(code: 'csv/malformed' | 'text/encoding' | 'text/line-too-long', problem: string): MillraceError {
    return new MillraceError(code, `The header of ${this.#file} cannot be read: ${problem}.`, {
      remedy: "Correct it, or name the columns: { header: ['id', 'amount'] } for a file that has no header line.",
    });
  }
}

function isBlank(cells: readonly string[], window: ByteWindow, start: number): boolean {
  return cells.length === 1 && cells[0] === '' && (window.bytes[start] === 10 || window.bytes[start] === 13);
}

function withoutReturn(window: ByteWindow, end: number): number {
  return end > 0 && window.bytes[end - 1] === 13 ? end - 1 : end;
}
