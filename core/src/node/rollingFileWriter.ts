import type { SinkContext, SinkWriter } from '../operators/connector.ts';
import { RollingFile, type RollingFileOptions, type UnfinishedFile } from './rollingFile.ts';
import { type FinishedName, hiddenNameOf } from './rollingFileName.ts';
import { type PendingFile, RollingFilePublisher } from './rollingFilePublisher.ts';
import type { RollPolicy } from './rollingFilePolicy.ts';
import { SinkOwner } from './sinkOwner.ts';

/** What goes into files: text for each element, and what stands before the first and behind the last of a file. */
export interface FileFormat<in T> {
  readonly encode: (value: T) => string;
  readonly header?: string;
  readonly footer?: string;
}

/** A rolling file sink with everything filled in. */
export interface RollingFileSettings<in T> {
  readonly directory: string;
  readonly names: FinishedName;
  readonly format: FileFormat<T>;
  readonly roll: RollPolicy;
  readonly bucketOf: (value: T) => string;
  readonly packed: boolean;
}

/** What a subtask leaves in a checkpoint: where its numbers stand, and the files that it goes on with. Plain data. */
export interface RollingFileState {
  readonly subtask: number;
  readonly parallelism: number;
  /** The number of its next file. */
  readonly next: number;
  readonly unfinished: readonly UnfinishedFile[];
}

/** So many files of a subtask are open at once; beyond it the one that was written to least recently is finished. */
const MOST_OPEN = 128;

/** One subtask of a rolling file sink: a file in progress for each bucket. */
export class RollingFileWriter<T> implements SinkWriter<T, PendingFile, RollingFileState> {
  readonly #settings: RollingFileSettings<T>;
  readonly #context: SinkContext;
  readonly #publisher: RollingFilePublisher;
  readonly #owner: SinkOwner;
  readonly #fileOptions: RollingFileOptions;
  readonly #open = new Map<string, RollingFile>();
  /** Files that are finished and belong to no checkpoint yet, each with the promise that it is safe. */
  #finished: { readonly file: PendingFile; readonly safe: Promise<void>; readonly isHeld: boolean }[] = [];
  #unfinished: readonly UnfinishedFile[] = [];
  #next = 0;
  #records = 0;
  /** Hidden files were made whose names may not be durable. */
  #hasNew = false;
  #mayHaveLeftBehind = true;

  private constructor(settings: RollingFileSettings<T>, context: SinkContext) {
    this.#settings = settings;
    this.#context = context;
    this.#publisher = new RollingFilePublisher(settings.directory, settings.names);
    this.#owner = new SinkOwner(context);
    this.#fileOptions = { packed: settings.packed, footer: settings.format.footer ?? '', wrote: context.wrote };
  }

  static async open<T>(settings: RollingFileSettings<T>, context: SinkContext): Promise<RollingFileWriter<T>> {
    const writer = new RollingFileWriter(settings, context);
    await writer.#publisher.open();
    // Else the checkpoint knows the number, also of files that somebody has taken away.
    if (!context.restored) writer.#next = await writer.#publisher.nextNumber(context.subtask);
    return writer;
  }

