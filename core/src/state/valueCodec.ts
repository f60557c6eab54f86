import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { ByteReader } from './byteReader.ts';
import type { ByteWriter } from './byteWriter.ts';

/**
 * Values to bytes and back. Named and versioned, since bytes outlive the code that wrote them.
 *
 * @example
 * const dates: Codec<Date> = {
 *   name: 'date', version: 1,
 *   write: (date, writer) => writer.float64(date.getTime()),
 *   read: (reader) => new Date(reader.float64()),
 * };
 */
export interface Codec<V> {
  readonly name: string;
  readonly version: number;
  /** Older versions that `read` can read as well. Others are refused. */
  readonly reads?: readonly number[];
  write(value: V, writer: ByteWriter): void;
  /** `version` is that of the codec that wrote the bytes. */
  read(reader: ByteReader, version: number): V;
}

// Tags of the self-describing format. Frozen: they stand in checkpoints.
const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
const INTEGER = 4;
const NEGATIVE = 5;
const FLOAT = 6;
const TEXT = 7;
const BIGINT = 8;
const ARRAY = 9;
const OBJECT = 10;
const MAP = 11;
const SET = 12;
const DATE = 13;
const TYPED_ARRAY = 14;

const TYPED_ARRAYS = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  Uint8ClampedArray,
] as const;

/** Deeper nesting than this is taken for a cycle. */
const MAX_DEPTH = 256;

/**
 * The default codec: plain data of any shape (scalars, bigint, text, arrays, objects, Map, Set, Date, typed arrays). Field names are
 * written once: a record of a known shape carries the shape's number. The table of shapes belongs to the codec and travels beside
 * the bytes ({@link shapes}, {@link learn}).
 *
 * @throws MillraceError `codec/unsupported` for functions, symbols, class instances and cycles, saying which.
 */
export class ValueCodec implements Codec<unknown> {
  readonly name = 'value';
  readonly version = 1;
  private readonly known: string[][] = [];
  private readonly root = new ShapeNode();
  /** The shape of the last record at each depth: mostly that of the next one, too. */
  private readonly expected: number[] = [];

  /** The field names of every shape met so far, in the order of their numbers. */
  shapes(): readonly (readonly string[])[] {
    return this.known;
  }

  /** Takes over the shapes of the codec that wrote the bytes, before reading them. */
  learn(shapes: readonly (readonly string[])[]): void {
    for (const shape of shapes) this.shapeId([...shape]);
  }

  write(value: unknown, writer: ByteWriter): void {
    this.writeValue(value, writer, 0);
  }

  read(reader: ByteReader): unknown {
    return this.readValue(reader, 0);
  }

  private readValue(reader: ByteReader, depth: number): unknown {
    const tag = reader.byte();
    switch (tag) {
      case UNDEFINED:
        return undefined;
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case INTEGER:
        return reader.varint();
      case NEGATIVE:
        return -reader.varint();
      case FLOAT:
        return reader.float64();
      case TEXT:
        return reader.text();
      case BIGINT:
        return readBigint(reader);
      default:
        if (depth > MAX_DEPTH) throw corrupt('Values are nested more deeply than any that is written.');
        return this.readObject(tag, reader, depth + 1);
    }
  }

  private readObject(tag: number, reader: ByteReader, depth: number): unknown {
    switch (tag) {
      case ARRAY:
        return this.readList(reader, depth);
      case OBJECT:
        return this.readRecord(reader, depth);
      case MAP: {
        const map = new Map<unknown, unknown>();
        for (let n = reader.varint(); n > 0; n--) map.set(this.readValue(reader, depth), this.readValue(reader, depth));
        return map;
      }
      case SET:
        return new Set(this.readList(reader, depth));
      case DATE:
        return new Date(reader.float64());
      case TYPED_ARRAY:
        return readTypedArray(reader);
      default:
        throw corrupt(`${tag} is no tag of a value.`);
    }
  }

