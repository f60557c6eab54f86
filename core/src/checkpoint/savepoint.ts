import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { listCheckpoints, readManifest } from './checkpointList.ts';
import { crc32 as plainCrc32 } from './checksum.ts';
import { decodeEntry, type ValueReader } from './codedValues.ts';
import type { Manifest } from './manifest.ts';
import { CheckpointReader, type SubtaskRestore } from './restore.ts';
import type { CheckpointStorage } from './storage.ts';

/** Which checkpoint of a location is read, and how. */
export interface SavepointOptions {
  /** The name of its manifest, such as `manifests/00000001-000000000007.json`. Default: the newest that can be read. */
  readonly manifest?: string;
  /** Those of states that have a codec of their own. Without it the values of such a state are {@link EncodedValue}s: bytes. */
  readonly codecs?: readonly ValueReader[];
  /**
   * Where the host has a quick one.
   *
   * @internal
   */
  readonly crc32?: (bytes: Uint8Array) => number;
}

/** A checkpoint or savepoint as data. */
export class Savepoint {
  readonly job: string;
  readonly kind: 'checkpoint' | 'savepoint';
  readonly checkpoint: number;
  /** Of the lease under which it was written. */
  readonly epoch: number;
  /** Processing time in ms. */
  readonly takenAt: number;
  /** The version of its format. */
  readonly version: number;
  readonly maxParallelism: number;
  /** Those of the job; not all of them hold state. */
  readonly operators: Manifest['operators'];
  /** The name of its manifest. */
  readonly name: string;
  /** What is wrong with newer ones that could not be read, and stand before it in the location. */
  readonly passedOver: readonly string[];
  /** @internal */
  readonly manifest: Manifest;
  private readonly storage: CheckpointStorage;
  private readonly crc32: (bytes: Uint8Array) => number;
  private readonly codecs: readonly ValueReader[];

  /** @internal */
  constructor(parts: {
    readonly manifest: Manifest;
    readonly name: string;
    readonly storage: CheckpointStorage;
    readonly passedOver: readonly string[];
    readonly crc32: (bytes: Uint8Array) => number;
    readonly codecs: readonly ValueReader[];
  }) {
    const { manifest } = parts;
    this.job = manifest.job;
    this.kind = manifest.kind;
    this.checkpoint = manifest.checkpoint;
    this.epoch = manifest.epoch;
    this.takenAt = manifest.takenAt;
    this.version = manifest.version;
    this.maxParallelism = manifest.maxParallelism;
    this.operators = manifest.operators;
    this.name = parts.name;
    this.passedOver = parts.passedOver;
    this.manifest = manifest;
    this.storage = parts.storage;
    this.crc32 = parts.crc32;
    this.codecs = parts.codecs;
  }

  /** The uids of the operators that hold state. */
  get uids(): readonly string[] {
    return [...new Set(this.manifest.subtasks.map(({ uid }) => uid))];
  }

  /**
   * Makes sure that every byte is there and whole.
   *
   * @throws MillraceError `checkpoint/corrupt`
   * @example
   * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const storage = memoryStorage();
   * await env.execute('numbers', { checkpoint: { storage } });
   * await (await readSavepoint(storage)).verify();
   */
  async verify(): Promise<void> {
    await this.reader().verify();
  }

  /**
   * The keyed state of an operator, one subtask after the other. Timers are in it, as the state `(timers)`. A list is one entry; a map
   * has one for each of its keys; an aggregate is its accumulator.
   *
   * @throws MillraceError `checkpoint/not-found` for a uid that holds no state; `checkpoint/corrupt`
   * @example
   * const counts = env.from(fromArray(['tea', 'oil', 'tea']), { uid: 'words' }).keyBy((word) => word).process({
   *   uid: 'count',
   *   state: { n: valueState({ initial: 0 }) },
   *   onElement(_word, { state }) { state.n.update(state.n.value() + 1); },
   * });
   * counts.sinkTo(discard(), { uid: 'output' });
   * const storage = memoryStorage();
   * await env.execute('words', { checkpoint: { storage } });
   * const savepoint = await readSavepoint(storage);
   * for await (const { state, key, value } of savepoint.entries('count')) console.log(state, key, value);
   * // n tea 2
   * // n oil 1
   */
  async *entries(uid: string): AsyncGenerator<StateEntry> {
    for await (const { keyed, own } of this.subtasks(uid)) {
      for await (const entries of keyed) for (const entry of entries) yield decodeEntry(entry, this.codecs);
      yield* own;
    }
  }

