import { resolve } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { defineSink, type Sink } from '../operators/connector.ts';
import { rowOf } from './csvSink.ts';
import { jsonText } from './jsonText.ts';
import { FinishedName } from './rollingFileName.ts';
import { DEFAULT_ROLL, RollPolicy, type RollOptions } from './rollingFilePolicy.ts';
import type { PendingFile } from './rollingFilePublisher.ts';
import { type FileFormat, type RollingFileState, RollingFileWriter } from './rollingFileWriter.ts';

/** What rolling files hold. */
export type RollingFileFormat<T> =
  | {
      /** A line of JSON for each element. Default. */
      readonly format?: 'jsonLines';
    }
  | {
      /** A row for each element, after RFC 4180; the first line of each file names the columns. */
      readonly format: 'csv';
      /** The fields to write, in this order. */
      readonly columns: readonly (keyof T & string)[];
      /** Whether the first line names the columns. Default: true. */
      readonly header?: boolean;
    }
  | {
      /** Text of your own. */
      readonly format: FileFormat<T>;
    };

/** Options of {@link rollingFiles}. */
export interface RollingFilesOptions<T> {
  /** Default: at 128 MiB of text, and when a file is a minute old. What is given replaces both. */
  readonly roll?: RollOptions;
  /** The directory below `directory` that an element goes to, such as `2026-01-31` or `region=eu/day=31`. Default: none. */
  readonly bucket?: (value: T) => string;
  /** What names of files begin with. Default: `part`. */
  readonly prefix?: string;
  /** What names of files end with. Default: `.jsonl`, `.csv` or, for a format of your own, `.txt`. */
  readonly suffix?: string;
  /** Packs files with gzip, and adds `.gz` to their names. Default: false. */
  readonly gzip?: boolean;
}

/**
 * Writes files of some size, exactly once with checkpoints: what a reader of the directory sees holds every element once, whatever failed and
 * however often. Finished files are called `part-0-17.jsonl`: by subtask and number. They never change.
 *
 * A file in progress is hidden in the directory `.millrace`. A checkpoint holds how far it was written, not a copy; after a failure the job goes
 * on behind that place. A file is finished when `roll` says so, and visible when the next checkpoint is complete; without checkpoints, when the
 * job ends. Nothing is ever overwritten: where a name is taken by a file that is not this sink's, a number is added (`part-0-17-1.jsonl`).
 *
 * A later run of a job that does not go on from a checkpoint adds its files to those that are there. The directory has to be on a file system with
 * hard links. With another parallelism, files in progress end where the checkpoint was taken.
 *
 * @throws MillraceError `config/invalid`. When it runs: `sink/failed` if files cannot be written, an element cannot be put in the format, or a
 * checkpoint goes on with a file that a later one has finished.
 * @example
 * const orders = env.from(fromArray([{ day: '2026-01-01', cents: 300 }, { day: '2026-01-02', cents: 50 }]), { uid: 'orders' });
 * orders.sinkTo(rollingFiles('orders', { bucket: ({ day }) => day, roll: { size: 1_000_000 } }), { uid: 'files' });
 * await env.execute('orders');
 * console.log(JSON.parse(await readFile('orders/2026-01-01/part-0-0.jsonl', 'utf8')).cents); // 300
 */
export function rollingFiles<T>(directory: string, options: RollingFilesOptions<T> & RollingFileFormat<T> = {}): Sink<T> {
  const { roll = DEFAULT_ROLL, prefix = 'part', gzip = false, bucket } = options;
  if (directory === '') throw invalid('the directory is empty', 'Name one.');
  const { format, suffix } = formatOf(options);
  checkName(prefix, 'prefix');
  const ending = `${options.suffix ?? suffix}${gzip ? '.gz' : ''}`;
  checkName(`-${ending}`, 'suffix');
  const settings = {
    directory: resolve(directory),
    names: new FinishedName(prefix, ending),
    format,
    roll: new RollPolicy(roll),
    bucketOf: bucket === undefined ? () => '' : checkedBucket(bucket),
    packed: gzip,
  };
  return defineSink<T, PendingFile, RollingFileState>({
    name: `files in ${directory}`,
    open: (context) => RollingFileWriter.open(settings, context),
  });
}

function formatOf<T>(options: RollingFileFormat<T>): { readonly format: FileFormat<T>; readonly suffix: string } {
  if (options.format === undefined || options.format === 'jsonLines') {
    return { format: { encode: (value) => `${jsonText(value)}\n` }, suffix: '.jsonl' };
  }
  if (options.format !== 'csv') return { format: options.format, suffix: '.txt' };
  const { columns, header = true } = options;
  if (columns.length === 0) throw invalid('columns is empty', 'Name at least one.');
  const encode = (value: T): string => rowOf(columns.map((column) => value[column]));
  return { format: { encode, header: header ? rowOf(columns) : '' }, suffix: '.csv' };
}

function checkName(name: string, what: string): void {
  if (name !== '' && !/[/\\\0]/.test(name) && !name.startsWith('.')) return;
  throw invalid(`${what} is ${JSON.stringify(name)}`, 'It is part of the names of files: without slashes, and not hidden.');
}

/** A bucket may come from data, and must not lead out of the directory. Known ones are not looked at again. */
function checkedBucket<T>(bucketOf: (value: T) => string): (value: T) => string {
  let last = '';
  return (value) => {
    const bucket = bucketOf(value);
    if (bucket === last) return bucket;
    const parts = typeof bucket === 'string' && bucket !== '' ? bucket.split('/') : [];
    const isBad = (part: string): boolean => part === '' || part.startsWith('.') || /[\\\0]/.test(part);
    if (typeof bucket !== 'string' || parts.some(isBad)) {
      throw new MillraceError('sink/failed', 'rollingFiles: an element has a bucket that is no path below the directory.', {
        remedy: "Let bucket() give names like 2026-01-31 or region=eu/day=31: no '..', no hidden directories, no slash at its ends.",
      });
    }
    last = bucket;
    return bucket;
  };
}

function invalid(problem: string, remedy: string): MillraceError {
  return new MillraceError('config/invalid', `rollingFiles: ${problem}.`, { remedy });
}
