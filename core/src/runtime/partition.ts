import type { Element } from '../element/element.ts';
import type { Cursor } from '../state/externalSorter.ts';
import { ExternalSorter } from '../state/externalSorter.ts';
import { compareKeys, hashKey, type Key } from '../state/key.ts';
import type { Workspace } from '../state/spill.ts';
import { ValueCodec } from '../state/valueCodec.ts';
import type { ByteReader } from '../state/byteReader.ts';
import type { ByteWriter } from '../state/byteWriter.ts';
import type { Outlet } from './exchange.ts';

/** A record of a materialised exchange: with what it is ordered by. */
export interface StoredRecord {
  readonly value: unknown;
  readonly timestamp: number;
  /** The key's spread hash; 0 where there is no key. */
  readonly hash: number;
  readonly key: Key;
}

/** No key: everything belongs together. */
const KEYLESS: Key = '';

/** The hash of a record whose key cannot be had: before all others. Its consumer asks for the key again, and deals with what is wrong with it. */
export const UNKNOWN_KEY: number = -Infinity;

/** Order of keyed input in batch mode: key by key (by hash, which is quick to compare), then time. */
export function compareRecords(a: StoredRecord, b: StoredRecord): number {
  if (a.hash !== b.hash) return a.hash - b.hash;
  if (a.key !== b.key) {
    const order = compareKeys(a.key, b.key);
    if (order !== 0) return order;
  }
  return a.timestamp === b.timestamp ? 0 : a.timestamp - b.timestamp;
}

/** Order of arrival. */
const KEEP_ORDER = (): number => 0;

/**
 * A blocking exchange as one consumer subtask sees it: takes everything that its producers send, sorted where the consumer wants it
 * so, spilled to disk when memory is short, and gives it out when all producers have ended.
 */
export class Partition implements Outlet {
  private readonly sorter: ExternalSorter<StoredRecord>;
  private readonly key: ((value: never) => Key) | undefined;
  private producers: number;
  private readonly onComplete: () => void;

  constructor(parts: {
    readonly producers: number;
    readonly sorted: 'key' | 'time' | null;
    readonly key: ((value: never) => Key) | undefined;
    readonly workspace: Workspace;
    readonly onComplete: () => void;
  }) {
    this.producers = parts.producers;
    this.key = parts.sorted === 'key' ? parts.key : undefined;
    this.onComplete = parts.onComplete;
    this.sorter = new ExternalSorter(parts.sorted === null ? KEEP_ORDER : compareRecords, recordFormat(this.key), parts.workspace);
  }

  get isComplete(): boolean {
    return this.producers === 0;
  }

  push(element: Element): void {
    if (element.kind === 'end' && --this.producers === 0) this.onComplete();
    if (element.kind !== 'records') return;
    const { values, timestamps } = element;
    for (let i = 0; i < values.length; i++) this.sorter.add(storedRecord(values[i], timestamps[i]!, this.key));
  }

  read(): Cursor<StoredRecord> {
    return this.sorter.sorted();
  }

  dispose(): void {
    this.sorter.dispose();
  }
}

function storedRecord(value: unknown, timestamp: number, select: ((value: never) => Key) | undefined): StoredRecord {
  if (select === undefined) return { value, timestamp, hash: 0, key: KEYLESS };
  try {
    const key = select(value as never);
    return { value, timestamp, hash: hashKey(key), key };
  } catch {
    return { value, timestamp, hash: UNKNOWN_KEY, key: KEYLESS };
  }
}

/** On disk a record is its timestamp and value; the key is read from the value again. */
function recordFormat(select: ((value: never) => Key) | undefined): {
  write(record: StoredRecord, writer: ByteWriter): void;
  read(reader: ByteReader): StoredRecord;
} {
  const codec = new ValueCodec();
  return {
    write({ value, timestamp }, writer) {
      writer.float64(timestamp);
      codec.write(value, writer);
    },
    read(reader) {
      const timestamp = reader.float64();
      return storedRecord(codec.read(reader), timestamp, select);
    },
  };
}
