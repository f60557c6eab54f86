import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MillraceError } from '../errors/millraceError.ts';
import { defineSource, type Rejected, type Source, type SourceBatch } from '../operators/connector.ts';
import { compileSchema, describeIssues } from '../schema/standard.ts';
import type { StateEntry } from '../state/backend.ts';
import type { Key } from '../state/key.ts';
import { crc32 } from './checksum.ts';
import { decodeEntry, type ValueReader } from './codedValues.ts';
import { CheckpointReader, type SubtaskRestore } from './restore.ts';
import { readSavepoint } from './savepoint.ts';
import type { CheckpointStorage } from './storage.ts';

/** A piece of keyed state as an element of a stream. */
export interface KeyedStateElement<out V> {
  readonly key: Key;
  /** The key inside a map state, or the name of a timer. */
  readonly userKey?: Key;
  readonly value: V;
}

/** Which state is read. */
export interface SavepointStateOptions<V> {
  readonly uid: string;
  readonly state: string;
  /** Checks values and gives them their type; what it refuses goes to the side output `rejected`. */
  readonly schema?: StandardSchemaV1<unknown, V>;
  /** The state's own codec, where it has one. */
  readonly codec?: ValueReader;
  /** The name of the checkpoint's manifest. Default: the newest that can be read. */
  readonly manifest?: string;
}

/** How many elements are given at a time. */
const BATCH = 1024;

/**
 * The keyed state of an operator in a checkpoint or savepoint, as a stream that ends.
 *
 * @throws MillraceError in the job, as {@link readSavepoint} does; `checkpoint/not-found` for a uid that holds no state.
 * @example
 * const storage = memoryStorage();
 * await writeSavepoint(storage, {
 *   job: 'counts',
 *   operators: { count: { state: { n: valueState<number>() }, entries: [{ state: 'n', key: 'tea', value: 2 }] } },
 * });
 * const counts = env.from(savepointState(storage, { uid: 'count', state: 'n', schema: z.number() }));
 * console.log(await counts.map(({ key, value }) => `${String(key)}: ${value}`).collect()); // [ 'tea: 2' ]
 */
export function savepointState<V = unknown>(storage: CheckpointStorage, options: SavepointStateOptions<V>): Source<KeyedStateElement<V>> {
  const { uid, state } = options;
  const check = options.schema === undefined ? undefined : compileSchema(options.schema);
  return defineSource<KeyedStateElement<V>, number>({
    name: 'savepointState',
    bounded: true,
    async open() {
      const savepoint = await readSavepoint(storage, options.manifest === undefined ? {} : { manifest: options.manifest });
      const { manifest } = savepoint;
      const subtasks = manifest.subtasks.filter((subtask) => subtask.uid === uid).length;
      if (subtasks === 0) {
        throw new MillraceError('checkpoint/not-found', `Operator "${uid}" holds no state in ${storage.location}.`, {
          remedy: `These do: ${savepoint.uids.join(', ')}.`,
        });
      }
      return {
        splits: async () => Array.from({ length: subtasks }, (_, index) => String(index)),
        async *read(split, from = 0, { signal }) {
          const reader = new CheckpointReader(manifest, storage, crc32);
          const { keyed, own } = (await reader.subtask(uid, Number(split), subtasks))!;
          let position = 0;
          for await (const batch of batchesOf(keyed, own, (entry) => entry.state === state)) {
            if (signal.aborted) return;
            const before = position;
            position += batch.length;
            if (position <= from) continue;
            const entries = batch.slice(Math.max(0, from - before)).map((entry) => decoded(entry, uid, options.codec));
            yield { ...checked(entries, `${uid}/${state}`, check), position };
          }
        },
      };
    },
  });
}

function decoded(entry: StateEntry, uid: string, codec: ValueReader | undefined): StateEntry {
  const result = decodeEntry(entry, codec === undefined ? [] : [codec]);
  if (result.form?.codec === undefined) return result;
  const { name, version } = result.form.codec;
  throw new MillraceError('state/incompatible', `The state "${entry.state}" was written by codec ${name} ${version}.`, {
    uid,
    remedy: codec === undefined ? 'Give that codec: codec.' : `Give that codec; ${codec.name} ${codec.version} does not read it.`,
  });
}

/** Only entries that count are counted, in the order of the savepoint, which never changes: their number is a position. */
async function* batchesOf(
  keyed: SubtaskRestore['keyed'],
  own: Iterable<StateEntry>,
  wanted: (entry: StateEntry) => boolean,
): AsyncGenerator<readonly StateEntry[]> {
  let batch: StateEntry[] = [];
  for await (const entries of inTurn(keyed, own)) {
    for (const entry of entries) {
      if (!wanted(entry)) continue;
      batch.push(entry);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function* inTurn(keyed: SubtaskRestore['keyed'], own: Iterable<StateEntry>): AsyncGenerator<Iterable<StateEntry>> {
  yield* keyed;
  yield own;
}

function checked<V>(
  entries: readonly StateEntry[],
  place: string,
  check: ((value: unknown) => StandardSchemaV1.Result<V>) | undefined,
): Omit<SourceBatch<KeyedStateElement<V>, number>, 'position'> {
  const values: KeyedStateElement<V>[] = [];
  const rejected: Rejected[] = [];
  for (const { key, userKey, value } of entries) {
    const result = check === undefined ? { value: value as V } : check(value);
    const named = userKey === undefined ? { key } : { key, userKey };
    if (result.issues === undefined) values.push({ ...named, value: result.value });
    else
      rejected.push({
        place,
        code: 'schema/invalid',
        reason: describeIssues(result.issues),
        issues: result.issues,
        value: { ...named, value },
      });
  }
  return { values, rejected };
}
