import { MillraceError } from '../errors/millraceError.ts';
import type { RandomState } from '../operators/random.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import { KeyIndex } from '../state/keyIndex.ts';
import { keyGroupOf, type KeyGroupRange, keyGroupRange } from '../state/keyGroups.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { decodeSelfContained } from '../state/selfContained.ts';
import type { Timestamp } from '../time/timestamp.ts';
import { type KeyRecord, readKeyedSegment } from './keyedSegment.ts';
import { type Manifest, type Segment, segmentsOf, type SubtaskState } from './manifest.ts';
import type { CheckpointStorage } from './storage.ts';

/** So many objects are read at a time to see whether they are whole. */
const LANES = 4;
/** Objects of about so many bytes are kept, since they are read twice: to see whether they are whole, and to take over what they hold. */
const MOST_KEPT = 256 * 2 ** 20;

/** What a subtask keeps beside its keyed state. Plain data. */
export interface PlainState {
  readonly watermark: Timestamp;
  readonly random: RandomState;
  readonly operator: readonly OperatorStateEntry[];
  /** The state of the task's feed, with the operator that is first in it. */
  readonly feed: unknown;
  readonly finished: boolean;
  /** The operator has said its last word. Missing where an older version wrote it. */
  readonly ended?: boolean;
}

/** The state of one new subtask, from whatever subtasks there were. */
export interface SubtaskRestore {
  readonly watermark: Timestamp;
  readonly random: RandomState | undefined;
  readonly operator: readonly OperatorStateEntry[];
  /** Part by part, each to be gone through before the next: all of it may be larger than memory. */
  readonly keyed: AsyncIterable<Iterable<StateEntry>>;
  readonly own: Iterable<StateEntry>;
  /** The feed of the same subtask, where their number has not changed. */
  readonly feed: unknown;
  /** The feeds of all old subtasks. */
  readonly feeds: readonly unknown[];
  readonly finished: boolean;
  readonly ended: boolean;
}

/** Reads a checkpoint and deals its state out to the subtasks of a job, in whatever number these are now. */
export class CheckpointReader {
  readonly manifest: Manifest;
  /** State that an operator of the job does not have any more is left out instead of being refused. */
  readonly allowNonRestoredState: boolean;
  private readonly storage: Pick<CheckpointStorage, 'read'>;
  private readonly crc32: (bytes: Uint8Array) => number;
  /** Objects that are being read, and those that are kept. */
  private readonly objects = new Map<string, Promise<Uint8Array>>();
  private kept = 0;
  /** Where checksums were compared, by object: once is enough for the same bytes. */
  private readonly sound = new WeakMap<Uint8Array, Set<number>>();

  constructor(
    manifest: Manifest,
    storage: Pick<CheckpointStorage, 'read'>,
    crc32: (bytes: Uint8Array) => number,
    allowNonRestoredState: boolean = false,
  ) {
    this.manifest = manifest;
    this.allowNonRestoredState = allowNonRestoredState;
    this.storage = storage;
    this.crc32 = crc32;
  }

