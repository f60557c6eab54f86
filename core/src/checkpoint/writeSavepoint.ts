import { MillraceError } from '../errors/millraceError.ts';
import { DEFAULT_MAX_PARALLELISM, keyGroupOf, subtaskOfKeyGroup } from '../state/keyGroups.ts';
import { encodeSelfContained } from '../state/selfContained.ts';
import { systemClock } from '../time/systemClock.ts';
import { MIN_TIMESTAMP } from '../time/timestamp.ts';
import { Catalog, objectsOf } from './catalog.ts';
import { crc32 } from './checksum.ts';
import { KeyedSegmentWriter } from './keyedSegment.ts';
import { MANIFEST_VERSION, type Manifest, type Segment, type SubtaskState } from './manifest.ts';
import { readSavepoint, type Savepoint } from './savepoint.ts';
import { SavepointTable, type WrittenEntry, type WrittenStates } from './savepointTable.ts';
import type { CheckpointStorage } from './storage.ts';

/** Entries, or a stream of them that ends. */
export type WrittenEntries = Iterable<WrittenEntry> | AsyncIterable<WrittenEntry> | { collect(): Promise<readonly WrittenEntry[]> };

/** The keyed state of an operator in a savepoint that is written. */
export interface WrittenOperator {
  readonly state: WrittenStates;
  readonly entries: WrittenEntries;
}

/** What a savepoint is written from. */
export interface SavepointContents {
  /** The name of the job that it is for. */
  readonly job: string;
  /** The number of key groups of that job. Default: that of `from`, else 128. */
  readonly maxParallelism?: number;
  /**
   * A savepoint or checkpoint that everything else is taken from: where sources stand, timers, windows, operators that are not named, and
   * states of those that are named which `state` does not declare. Default: there is nothing else.
   */
  readonly from?: CheckpointStorage;
  /** By uid. */
  readonly operators: Readonly<Record<string, WrittenOperator>>;
  /** Uids of operators of `from` whose state is left out. */
  readonly without?: readonly string[];
}

/**
 * Writes a savepoint that no job has taken: the state that a new job begins with, or that of a job with changes. A job whose operators
 * have these uids goes on from it: `restore: { savepoint: storage }`. What an operator is given here is held in memory while it is written.
 *
 * @throws MillraceError `checkpoint/storage` where there is a checkpoint already; `state/restore` for an entry that its state cannot
 * hold; as `readSavepoint` does for `from`.
 * @example
 * const storage = memoryStorage();
 * await writeSavepoint(storage, {
 *   job: 'counts',
 *   operators: { count: { state: { n: valueState<number>() }, entries: [{ state: 'n', key: 'tea', value: 41 }] } },
 * });
 * const words = env.from(fromArray(['tea']), { uid: 'words' });
 * words.keyBy((word) => word).process({
 *   uid: 'count',
 *   state: { n: valueState({ initial: 0 }) },
 *   onElement(word, { state }) { state.n.update(state.n.value() + 1); return [`${word}: ${state.n.value()}`]; },
 * }).sinkTo(print(), { uid: 'output' });
 * await env.execute('counts', { checkpoint: { storage: memoryStorage() }, restore: { savepoint: storage } }); // tea: 42
 */
export async function writeSavepoint(storage: CheckpointStorage, contents: SavepointContents): Promise<void> {
  if ((await storage.list('manifests/')).length > 0) throw occupied(storage);
  const from = contents.from && { storage: contents.from, savepoint: await readSavepoint(contents.from) };
  const writer = new SavepointWriter(storage, contents, from?.savepoint);
  if (from !== undefined) await writer.takeOver(from.storage);
  for (const [uid, operator] of Object.entries(contents.operators)) await writer.write(uid, operator);
  await writer.finish();
}

class SavepointWriter {
  private readonly storage: CheckpointStorage;
  private readonly contents: SavepointContents;
  private readonly from: Savepoint | undefined;
  private readonly maxParallelism: number;
  /** The next after the one that it is taken from, so that no object of this one has the name of one of that. */
  private readonly epoch: number;
  private readonly checkpoint: number;
  private readonly subtasks: SubtaskState[] = [];
  private objects = 0;

  constructor(storage: CheckpointStorage, contents: SavepointContents, from: Savepoint | undefined) {
    this.storage = storage;
    this.contents = contents;
    this.from = from;
    this.epoch = from?.epoch ?? 0;
    this.checkpoint = (from?.checkpoint ?? 0) + 1;
    this.maxParallelism = contents.maxParallelism ?? from?.maxParallelism ?? DEFAULT_MAX_PARALLELISM;
    if (from !== undefined && this.maxParallelism !== from.maxParallelism) {
      throw new MillraceError(
        'checkpoint/unmatched',
        `It is to have ${this.maxParallelism} key groups, and what it is taken from has ${from.maxParallelism}.`,
        {
          remedy: 'Leave maxParallelism out: it is fixed for the life of a state.',
        },
      );
    }
  }