  private readList(reader: ByteReader, depth: number): unknown[] {
    const length = reader.varint();
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.readValue(reader, depth));
    return list;
  }

  private readRecord(reader: ByteReader, depth: number): Record<string, unknown> {
    const shape = this.known[reader.varint()];
    if (shape === undefined) throw corrupt('A record has a shape that its table of shapes lacks.');
    const record: Record<string, unknown> = {};
    for (const field of shape) define(record, field, this.readValue(reader, depth));
    return record;
  }

  private writeValue(value: unknown, writer: ByteWriter, depth: number): void {
    switch (typeof value) {
      case 'undefined':
        return writer.byte(UNDEFINED);
      case 'boolean':
        return writer.byte(value ? TRUE : FALSE);
      case 'number':
        return writeNumber(value, writer);
      case 'string':
        writer.byte(TEXT);
        return writer.text(value);
      case 'bigint':
        writer.byte(BIGINT);
        return writer.text(value.toString());
      case 'object':
        if (value === null) return writer.byte(NULL);
        if (depth > MAX_DEPTH) throw unsupported('data that contains itself, or is nested more than 256 deep');
        return this.writeObject(value, writer, depth + 1);
      default:
        throw unsupported(`a ${typeof value}`);
    }
  }

  private writeObject(value: object, writer: ByteWriter, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) return this.writeRecord(value as Record<string, unknown>, writer, depth);
    if (Array.isArray(value)) return this.writeList(ARRAY, value, value.length, writer, depth);
    if (value instanceof Map) {
      writer.byte(MAP);
      writer.varint(value.size);
      for (const [key, content] of value) {
        this.writeValue(key, writer, depth);
        this.writeValue(content, writer, depth);
      }
      return;
    }
    if (value instanceof Set) return this.writeList(SET, value, value.size, writer, depth);
    if (value instanceof Date) {
      writer.byte(DATE);
      return writer.float64(value.getTime());
    }
    if (ArrayBuffer.isView(value)) return writeTypedArray(value, writer);
    throw unsupported(`an instance of ${value.constructor?.name ?? 'a class'} (${describeValue(value)})`);
  }

  private writeList(tag: number, items: Iterable<unknown>, length: number, writer: ByteWriter, depth: number): void {
    writer.byte(tag);
    writer.varint(length);
    for (const item of items) this.writeValue(item, writer, depth);
  }

  private writeRecord(record: Record<string, unknown>, writer: ByteWriter, depth: number): void {
    writer.byte(OBJECT);
    const start = writer.length;
    if (this.writesAsExpected(record, writer, depth)) return;
    writer.length = start;
    const id = this.idOf(record);
    this.expected[depth] = id;
    writer.varint(id);
    const shape = this.known[id]!;
    for (let i = 0; i < shape.length; i++) this.writeValue(record[shape[i]!], writer, depth);
  }

  /**
   * Writes a record of the expected shape, in one pass over its fields: engines make the field of such a loop a load at a known offset.
   * False, with something useless written, if it is of another shape.
   */
  private writesAsExpected(record: Record<string, unknown>, writer: ByteWriter, depth: number): boolean {
    const id = this.expected[depth];
    if (id === undefined) return false;
    const shape = this.known[id]!;
    let at = 0;
    writer.varint(id);
    for (const field in record) {
      if (field !== shape[at++]) return false;
      this.writeValue(record[field], writer, depth);
    }
    return at === shape.length;
  }

  private idOf(record: Record<string, unknown>): number {
    let node = this.root;
    for (const field in record) node = node.after(field);
    return node.id >= 0 ? node.id : this.register(node, Object.keys(record));
  }

  private shapeId(fields: string[]): number {
    const node = fields.reduce((reached, field) => reached.after(field), this.root);
    return node.id >= 0 ? node.id : this.register(node, fields);
  }

  private register(node: ShapeNode, fields: string[]): number {
    node.id = this.known.length;
    this.known.push(fields);
    return node.id;
  }
}

/** Where some first fields of a record lead: shapes are found field by field. Records mostly look alike, so the last way is looked at first. */
class ShapeNode {
  /** The number of the shape that ends here; −1 for none. */
  id = -1;
  private lastField: string | undefined;
  private last: ShapeNode | undefined;
  private readonly ways = new Map<string, ShapeNode>();

  after(field: string): ShapeNode {
    if (field === this.lastField) return this.last!;
    let next = this.ways.get(field);
    if (next === undefined) this.ways.set(field, (next = new ShapeNode()));
    this.lastField = field;
    this.last = next;
    return next;
  }
}

function writeNumber(value: number, writer: ByteWriter): void {
  // Small and not negative, as most are: told without a call.
  if ((value & 0x3fff_ffff) === value && (value !== 0 || 1 / value > 0)) {
    writer.byte(INTEGER);
    return writer.varint(value);
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.byte(value < 0 ? NEGATIVE : INTEGER);
    return writer.varint(value < 0 ? -value : value);
  }
  writer.byte(FLOAT);
  writer.float64(value);
}

function writeTypedArray(view: ArrayBufferView, writer: ByteWriter): void {
  const kind = TYPED_ARRAYS.findIndex((type) => view instanceof type);
  if (kind < 0) throw unsupported(`a ${view.constructor.name}`);
  writer.byte(TYPED_ARRAY);
  writer.byte(kind);
  writer.block(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
}

function readTypedArray(reader: ByteReader): unknown {
  const type = TYPED_ARRAYS[reader.byte()];
  // A copy with memory of its own: slice() of what a file was read into would share it.
  const bytes = new Uint8Array(reader.block());
  if (type === undefined || bytes.length % type.BYTES_PER_ELEMENT !== 0)
    throw corrupt('A typed array is of no known type, or ends within an element.');
  return new type(bytes.buffer);
}

function readBigint(reader: ByteReader): bigint {
  const digits = reader.text();
  if (!/^-?\d+$/.test(digits)) throw corrupt('A bigint is not written in digits.');
  return BigInt(digits);
}

/** Plain assignment but for `__proto__`, which as a field of a record must not become its prototype. */
function define(record: Record<string, unknown>, field: string, value: unknown): void {
  if (field !== '__proto__') record[field] = value;
  else Object.defineProperty(record, field, { value, enumerable: true, configurable: true, writable: true });
}

function corrupt(problem: string): MillraceError {
  return new MillraceError('codec/corrupt', problem, {
    remedy: 'The bytes are damaged, or were written by a newer version: restore from another checkpoint or upgrade.',
  });
}

function unsupported(what: string): MillraceError {
  return new MillraceError('codec/unsupported', `State or records that leave the process must be plain data; this is ${what}.`, {
    remedy: 'Keep plain objects, arrays, Map, Set, Date and typed arrays, or give the state a codec of its own.',
  });
}
