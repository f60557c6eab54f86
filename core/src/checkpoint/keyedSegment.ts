import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import { ByteReader } from '../state/byteReader.ts';
import { ByteWriter } from '../state/byteWriter.ts';
import { decodeKey, encodeKey, type Key } from '../state/key.ts';
import { ValueCodec } from '../state/valueCodec.ts';

/** The version of the format. Frozen ones are read for ever. */
const VERSION = 1;

const HAS_USER_KEY = 1;
const HAS_TIME = 2;
const HAS_TIMES = 4;

/** An entry without its key. */
export type KeyEntry = Omit<StateEntry, 'key'>;

/** Everything that is held for a key. No entries: nothing any more. */
export interface KeyRecord {
  readonly key: Key;
  readonly entries: readonly KeyEntry[];
}

/**
 * Writes keyed state: a record per key, with all that is held for it. Names of states and shapes of values stand once, behind the
 * records, in front of which stands their length.
 */
export class KeyedSegmentWriter {
  private readonly body = new ByteWriter(64 * 1024);
  private readonly codec = new ValueCodec();
  private readonly states = new Map<string, number>();

  get length(): number {
    return this.body.length;
  }

  add(key: Key, entries: readonly KeyEntry[]): void {
    this.body.block(encodeKey(key));
    this.body.varint(entries.length);
    for (const entry of entries) this.entry(entry);
  }

  /** The segment's bytes. The writer is then empty. */
  finish(): Uint8Array {
    const head = new ByteWriter(64);
    head.byte(VERSION);
    head.float64(this.body.length);
    const tail = new ByteWriter();
    const plain = new ValueCodec();
    plain.write([...this.states.keys()], tail);
    plain.write(this.codec.shapes(), tail);
    const whole = new ByteWriter(head.length + this.body.length + tail.length);
    for (const part of [head, this.body, tail]) whole.raw(part.written());
    return whole.written();
  }

  private entry({ state, userKey, value, renewed }: KeyEntry): void {
    const { body } = this;
    let id = this.states.get(state);
    if (id === undefined) this.states.set(state, (id = this.states.size));
    body.varint(id);
    const timed = renewed === undefined ? 0 : typeof renewed === 'number' ? HAS_TIME : HAS_TIMES;
    body.byte((userKey === undefined ? 0 : HAS_USER_KEY) | timed);
    if (userKey !== undefined) body.block(encodeKey(userKey));
    if (typeof renewed === 'number') body.float64(renewed);
    else if (renewed !== undefined) this.codec.write(renewed, body);
    this.codec.write(value, body);
  }
}

/** Reads a segment back, record by record. */
export function* readKeyedSegment(bytes: Uint8Array): Generator<KeyRecord> {
  const head = new ByteReader(bytes);
  const version = head.byte();
  if (version !== VERSION) {
    throw new MillraceError('checkpoint/version', `A segment of keyed state has version ${version}; this is ${VERSION}.`, {
      remedy: 'Upgrade @millrace/core to the version that wrote it, or a newer one.',
    });
  }
  const end = head.float64() + head.at;
  const tail = new ByteReader(bytes, end);
  const plain = new ValueCodec();
  const states = plain.read(tail) as readonly string[];
  const codec = new ValueCodec();
  codec.learn(plain.read(tail) as readonly string[][]);
  while (head.at < end) {
    const key = decodeKey(head.block());
    const entries: KeyEntry[] = [];
    for (let left = head.varint(); left > 0; left--) entries.push(readEntry(head, states, codec));
    yield { key, entries };
  }
}

function readEntry(reader: ByteReader, states: readonly string[], codec: ValueCodec): KeyEntry {
  const state = states[reader.varint()]!;
  const flags = reader.byte();
  const userKey = flags & HAS_USER_KEY ? decodeKey(reader.block()) : undefined;
  const renewed = flags & HAS_TIME ? reader.float64() : flags & HAS_TIMES ? (codec.read(reader) as readonly number[]) : undefined;
  return { state, userKey, renewed, value: codec.read(reader) };
}

/** Entries in groups of equal keys that follow each other. */
export function* groupByKey(entries: Iterable<StateEntry>): Generator<KeyRecord> {
  let key: Key | undefined;
  let group: KeyEntry[] = [];
  for (const entry of entries) {
    if (key !== undefined && entry.key !== key) {
      yield { key, entries: group };
      group = [];
    }
    key = entry.key;
    group.push(entry);
  }
  if (key !== undefined) yield { key, entries: group };
}