  /** Copies what stays as it is. */
  async takeOver(storage: CheckpointStorage): Promise<void> {
    const { from, contents } = this;
    await from!.verify();
    const { manifest } = from!;
    const named = new Set([...Object.keys(contents.operators), ...(contents.without ?? [])]);
    const kept = manifest.subtasks.filter(({ uid }) => !named.has(uid));
    this.subtasks.push(...kept);
    // Of operators that are named, what belongs to no key stays.
    const edited = manifest.subtasks
      .filter(({ uid }) => Object.hasOwn(contents.operators, uid))
      .map((state) => ({ ...state, whole: [], changes: [] }));
    for (const object of objectsOf({ ...manifest, subtasks: [...kept, ...edited] }))
      await this.storage.write(object, [(await storage.read(object))!]);
  }

  /** Writes one operator's keyed state. */
  async write(uid: string, { state, entries }: WrittenOperator): Promise<void> {
    const table = new SavepointTable(uid, state);
    const olds = this.from?.manifest.subtasks.filter((subtask) => subtask.uid === uid) ?? [];
    if (olds.length > 0) await this.keepOthers(uid, state, table);
    for await (const entry of 'collect' in entries ? await entries.collect() : entries) table.put(entry);
    const subtasks = olds.length > 0 ? olds.map((old) => ({ ...old, whole: [], changes: [] })) : [await this.emptySubtask(uid)];
    const segments = await this.segments(table, subtasks[0]!.parallelism);
    this.subtasks.push(...subtasks.map((subtask) => ({ ...subtask, whole: segments.get(subtask.subtask) ?? [] })));
  }

  async finish(): Promise<void> {
    const { from, contents, maxParallelism, subtasks } = this;
    const manifest: Manifest = {
      version: MANIFEST_VERSION,
      job: contents.job,
      checkpoint: this.checkpoint,
      epoch: this.epoch,
      takenAt: systemClock.now(),
      kind: 'savepoint',
      maxParallelism,
      operators: this.operators(),
      subtasks,
      enumerators: from?.manifest.enumerators ?? {},
    };
    await new Catalog(this.storage, crc32, () => undefined).add(manifest);
  }

  /** States of the operator that are not written anew. */
  private async keepOthers(uid: string, state: WrittenStates, table: SavepointTable): Promise<void> {
    for await (const { keyed } of this.from!.subtasks(uid)) {
      for await (const entries of keyed) {
        for (const entry of entries) if (!Object.hasOwn(state, entry.state)) table.keep(entry);
      }
    }
  }

  private async emptySubtask(uid: string): Promise<SubtaskState> {
    const plain = encodeSelfContained({ watermark: MIN_TIMESTAMP, random: undefined, operator: [], feed: undefined, finished: false });
    return { uid, subtask: 0, parallelism: 1, plain: await this.object(plain), own: null, whole: [], changes: [] };
  }

  /** Each subtask gets the keys of its key groups. */
  private async segments(table: SavepointTable, parallelism: number): Promise<ReadonlyMap<number, readonly Segment[]>> {
    const { maxParallelism } = this;
    const writers = Array.from({ length: parallelism }, () => new KeyedSegmentWriter((state) => table.formOf(state)));
    for (const { key, entries } of table.records()) {
      const writer = writers[subtaskOfKeyGroup(keyGroupOf(key, maxParallelism), maxParallelism, parallelism)]!;
      writer.begin(key);
      for (const { state, userKey, value, renewed } of entries) writer.entry(state, userKey, value, renewed);
      writer.end();
    }
    const segments = new Map<number, readonly Segment[]>();
    for (const [subtask, writer] of writers.entries()) if (writer.length > 0) segments.set(subtask, [await this.object(writer.finish())]);
    return segments;
  }

  private async object(bytes: Uint8Array): Promise<Segment> {
    const object = Catalog.stateName(this.epoch, this.checkpoint, 'written', this.objects++);
    await this.storage.write(object, [bytes]);
    return { object, offset: 0, length: bytes.length, checksum: crc32(bytes) };
  }

  private operators(): Manifest['operators'] {
    const { from, contents } = this;
    const known = from?.operators ?? [];
    const added = Object.keys(contents.operators).filter((uid) => !known.some((operator) => operator.uid === uid));
    return [...known, ...added.map((uid) => ({ uid, kind: 'written', parallelism: 1 }))];
  }
}

function occupied(storage: CheckpointStorage): MillraceError {
  return new MillraceError('checkpoint/storage', `There is a checkpoint in ${storage.location} already.`, {
    remedy: 'Write each savepoint to a place of its own.',
  });
}