  write(values: readonly T[]): Promise<void> | undefined {
    const { format, bucketOf, roll } = this.#settings;
    const waits: Promise<void>[] = [];
    for (const value of values) {
      const bucket = bucketOf(value);
      const file = this.#open.get(bucket) ?? this.#begin(bucket, waits);
      file.lastRecord = ++this.#records;
      file.add(format.encode(value));
      if (roll.isFull(file)) waits.push(this.#finish(file));
    }
    const now = this.#context.clock.now();
    for (const file of this.#open.values()) {
      const wait = file.flush(now);
      if (wait !== undefined) waits.push(wait);
    }
    return waits.length === 0 ? undefined : settled(waits);
  }

  async prepare(checkpoint?: number): Promise<readonly PendingFile[]> {
    const { roll } = this.#settings;
    const now = this.#context.clock.now();
    for (const file of this.#open.values()) {
      if (checkpoint === undefined || roll.isDue(file, now)) this.#finish(file).catch(() => undefined);
    }
    const finished = this.#finished;
    const [unfinished] = await Promise.all([
      Promise.all([...this.#open.values()].map((file) => file.sync())),
      settled(finished.map(({ safe }) => safe)),
    ]);
    this.#unfinished = unfinished;
    this.#finished = [];
    if (this.#hasNew) await this.#publisher.syncHidden();
    this.#hasNew = false;
    return finished.map(({ file }) => file);
  }

  state(): readonly RollingFileState[] {
    const { subtask, parallelism } = this.#context;
    return [{ subtask, parallelism, next: this.#next, unfinished: this.#unfinished }];
  }

  async commit(files: readonly PendingFile[]): Promise<void> {
    await this.#publisher.publish(files);
    // Every subtask has gone on from where it stood, and a checkpoint holds that: what older runs have left nobody needs any more.
    if (this.#mayHaveLeftBehind) await this.#publisher.removeLeftBehind(this.#owner);
    this.#mayHaveLeftBehind = false;
  }

  async abort(files: readonly PendingFile[]): Promise<void> {
    for (const { hidden } of files) await this.#publisher.remove(hidden);
  }

  /**
   * Makes visible only what the checkpoint has committed. All else are copies under names of this writer's own, so that it does no harm where
   * another process has taken its place meanwhile, or goes on from the same checkpoint later.
   */
  async recover(files: readonly PendingFile[], states: readonly RollingFileState[]): Promise<void> {
    await this.#publisher.publish(files);
    const { subtask, parallelism } = this.#context;
    const own = states.find((state) => state.subtask === subtask && state.parallelism === parallelism);
    if (own !== undefined) {
      this.#next = own.next;
      for (const file of own.unfinished) await this.#goOn(file);
      return;
    }
    // In another number of subtasks nobody goes on with a file: what there is of it is shared out, ends here, and is visible with the next checkpoint.
    const unfinished = states.flatMap((state) => state.unfinished.map((file) => ({ file, subtask: state.subtask })));
    const mine = unfinished.filter((_, i) => i % parallelism === subtask);
    for (const each of mine) await this.#endCopy(each.file, each.subtask);
    this.#next = Math.max(await this.#publisher.nextNumber(subtask), ...states.map(({ next }) => next));
  }

  async close(): Promise<void> {
    const closed = await Promise.allSettled([
      ...this.#finished.map(({ safe }) => safe),
      ...[...this.#open.values()].map((file) => file.close()),
    ]);
    // What no checkpoint can hold.
    const dropped = [...this.#open.values(), ...this.#finished.map(({ file, isHeld }) => ({ ...file, isHeld }))];
    for (const { hidden, isHeld } of dropped) if (!isHeld) await this.#publisher.remove(hidden);
    await this.#publisher.close();
    for (const result of closed) if (result.status === 'rejected') throw result.reason;
  }

  #begin(bucket: string, waits: Promise<void>[]): RollingFile {
    if (this.#open.size >= MOST_OPEN) waits.push(this.#finish(this.#leastRecent()));
    const now = this.#context.clock.now();
    const hidden = hiddenNameOf(this.#owner.name, this.#next);
    const file = this.#add({ bucket, number: this.#next++, hidden, length: 0, size: 0, createdAt: now, writtenAt: now });
    const { header = '' } = this.#settings.format;
    if (header !== '') file.add(header);
    return file;
  }

  async #goOn(file: UnfinishedFile): Promise<void> {
    const hidden = hiddenNameOf(this.#owner.name, file.number);
    await this.#publisher.copyUnfinished(file, hidden, { packed: false, footer: '', wrote: this.#fileOptions.wrote });
    this.#add({ ...file, hidden }).isHeld = true;
  }

  async #endCopy(file: UnfinishedFile, subtask: number): Promise<void> {
    const { bucket, number } = file;
    const hidden = hiddenNameOf(this.#owner.name, number, subtask);
    await this.#publisher.copyUnfinished(file, hidden, this.#fileOptions);
    this.#hasNew = true;
    this.#finished.push({ file: { bucket, number, hidden, subtask }, safe: Promise.resolve(), isHeld: false });
  }

  #add(file: UnfinishedFile): RollingFile {
    const added = new RollingFile(this.#publisher.hiddenPath(file.hidden), file, this.#fileOptions);
    this.#open.set(file.bucket, added);
    this.#hasNew = true;
    return added;
  }

  #finish(file: RollingFile): Promise<void> {
    this.#open.delete(file.bucket);
    const safe = file.finish();
    const { bucket, number, hidden, isHeld } = file;
    this.#finished.push({ file: { bucket, number, hidden, subtask: this.#context.subtask }, safe, isHeld });
    return safe;
  }

  #leastRecent(): RollingFile {
    return [...this.#open.values()].reduce((least, file) => (file.lastRecord < least.lastRecord ? file : least));
  }
}

/** Waits for all, also when one has failed. */
async function settled(promises: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
