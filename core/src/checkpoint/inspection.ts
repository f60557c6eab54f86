import { describeError } from '../errors/describe.ts';
import type { StateEntry } from '../state/backend.ts';
import { type Key, keyText } from '../state/key.ts';
import { keyGroupOf } from '../state/keyGroups.ts';
import type { OperatorStateMode } from '../state/operatorState.ts';
import { MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { isWrittenBy, objectsOf } from './catalog.ts';
import { bytesOf } from './checkpointHistory.ts';
import { listCheckpoints } from './checkpointList.ts';
import { KeyedSegmentWriter } from './keyedSegment.ts';
import { type Manifest, type Segment, segmentsOf } from './manifest.ts';
import type { SubtaskRestore } from './restore.ts';
import type { StateForm } from '../state/stateForm.ts';
import type { Savepoint } from './savepoint.ts';
import type { CheckpointStorage } from './storage.ts';

/** What is held for the keys of one key group, or under one name. Bytes are those of its records without what a file adds. */
export interface StateSize {
  readonly keys: number;
  readonly bytes: number;
}

/** A keyed state of an operator. */
export interface KeyedStateSize extends StateSize {
  readonly state: string;
  readonly entries: number;
  /** What must be known to read it: the kind of state, the version of its values, the codec that made bytes of them. `null` where that was not noted. */
  readonly form: StateForm | null;
}

/** What a checkpoint holds of one operator. */
export interface OperatorInspection {
  readonly uid: string;
  readonly kind: string;
  readonly subtasks: number;
  /** That of the subtask that is furthest behind; `null` before the first. */
  readonly watermark: Timestamp | null;
  /** Whether it had processed everything. */
  readonly finished: boolean;
  /** In the storage. */
  readonly bytes: number;
  readonly states: readonly KeyedStateSize[];
  readonly lists: readonly { readonly state: string; readonly mode: OperatorStateMode; readonly items: number }[];
  /** By number; groups without keys are left out. */
  readonly keyGroups: Readonly<Record<number, StateSize>>;
  /** Why its state cannot be read, if it cannot. */
  readonly problem: string | undefined;
}

/** An object that a checkpoint needs. */
export interface ObjectInspection {
  readonly object: string;
  /** What of it this checkpoint needs. */
  readonly bytes: number;
  /** Whether another checkpoint wrote it. */
  readonly inherited: boolean;
  /** The other checkpoints of the location that need it too. */
  readonly sharedWith: readonly number[];
  /** What is wrong with it, if something is. */
  readonly problem: string | undefined;
}

/** All about a checkpoint but the values in it. */
export interface CheckpointInspection {
  readonly operators: readonly OperatorInspection[];
  readonly objects: readonly ObjectInspection[];
}

/**
 * Looks through a checkpoint: what it holds of which operator, for how many keys, in which objects; and whether every byte of it is whole.
 *
 * @throws MillraceError `checkpoint/storage`
 */
export async function inspectCheckpoint(
  savepoint: Savepoint,
  storage: CheckpointStorage,
  crc32: (bytes: Uint8Array) => number,
): Promise<CheckpointInspection> {
  const others = (await listCheckpoints(storage, crc32)).flatMap(({ name, manifest }) =>
    manifest === undefined || name === savepoint.name ? [] : [manifest],
  );
  const objects: ObjectInspection[] = [];
  for (const object of objectsOf(savepoint.manifest)) objects.push(await inspectObject(object, savepoint.manifest, others, storage, crc32));
  const operators: OperatorInspection[] = [];
  for (const uid of savepoint.uids) operators.push(await inspectOperator(uid, savepoint));
  return { operators, objects };
}

async function inspectObject(
  object: string,
  manifest: Manifest,
  others: readonly Manifest[],
  storage: CheckpointStorage,
  crc32: (bytes: Uint8Array) => number,
): Promise<ObjectInspection> {
  const segments = manifest.subtasks.flatMap(segmentsOf).filter((segment) => segment.object === object);
  const content = await storage.read(object);
  return {
    object,
    bytes: bytesOf(segments),
    inherited: !isWrittenBy(manifest, object),
    sharedWith: others.filter((other) => objectsOf(other).has(object)).map(({ checkpoint }) => checkpoint),
    problem: content === undefined ? 'it is not there' : problemOf(content, segments, crc32),
  };
}

function problemOf(content: Uint8Array, segments: readonly Segment[], crc32: (bytes: Uint8Array) => number): string | undefined {
  for (const { offset, length, checksum } of segments) {
    const bytes = content.subarray(offset, offset + length);
    if (bytes.length < length) return `it ends at ${content.length} of ${offset + length} bytes`;
    if (crc32(bytes) !== checksum) return `the checksum of its bytes ${offset} to ${offset + length} does not fit`;
  }
  return undefined;
}

async function inspectOperator(uid: string, savepoint: Savepoint): Promise<OperatorInspection> {
  const { manifest, maxParallelism } = savepoint;
  const subtasks = manifest.subtasks.filter((subtask) => subtask.uid === uid);
  const counts = new StateCounts(maxParallelism);
  let watermark = Infinity;
  let finished = true;
  let lists: OperatorInspection['lists'] = [];
  let problem: string | undefined;
  try {
    for await (const subtask of savepoint.subtasks(uid)) {
      await counts.add(subtask);
      watermark = Math.min(watermark, subtask.watermark);
      finished &&= subtask.finished;
    }
    lists = (await savepoint.lists(uid)).map(({ state, mode, items }) => ({ state, mode, items: items.length }));
  } catch (error) {
    problem = describeError(error);
  }
  return {
    uid,
    kind: savepoint.operators.find((operator) => operator.uid === uid)?.kind ?? '',
    subtasks: subtasks.length,
    watermark: watermark > MIN_TIMESTAMP && Number.isFinite(watermark) ? watermark : null,
    finished: finished && problem === undefined,
    bytes: bytesOf(subtasks.flatMap(segmentsOf)),
    lists,
    problem,
    ...counts.result(),
  };
}

/** How much is written into one segment for being measured, in bytes: then it is thrown away. */
const MEASURED = 2 ** 20;

/** Counts the keyed state of an operator. */
class StateCounts {
  private readonly maxParallelism: number;
  private readonly states = new Map<string, { keys: number; entries: number; bytes: number; form: StateForm | null }>();
  private readonly groups = new Map<number, { keys: number; bytes: number }>();
  private writer = new KeyedSegmentWriter();

  constructor(maxParallelism: number) {
    this.maxParallelism = maxParallelism;
  }

  async add({ keyed, own }: SubtaskRestore): Promise<void> {
    for await (const entries of keyed) this.addByKey(entries);
    // An operator gives what it keeps itself in an order of its own, in which a key may come again.
    const keys = new Set<string>();
    const addresses = new Set<string>();
    for (const entry of own) {
      const key = keyText(entry.key);
      const address = `${key} ${entry.state}`;
      this.count(entry, !keys.has(key), !addresses.has(address));
      keys.add(key);
      addresses.add(address);
    }
  }

  /** Entries of which those of one key follow each other. */
  private addByKey(entries: Iterable<StateEntry>): void {
    let last: { readonly key: Key; readonly seen: Set<string> } | undefined;
    for (const entry of entries) {
      const isNew = last?.key !== entry.key;
      if (last === undefined || isNew) last = { key: entry.key, seen: new Set() };
      this.count(entry, isNew, !last.seen.has(entry.state));
      last.seen.add(entry.state);
    }
  }

  result(): Pick<OperatorInspection, 'states' | 'keyGroups'> {
    const states = [...this.states].map(([state, counts]) => ({ state, ...counts }));
    const keyGroups = Object.fromEntries([...this.groups].sort(([a], [b]) => a - b));
    return { states, keyGroups };
  }

  private count(entry: StateEntry, isNewKey: boolean, isNewOfState: boolean): void {
    const { state, key } = entry;
    const bytes = this.measure(entry, isNewKey);
    const group = keyGroupOf(key, this.maxParallelism);
    const inGroup = this.groups.get(group) ?? { keys: 0, bytes: 0 };
    const inState = this.states.get(state) ?? { keys: 0, entries: 0, bytes: 0, form: entry.form ?? null };
    this.groups.set(group, { keys: inGroup.keys + Number(isNewKey), bytes: inGroup.bytes + bytes });
    this.states.set(state, {
      ...inState,
      keys: inState.keys + Number(isNewOfState),
      entries: inState.entries + 1,
      bytes: inState.bytes + bytes,
    });
  }

  private measure({ state, key, userKey, value, renewed }: StateEntry, isNewKey: boolean): number {
    if (this.writer.length > MEASURED) this.writer = new KeyedSegmentWriter();
    const before = this.writer.length;
    if (isNewKey) this.writer.begin(key);
    this.writer.entry(state, userKey, value, renewed);
    if (isNewKey) this.writer.end();
    return this.writer.length - before;
  }
}
