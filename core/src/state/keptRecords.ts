import { MillraceError } from '../errors/millraceError.ts';
import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import { type EntryContent, readContent, writeContent } from './entryFormat.ts';
import { decodeKey, hashKey, type Key, writeKeyBlock } from './key.ts';
import { keyGroupOfHash } from './keyGroups.ts';
import type { RecordSink } from './recordSink.ts';
import { ValueCodec } from './valueCodec.ts';

/** Ends a record; states count from 1. */
const END = 0;
/** How a record begins: its shapes are those of all records, or stand in front of it. */
const SHARED = 0;
const OWN = 1;
/** Values of so many shapes are maps in the guise of objects: their shapes would fill the memory. */
const MOST_SHAPES = 4096;
/** Records are written side by side into pieces of memory of this size. */
const PIECE = 256 * 1024;
const PREFIX = 4;

/** An entry of a record. */
export interface KeptEntry extends EntryContent {
  readonly state: string;
}

/**
 * Records of the keys of one backend, for the process that wrote them: names of states and shapes of values are kept beside them. Their
 * addresses begin with the backend's number and the key group.
 */
export class KeptRecords implements RecordSink {
  private readonly number: number;
  private readonly maxParallelism: number;
  private readonly names: string[] = [''];
  private readonly ids = new Map<string, number>();
  private readonly shared = new ValueCodec();
  private codec = this.shared;
  private body = new ByteWriter(PIECE);
  private readonly scratch = new ByteWriter();
  /** How many entries the record in work has. */
  private entries = 0;

  constructor(number: number, maxParallelism: number) {
    this.number = number;
    this.maxParallelism = maxParallelism;
  }

  /** What the addresses of a key group begin with. */
  prefixOf(keyGroup: number): Uint8Array {
    return Uint8Array.of(this.number >>> 8, this.number & 0xff, keyGroup >>> 8, keyGroup & 0xff);
  }

  /** A key's address in the store. */
  addressOf(key: Key): Uint8Array {
    const start = this.body.length;
    this.writeAddress(key, this.body);
    return this.cut(start);
  }

  /** The same, until it is called again. */
  lookAt(key: Key): Uint8Array {
    this.scratch.reset();
    this.writeAddress(key, this.scratch);
    return this.scratch.written();
  }

  keyAt(address: Uint8Array): Key {
    return decodeKey(new ByteReader(address, PREFIX).block());
  }

  /** The record of what `write` says; `undefined` where that is nothing. */
  encode(write: (sink: RecordSink) => void): Uint8Array | undefined {
    const start = this.body.length;
    this.entries = 0;
    if (this.shared.shapes().length > MOST_SHAPES) this.encodeOwn(write);
    else {
      this.body.byte(SHARED);
      write(this);
      this.body.varint(END);
    }
    if (this.entries > 0) return this.cut(start);
    this.body.length = start;
    return undefined;
  }

  /** How long the record of what `write` says would be. */
  measure(write: (sink: RecordSink) => void): number {
    const { body } = this;
    const start = body.length;
    const length = this.encode(write)?.length ?? 0;
    // What was written is of no further use.
    if (body === this.body) body.length = start;
    return length;
  }

  *decode(record: Uint8Array): Generator<KeptEntry> {
    const reader = new ByteReader(record);
    let codec = this.shared;
    if (reader.byte() === OWN) {
      codec = new ValueCodec();
      codec.learn(new ValueCodec().read(reader) as readonly string[][]);
    }
    for (let id = reader.varint(); id !== END; id = reader.varint()) {
      const state = this.names[id];
      if (state === undefined) throw damaged();
      yield { state, ...readContent(reader, codec) };
    }
  }

  begin(): void {}

  end(): void {}

  entry(state: string, userKey: Key | undefined, value: unknown, renewed: number | readonly number[] | undefined): void {
    let id = this.ids.get(state);
    if (id === undefined) {
      id = this.names.push(state) - 1;
      this.ids.set(state, id);
    }
    this.body.varint(id);
    writeContent(this.body, this.codec, userKey, value, renewed);
    this.entries++;
  }

  private writeAddress(key: Key, writer: ByteWriter): void {
    const { number } = this;
    const keyGroup = keyGroupOfHash(hashKey(key), this.maxParallelism);
    writer.byte(number >>> 8);
    writer.byte(number & 0xff);
    writer.byte(keyGroup >>> 8);
    writer.byte(keyGroup & 0xff);
    writeKeyBlock(key, writer);
  }

  private encodeOwn(write: (sink: RecordSink) => void): void {
    const whole = this.body;
    this.body = new ByteWriter();
    this.codec = new ValueCodec();
    try {
      write(this);
      this.body.varint(END);
      whole.byte(OWN);
      new ValueCodec().write(this.codec.shapes(), whole);
      whole.raw(this.body.written());
    } finally {
      this.body = whole;
      this.codec = this.shared;
    }
  }

  private cut(start: number): Uint8Array {
    const { body } = this;
    const bytes = body.bytes.subarray(start, body.length);
    if (body.length > PIECE / 2) this.body = new ByteWriter(PIECE);
    return bytes;
  }
}

function damaged(): MillraceError {
  return new MillraceError('state/store', 'A record in the state store is damaged.', {
    remedy: 'Look after the disk that the state directory is on; the job goes on from its latest checkpoint.',
  });
}
