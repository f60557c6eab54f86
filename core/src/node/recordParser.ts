import type { ByteWindow } from './byteWindow.ts';
import type { RecordBatch } from './recordBatch.ts';

/** Cuts the bytes of one file into records. One parser per file: it knows what the file's first lines said. */
export interface RecordParser<out T> {
  /** What stands before the first record and has to be read also when reading starts further on: true until it was read. */
  readonly needsHead: boolean;
  /** Reads the head, if the window has all of it. */
  readHead(window: ByteWindow): void;
  /** Takes records from `window.at` on and moves it, until the batch is full or the window has no further whole record. */
  parse(window: ByteWindow, batch: RecordBatch<T>): void;
}
