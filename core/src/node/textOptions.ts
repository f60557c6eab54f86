import { MillraceError } from '../errors/millraceError.ts';
import { type Duration, toPositiveMilliseconds } from '../time/duration.ts';

/** How text files are read. */
export interface TextOptions {
  /** A longer line is put aside as `text/line-too-long`; in bytes. Default: 8 MiB. */
  readonly maxLineBytes?: number;
  /**
   * Goes on at the end of a file as it grows, like `tail -F`: also when it is truncated or replaced, and with files that come to a directory
   * or match a glob later. The source is then unbounded. Files named like a rotated one (`app.log.1`, `app.log-20261001`) beside the file itself
   * are its past and not read on their own. Default: false.
   */
  readonly follow?: boolean;
  /**
   * How often a followed directory or glob is looked through for new files. A followed file is looked at after 10 ms to 250 ms, the longer the less
   * comes, but not less often than this. Default: 1 second.
   */
  readonly discover?: Duration;
  /**
   * What a gzipped file that is cut off or damaged does after all its readable lines: fail the job (`gzip/truncated`, `gzip/corrupt`), or put the
   * broken line aside under that code. Default: `fail`.
   */
  readonly damaged?: 'fail' | 'reject';
}

/** The same with everything decided; lengths of time in milliseconds. */
export interface TextSettings {
  readonly maxLineBytes: number;
  readonly follow: boolean;
  readonly discoverEvery: number;
  readonly rejectDamaged: boolean;
}

const MAX_LINE = 8 * 1024 * 1024;
/** Longer strings are close to what V8 can hold at all. */
const LONGEST_LINE = 256 * 1024 * 1024;

/**
 * Checks the options.
 *
 * @throws MillraceError `config/invalid`, `duration/invalid`
 */
export function textSettings(options: TextOptions): TextSettings {
  const { maxLineBytes = MAX_LINE, follow = false, discover = { seconds: 1 }, damaged = 'fail' } = options;
  if (!Number.isInteger(maxLineBytes) || maxLineBytes < 1 || maxLineBytes > LONGEST_LINE) {
    throw new MillraceError('config/invalid', `maxLineBytes is ${String(maxLineBytes)}.`, {
      remedy: `Give a whole number of bytes from 1 to ${LONGEST_LINE}.`,
    });
  }
  return { maxLineBytes, follow, discoverEvery: toPositiveMilliseconds(discover, 'discover'), rejectDamaged: damaged === 'reject' };
}
