/**
 * A place in a file, between two records. Plain JSON, for a checkpoint: reading from it yields exactly what follows, and errors found
 * there still name the right line.
 */
export interface FilePosition {
  /** In bytes from the beginning; of a gzipped file, from the beginning of what it unpacks to. */
  readonly offset: number;
  /** The number of the line that begins there; the first is 1. */
  readonly line: number;
  /** Which file it was, when a followed name can come to mean another one: device and inode. */
  readonly file?: string;
}

/** The beginning of every file. */
export const FILE_START: FilePosition = { offset: 0, line: 1 };