  /**
   * Makes sure that every byte is there and whole.
   *
   * @throws MillraceError `checkpoint/corrupt`
   */
  async verify(): Promise<void> {
    const byObject = new Map<string, Segment[]>();
    for (const segment of this.manifest.subtasks.flatMap(segmentsOf)) {
      const segments = byObject.get(segment.object);
      if (segments === undefined) byObject.set(segment.object, [segment]);
      else segments.push(segment);
    }
    const rest = byObject.values();
    const lane = async (): Promise<void> => {
      for (const segments of rest) {
        // All of an object while it is read.
        await Promise.all(segments.map((segment) => this.bytes(segment)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** Whether every operator had processed everything. */
  async isFinished(): Promise<boolean> {
    const plains = await Promise.all(this.manifest.subtasks.map(({ plain }) => this.plain(plain)));
    return plains.every(({ finished }) => finished);
  }

  /** The state of a subtask of an operator; `undefined` when the checkpoint has none for its uid. */
  async subtask(uid: string, index: number, parallelism: number): Promise<SubtaskRestore | undefined> {
    const olds = this.manifest.subtasks.filter((state) => state.uid === uid).sort((a, b) => a.subtask - b.subtask);
    if (olds.length === 0) return undefined;
    const plains = await Promise.all(olds.map(({ plain }) => this.plain(plain)));
    const same = olds.length === parallelism;
    const range = keyGroupRange(this.manifest.maxParallelism, parallelism, index);
    const relevant = olds.filter((old) => overlaps(keyGroupRange(this.manifest.maxParallelism, old.parallelism, old.subtask), range));
    return {
      watermark: same ? plains[index]!.watermark : Math.min(...plains.map(({ watermark }) => watermark)),
      random: plains[index]?.random,
      operator: same ? sharedAndOwn(plains, index) : dealOut(plains, index, parallelism),
      keyed: this.keyed(relevant, range, same),
      own: await this.own(relevant, range, same),
      feed: same ? plains[index]!.feed : undefined,
      feeds: plains.map(({ feed }) => feed),
      finished: plains.every(({ finished }) => finished),
      ended: plains.every(({ ended }) => ended === true),
    };
  }

  private async plain(segment: Segment): Promise<PlainState> {
    return decodeSelfContained(await this.bytes(segment)) as PlainState;
  }

  /** Of a whole and its changes, the newest record of each key: from the newest on, so that only keys of changes are remembered on the way. */
  private async *keyed(
    olds: readonly SubtaskState[],
    range: KeyGroupRange,
    same: boolean,
  ): AsyncGenerator<Iterable<StateEntry>, void, undefined> {
    const wanted = this.inRange(range, same);
    for (const { whole, changes } of olds) {
      const told = new KeyIndex();
      for (const segment of changes.toReversed()) yield entriesOf([newRecords(readKeyedSegment(await this.bytes(segment)), told)], wanted);
      for (const segment of whole) yield entriesOf([recordsBut(readKeyedSegment(await this.bytes(segment)), told)], wanted);
    }
  }

  private async own(olds: readonly SubtaskState[], range: KeyGroupRange, same: boolean): Promise<Iterable<StateEntry>> {
    const segments = await Promise.all(olds.flatMap(({ own }) => (own === null ? [] : [this.bytes(own)])));
    return entriesOf(
      segments.map((bytes) => readKeyedSegment(bytes)),
      this.inRange(range, same),
    );
  }

  private inRange(range: KeyGroupRange, all: boolean): (key: Key) => boolean {
    if (all) return () => true;
    return (key) => {
      const group = keyGroupOf(key, this.manifest.maxParallelism);
      return group >= range.first && group <= range.last;
    };
  }

  private async bytes(segment: Segment): Promise<Uint8Array> {
    const { object, offset, length, checksum } = segment;
    const all = await this.object(object);
    const bytes = all.subarray(offset, offset + length);
    const sound = this.sound.get(all) ?? new Set();
    if (sound.has(offset)) return bytes;
    if (bytes.length === length && this.crc32(bytes) === checksum) {
      this.sound.set(all, sound.add(offset));
      return bytes;
    }
    throw damaged(object, bytes.length < length ? 'it ends too early' : 'its checksum does not fit');
  }

  /**
   * The bytes of one of its objects. They may be kept: nobody may change them.
   *
   * @throws MillraceError `checkpoint/corrupt` where it is missing.
   */
  object(name: string): Promise<Uint8Array> {
    let object = this.objects.get(name);
    if (object !== undefined) return object;
    object = this.fetch(name);
    this.objects.set(name, object);
    const drop = (): void => void this.objects.delete(name);
    object.then(({ length }) => {
      if (this.kept + length > MOST_KEPT) drop();
      else this.kept += length;
    }, drop);
    return object;
  }

  private async fetch(name: string): Promise<Uint8Array> {
    const bytes = await this.storage.read(name);
    if (bytes === undefined) throw damaged(name, 'it is not there');
    return bytes;
  }
}

/** Uids that a checkpoint holds state of and a job does not have, and the other way round. */
export function compareUids(
  manifest: Manifest,
  stateful: readonly string[],
): { readonly unmatched: readonly string[]; readonly without: readonly string[] } {
  const held = new Set(manifest.subtasks.map(({ uid }) => uid));
  const wanted = new Set(stateful);
  return { unmatched: [...held].filter((uid) => !wanted.has(uid)), without: [...wanted].filter((uid) => !held.has(uid)) };
}

/** Those of a segment of changes whose keys no newer one tells of; then they are told. */
function* newRecords(records: Iterable<KeyRecord>, told: KeyIndex): Generator<KeyRecord> {
  // In a segment of an older version a key can be gone first and then be back.
  const gone: Key[] = [];
  for (const record of records) {
    if (record.entries.length === 0) gone.push(record.key);
    else if (told.find(record.key) < 0) {
      told.findOrInsert(record.key);
      yield record;
    }
  }
  for (const key of gone) told.findOrInsert(key);
}

function recordsBut(records: Iterable<KeyRecord>, told: KeyIndex): Iterable<KeyRecord> {
  return told.size === 0 ? records : untold(records, told);
}

function* untold(records: Iterable<KeyRecord>, told: KeyIndex): Generator<KeyRecord> {
  for (const record of records) if (told.find(record.key) < 0) yield record;
}

function* entriesOf(sources: readonly Iterable<KeyRecord>[], wanted: (key: Key) => boolean): Generator<StateEntry> {
  for (const records of sources) {
    for (const { key, entries } of records) {
      // One by one: to delegate costs more, and millions wait.
      if (wanted(key)) for (let i = 0; i < entries.length; i++) yield entries[i]!;
    }
  }
}

/** The number of subtasks is the same: each has its own lists, and what is everywhere the same or known to all. */
function sharedAndOwn(plains: readonly PlainState[], index: number): OperatorStateEntry[] {
  return plains.flatMap(({ operator }, old) => operator.filter(({ mode }) => mode === 'union' || old === index));
}

/** Items of split lists go round; everybody gets those of union lists; broadcast lists are the same everywhere. */
function dealOut(plains: readonly PlainState[], index: number, parallelism: number): OperatorStateEntry[] {
  const lists = new Map<string, { mode: OperatorStateEntry['mode']; items: unknown[] }>();
  for (const { operator } of plains) {
    for (const { state, mode, items } of operator) {
      const list = lists.get(state);
      if (list === undefined) lists.set(state, { mode, items: [...items] });
      else if (mode !== 'broadcast') list.items.push(...items);
    }
  }
  return [...lists].map(([state, { mode, items }]) => ({
    state,
    mode,
    items: mode === 'split' ? items.filter((_, i) => i % parallelism === index) : items,
  }));
}

function overlaps(a: KeyGroupRange, b: KeyGroupRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function damaged(object: string, how: string): MillraceError {
  return new MillraceError('checkpoint/corrupt', `The state in ${object} cannot be used: ${how}.`, {
    remedy: 'Restore from an older checkpoint; the engine does so by itself when it looks for the latest.',
  });
}
