import type { ByteWindow } from './byteWindow.ts';
import { cellText } from './cellText.ts';
import type { RecordBatch } from './recordBatch.ts';
import type { RecordParser } from './recordParser.ts';

const RETURN = 13;

/** Makes a record of a line, or puts it aside. */
export type LineReader<T> = (text: string, line: number, batch: RecordBatch<T>) => void;

/**
 * Cuts text into lines that end with `\n` or `\r\n`; the last may lack it. A line that is not UTF-8 or longer than allowed is put aside.
 * With `transient`, the reader keeps no part of the text, and what it gets may be a slice of the chunk.
 */
export function lineParser<T>(read: LineReader<T>, transient: boolean): RecordParser<T> {
  return {
    needsHead: false,
    readHead: () => undefined,
    parse(window, batch) {
      const { text, bytes, limit, maxLine } = window;
      while (window.at < limit && !batch.full) {
        const start = window.at;
        const newline = text.indexOf('\n', start);
        const next = newline === -1 ? limit : newline + 1;
        const stop = newline === -1 ? limit : newline;
        const end = bytes[stop - 1] === RETURN ? stop - 1 : stop;
        if (end - start > maxLine) rejectLong(window, batch, start, end);
        else if (window.ascii) read(transient ? text.slice(start, end) : cellText(text, bytes, start, end), window.line, batch);
        else if (window.isText(start, end)) read(bytes.toString('utf8', start, end), window.line, batch);
        else rejectEncoding(window, batch, start, end);
        window.at = next;
        window.line++;
      }
    },
  };
}

/** Puts a line aside that is longer than allowed. */
export function rejectLong(window: ByteWindow, batch: RecordBatch<unknown>, start: number, end: number): void {
  rejectLongLine(batch, window.line, end - start, window.maxLine, window.head(start, end));
}

/** The same for a line of which only the beginning is still there. */
export function rejectLongLine(batch: RecordBatch<unknown>, line: number, bytes: number, maxLine: number, head: string): void {
  batch.reject('text/line-too-long', `the line has ${bytes} bytes, more than ${maxLine}; its beginning is kept`, line, head);
}

/** Puts a line aside that is not UTF-8. Its value shows each byte as the character of its number, so that nothing is lost. */
export function rejectEncoding(window: ByteWindow, batch: RecordBatch<unknown>, start: number, end: number): void {
  batch.reject('text/encoding', 'the line is not UTF-8; it is kept as latin1', window.line, window.raw(start, end));
}