  /**
   * What each subtask of an operator held.
   *
   * @internal
   */
  async *subtasks(uid: string): AsyncGenerator<SubtaskRestore> {
    const count = this.countOf(uid);
    for (let index = 0; index < count; index++) {
      // A reader keeps some of what it has read: a new one for each, which has no use for that of another.
      yield (await this.reader().subtask(uid, index, count))!;
    }
  }

  /**
   * State of an operator that belongs to no key: lists, of all subtasks together.
   *
   * @throws MillraceError as {@link entries} does.
   * @example
   * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const storage = memoryStorage();
   * await env.execute('numbers', { checkpoint: { storage } });
   * console.log(await (await readSavepoint(storage)).lists('numbers')); // []
   */
  async lists(uid: string): Promise<readonly OperatorStateEntry[]> {
    this.countOf(uid);
    return (await this.reader().subtask(uid, 0, 1))!.operator;
  }

  private countOf(uid: string): number {
    const count = this.manifest.subtasks.filter((subtask) => subtask.uid === uid).length;
    if (count > 0) return count;
    throw new MillraceError('checkpoint/not-found', `Operator "${uid}" holds no state in ${this.storage.location}.`, {
      remedy: `These do: ${this.uids.join(', ')}.`,
    });
  }

  private reader(): CheckpointReader {
    return new CheckpointReader(this.manifest, this.storage, this.crc32);
  }
}

/**
 * Opens a checkpoint or savepoint as data: `directory(path)`, `s3(…)` or any other place that a job keeps its state in.
 *
 * @throws MillraceError `checkpoint/not-found`, `checkpoint/corrupt`, `checkpoint/version`, `checkpoint/storage`
 * @example
 * env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
 * const storage = memoryStorage();
 * await env.execute('numbers', { checkpoint: { storage } });
 * const { job, kind, uids } = await readSavepoint(storage);
 * console.log(job, kind, uids); // numbers checkpoint [ 'numbers', 'output' ]
 */
export async function readSavepoint(storage: CheckpointStorage, options: SavepointOptions = {}): Promise<Savepoint> {
  const { crc32 = plainCrc32, codecs = [] } = options;
  if (options.manifest !== undefined) {
    const manifest = await readManifest(storage, options.manifest, crc32);
    return new Savepoint({ manifest, name: options.manifest, storage, passedOver: [], crc32, codecs });
  }
  const passedOver: string[] = [];
  for (const { name, manifest, problem, isSuperseded } of await listCheckpoints(storage, crc32)) {
    if (manifest !== undefined && !isSuperseded) return new Savepoint({ manifest, name, storage, passedOver, crc32, codecs });
    if (manifest !== undefined) continue;
    // What a newer version wrote, or cannot be reached, is there all the same.
    if (!isMillraceError(problem) || problem.code !== 'checkpoint/corrupt') throw problem;
    passedOver.push(problem.problem);
  }
  throw noneIn(storage, passedOver);
}

function noneIn(storage: CheckpointStorage, passedOver: readonly string[]): MillraceError {
  return new MillraceError(
    'checkpoint/not-found',
    `There is no checkpoint in ${storage.location}${passedOver.length === 0 ? '' : ' that can be read'}.`,
    {
      remedy: passedOver.length === 0 ? 'Look at the path: it is that of a savepoint or of a checkpoint location.' : passedOver.join(' '),
    },
  );
}
