import { isMillraceError } from '../errors/millraceError.ts';
import type { ReadContext, Rejected, SourceBatch } from '../operators/connector.ts';
import { type FileFormat, readFile } from './fileFormat.ts';
import { FILE_START, type FilePosition } from './filePosition.ts';
import { type OpenFile, lookUp, openFile } from './openFile.ts';
import { pause } from './pause.ts';
import type { Continuation } from './recordReading.ts';
import { rotatedFiles } from './rotation.ts';
import type { TextSettings } from './textOptions.ts';

/** How soon a file is looked at again, in milliseconds; twice as long each time nothing has come, up to the second. */
const SOONEST = 10;
const LATEST = 250;
/** A writer may go on for a moment with a file that was renamed: so many looks without growth end it. */
const QUIET_LOOKS = 3;

/** Reads whatever a name means, one file after the other as they are rotated; while a file is missing it is waited for. */
export async function* readFollowed<T>(
  path: string,
  format: FileFormat<T>,
  settings: TextSettings,
  from: FilePosition | undefined,
  context: ReadContext,
): AsyncGenerator<SourceBatch<T, FilePosition>, void, undefined> {
  const follower = new Follower(path, Math.min(LATEST, settings.discoverEvery), context);
  let start = from ?? FILE_START;
  let file = await follower.resume(start);
  if (file === undefined && !isStart(start)) {
    yield { values: [], position: FILE_START, rejected: [lostTail(path, start)] };
    start = FILE_START;
  }
  file ??= await follower.next();
  while (file !== undefined) {
    const { id } = file;
    for await (const batch of readFile(file, format, settings, start, context, follower.atEndOf(file))) {
      yield { ...batch, position: { ...batch.position, file: id } };
    }
    start = FILE_START;
    // Whatever comes under the name of a deleted file is new, even if it gets the same inode.
    if (follower.deleted) yield { values: [], position: start };
    file = await follower.next();
    if (file !== undefined) yield { values: [], position: { ...start, file: file.id } };
  }
}

/** Knows which file comes after which. */
class Follower {
  readonly #path: string;
  readonly #latest: number;
  readonly #context: ReadContext;
  /** The file that is read now or was last. */
  #last: { readonly id: string; cut: boolean; deleted: boolean } | undefined;
  /** The rotated files that were read, or were there before anything was. */
  #past: ReadonlySet<string> | undefined;

  constructor(path: string, latest: number, context: ReadContext) {
    this.#path = path;
    this.#latest = latest;
    this.#context = context;
  }

  /** Whether the last file has no name any more. */
  get deleted(): boolean {
    return this.#last?.deleted === true;
  }

  /** The file of a position, if it can still be found. */
  async resume(from: FilePosition): Promise<OpenFile | undefined> {
    const current = await lookUp(this.#path);
    // A position of a reader that did not follow says no file: it is the one that has the name.
    const id = from.file ?? current?.id;
    if (id === undefined || isStart(from)) return undefined;
    const rotated = await rotatedFiles(this.#path);
    const place = current?.id === id ? rotated.length : rotated.findIndex((file) => file.id === id);
    if (place === -1) return undefined;
    this.#past = new Set(rotated.slice(0, place).map((one) => one.id));
    return this.#open({ path: rotated[place]?.path ?? this.#path, id }, from.offset);
  }

  /** Waits for the file after the last one. Resolves to undefined if nobody wants it, or nothing is there and nothing is waited for. */
  async next(): Promise<OpenFile | undefined> {
    for (let wait = SOONEST; !this.#context.signal.aborted; wait *= 2) {
      const successor = await this.#successor();
      const file = successor === undefined ? undefined : await this.#open(successor);
      if (file !== undefined) return file;
      if (successor === undefined && this.#context.bounded) return undefined;
      // It is closed by now, and another file can get its inode.
      if (this.#last !== undefined && (await lookUp(this.#path)) === undefined) this.#last.deleted = true;
      await this.#pause(wait);
    }
    return undefined;
  }

  /** What to do at the end of what was read of `file`. */
  atEndOf(file: OpenFile): (reached: number | undefined) => Promise<Continuation> {
    const last = { id: file.id, cut: false, deleted: false };
    this.#last = last;
    let quiet = 0;
    return async (reached) => {
      for (let wait = SOONEST; !this.#context.signal.aborted; wait *= 2) {
        const now = await file.handle.stat({ bigint: true });
        last.deleted = now.nlink === 0n;
        if (reached === undefined) return 'end';
        if (now.size > BigInt(reached)) return 'more';
        last.cut = now.size < BigInt(reached);
        if (last.cut || this.#context.bounded || quiet >= QUIET_LOOKS) return 'end';
        // Renamed and not yet replaced, it may still be written to for long.
        quiet = last.deleted || (await this.#successor()) !== undefined ? quiet + 1 : 0;
        await this.#pause(wait);
      }
      return 'stop';
    };
  }

  #pause(wait: number): Promise<void> {
    return pause(Math.min(wait, this.#latest), this.#context.signal);
  }

  /** Where the file after the last one stands, if it is there. */
  async #successor(): Promise<{ readonly path: string; readonly id: string } | undefined> {
    const last = this.#last;
    const found = await lookUp(this.#path);
    const current = found === undefined ? undefined : { path: this.#path, id: found.id };
    if (last === undefined) {
      this.#past = new Set((await rotatedFiles(this.#path)).map((file) => file.id));
      return current;
    }
    if (current?.id === last.id) return last.cut || last.deleted ? current : undefined;
    // Two rotations between two looks leave files of which nothing was read.
    const rotated = await rotatedFiles(this.#path);
    const past = new Set(rotated.map((file) => file.id).filter((id) => id === last.id || this.#past?.has(id)));
    this.#past = past;
    return rotated.find((file) => !past.has(file.id)) ?? current;
  }

  /** Undefined if another file was given the name meanwhile, or it was cut. */
  async #open(known: { readonly path: string; readonly id: string }, offset = 0): Promise<OpenFile | undefined> {
    try {
      const file = await openFile(known.path);
      if (file.id === known.id && (file.gzipped || file.size >= offset)) return file;
      await file.handle.close();
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'source/not-found') throw error;
    }
    return undefined;
  }
}

function isStart(position: FilePosition): boolean {
  return position.offset === 0 && position.file === undefined;
}

function lostTail(path: string, from: FilePosition): Rejected {
  return {
    place: `${path}:${from.line}`,
    code: 'source/rotated',
    reason:
      'the file that was read up to this line is gone or was cut; what it held after it, if anything, is lost. Reading goes on with the file of that name',
    value: null,
  };
}
