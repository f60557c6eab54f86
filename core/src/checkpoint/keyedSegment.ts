import { MillraceError } from '../errors/millraceError.ts';
import type { StateEntry } from '../state/backend.ts';
import { ByteReader } from '../state/byteReader.ts';
import { ByteWriter } from '../state/byteWriter.ts';
import { readContent, writeContent } from '../state/entryFormat.ts';
import { type Key, readKeyBlock, writeKeyBlock } from '../state/key.ts';
import type { RecordSink } from '../state/recordSink.ts';
import { SegmentMemory } from './segmentMemory.ts';
import { decodeSelfContained, encodeSelfContained } from '../state/selfContained.ts';
import type { StateForm } from '../state/stateForm.ts';
import { ValueCodec } from '../state/valueCodec.ts';

/** The version of the format. Frozen ones are read for ever. */
const VERSION = 1;

/** The version, and the length of the records. */
const HEADER = 9;

/** Ends a record; states count from 1. */
const END = 0;

/** A state in a segment. */
interface WrittenState {
  readonly name: string;
  readonly form: StateForm | null;
}

/** What stands behind the records. */
interface SegmentTail {
  readonly states: readonly WrittenState[];
  readonly shapes: readonly (readonly string[])[];
}

/** Everything that is held for a key. No entries: nothing any more. */
export interface KeyRecord {
  readonly key: Key;
  readonly entries: readonly StateEntry[];
}

/**
 * Writes keyed state: a record per key, with all that is held for it. Names and forms of states and shapes of values stand once, behind the
 * records, in front of which stands their length.
 */
export class KeyedSegmentWriter implements RecordSink {
  private body: ByteWriter;
  private readonly formOf: (state: string) => StateForm | undefined;
  private readonly memory: SegmentMemory;
  private codec = new ValueCodec();
  private readonly states = new Map<string, number>();

  /** `formOf`: what must be known to read the values of a state. */
  constructor(formOf: (state: string) => StateForm | undefined = () => undefined, memory: SegmentMemory = new SegmentMemory()) {
    this.formOf = formOf;
    this.memory = memory;
    this.body = this.begun();
  }

  /** Bytes of records written so far. */
  get length(): number {
    return this.body.length - HEADER;
  }

  begin(key: Key): void {
    writeKeyBlock(key, this.body);
  }

  entry(state: string, userKey: Key | undefined, value: unknown, renewed: number | readonly number[] | undefined): void {
    const { body } = this;
    let id = this.states.get(state);
    if (id === undefined) this.states.set(state, (id = this.states.size + 1));
    body.varint(id);
    writeContent(body, this.codec, userKey, value, renewed);
  }

  end(): void {
    this.body.varint(END);
  }

  /** The segment's bytes. The writer is then empty. */
  finish(): Uint8Array {
    const states = [...this.states.keys()].map((name): WrittenState => ({ name, form: this.formOf(name) ?? null }));
    const tail = encodeSelfContained({ states, shapes: this.codec.shapes() } satisfies SegmentTail);
    this.body.overwriteFloat64(1, this.length);
    this.body.raw(tail);
    const whole = this.body.written();
    // The bytes are given away as they are.
    this.body = this.begun();
    this.states.clear();
    this.codec = new ValueCodec();
    return whole;
  }

  private begun(): ByteWriter {
    const body = new ByteWriter(this.memory.take());
    body.byte(VERSION);
    body.float64(0);
    return body;
  }
}

/** Reads a segment back, record by record. */
export function* readKeyedSegment(bytes: Uint8Array): Generator<KeyRecord> {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== VERSION) {
    throw new MillraceError('checkpoint/version', `A segment of keyed state has version ${version}; this is ${VERSION}.`, {
      remedy: 'Upgrade @millrace/core to the version that wrote it, or a newer one.',
    });
  }
  const length = reader.float64();
  const end = reader.at + length;
  const { states, shapes } = decodeSelfContained(bytes.subarray(end)) as SegmentTail;
  const codec = new ValueCodec();
  codec.learn(shapes);
  while (reader.at < end) {
    const key = readKeyBlock(reader);
    const entries: StateEntry[] = [];
    for (let state = reader.varint(); state !== END; state = reader.varint())
      entries.push(readEntry(reader, key, states[state - 1]!, codec));
    yield { key, entries };
  }
}

function readEntry(reader: ByteReader, key: Key, { name: state, form }: WrittenState, codec: ValueCodec): StateEntry {
  // Field by field: a spread of each of millions of entries is what a restore waits for.
  const { userKey, value, renewed } = readContent(reader, codec);
  return { state, key, userKey, value, renewed, form: form ?? undefined };
}

/** Writes entries of any order: those of one key that follow each other in one record. */
export function writeEntries(entries: Iterable<StateEntry>, sink: RecordSink): number {
  let key: Key | undefined;
  let records = 0;
  for (const entry of entries) {
    if (entry.key !== key) {
      if (key !== undefined) sink.end();
      key = entry.key;
      sink.begin(key);
      records++;
    }
    sink.entry(entry.state, entry.userKey, entry.value, entry.renewed);
  }
  if (key !== undefined) sink.end();
  return records;
}
