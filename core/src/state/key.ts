import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { ByteReader } from './byteReader.ts';
import type { ByteWriter } from './byteWriter.ts';

/** What a stream can be keyed by: scalars and tuples of them, compared by value. `NaN` is no key; `-0` is `0`. */
export type Key = string | number | bigint | boolean | readonly Key[];

// Canonical bytes: a tag, then the content, self-delimiting, so that tuples need no escaping. They are an address that outlives
// the process (checkpoints, other languages), so nothing here may ever change.
const STRING = 1;
const NUMBER = 2;
const BIGINT = 3;
const FALSE = 4;
const TRUE = 5;
const TUPLE = 6;
const TUPLE_END = 7;
const INTEGER = 8;
/** Ends a text; never occurs in UTF-8. */
const TEXT_END = 0xff;
const MINUS = 45;

/** Takes the bytes of a key one by one. */
interface ByteSink {
  byte(value: number): void;
}

/** Java's `Arrays.hashCode(byte[])`, as Flink hashes keys, fed byte by byte. */
class PolynomialHash implements ByteSink {
  value = 1;
  byte(value: number): void {
    this.value = (Math.imul(this.value, 31) + ((value << 24) >> 24)) | 0;
  }
}

class ByteList implements ByteSink {
  readonly bytes: number[] = [];
  byte(value: number): void {
    this.bytes.push(value);
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * Refuses what is no key, whatever its type claims: `keyBy` functions read foreign data.
 *
 * @throws MillraceError `key/invalid`
 */
export function checkKey(key: unknown): void {
  const kind = typeof key;
  if (kind === 'string' || kind === 'boolean' || kind === 'bigint') return;
  if (kind === 'number' && !Number.isNaN(key)) return;
  if (!Array.isArray(key)) throw invalidKey(key);
  for (const part of key) checkKey(part);
}

/**
 * The hash of a key's canonical bytes, spread by Flink's murmur finish. One hash serves the index of a state table and the key
 * group, so that a key is read once. Any int32.
 */
export function hashKey(key: Key): number {
  if (typeof key === 'string') return spread(hashText(key));
  if (Number.isSafeInteger(key)) return spread(hashInteger(key as number));
  const hash = new PolynomialHash();
  writeKey(key, hash);
  return spread(hash.value);
}

/** Four characters a turn: the polynomial unrolled, worth a third of the time on keys of eight to sixteen characters. */
function hashText(text: string): number {
  const length = text.length;
  let hash = 31 + STRING;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0x7f) return hashWideText(text);
    hash = (Math.imul(hash, 923_521) + Math.imul(a, 29_791) + Math.imul(b, 961) + Math.imul(c, 31) + d) | 0;
  }
  for (; i < length; i++) {
    const a = text.charCodeAt(i);
    if (a > 0x7f) return hashWideText(text);
    hash = (Math.imul(hash, 31) + a) | 0;
  }
  return (Math.imul(hash, 31) - 1) | 0;
}

function hashInteger(key: number): number {
  const size = Math.abs(key);
  let hash = 31 + INTEGER;
  if (key < 0) hash = (Math.imul(hash, 31) + MINUS) | 0;
  const high = Math.floor(size / 2 ** 32);
  if (high > 0) hash = hashDigits(hash, high, firstDigit(high));
  hash = hashDigits(hash, size | 0, high > 0 ? 28 : firstDigit(size | 0));
  return (Math.imul(hash, 31) - 1) | 0;
}

/** The place of the first hexadecimal digit of 32 bits, in bits; 0 for none. */
function firstDigit(bits: number): number {
  return bits === 0 ? 0 : (31 - Math.clz32(bits)) & ~3;
}

function hashDigits(hash: number, bits: number, from: number): number {
  for (let place = from; place >= 0; place -= 4) {
    const digit = (bits >>> place) & 15;
    hash = (Math.imul(hash, 31) + (digit < 10 ? 48 : 87) + digit) | 0;
  }
  return hash;
}

function hashWideText(text: string): number {
  const hash = new PolynomialHash();
  writeText(text, hash);
  return hash.value;
}

/** The murmur step of Flink's `MathUtils.murmurHash` before its sign is dropped. */
export function spread(hash: number): number {
  let code = Math.imul(hash, 0xcc9e2d51);
  code = (code << 15) | (code >>> 17);
  code = Math.imul(code, 0x1b873593);
  code = (code << 13) | (code >>> 19);
  code = (Math.imul(code, 5) + 0xe6546b64) | 0;
  code ^= 4;
  code ^= code >>> 16;
  code = Math.imul(code, 0x85ebca6b);
  code ^= code >>> 13;
  code = Math.imul(code, 0xc2b2ae35);
  return code ^ (code >>> 16);
}

/** A key's canonical bytes: its address in checkpoints. */
export function encodeKey(key: Key): Uint8Array {
  const list = new ByteList();
  writeKey(key, list);
  return Uint8Array.from(list.bytes);
}

/** Writes a key's canonical bytes with their length before them. */
export function writeKeyBlock(key: Key, writer: ByteWriter): void {
  if (typeof key === 'string' && writer.framedAscii(STRING, key, TEXT_END)) return;
  if (isSmallInteger(key)) return writer.framedHex(INTEGER, key, TEXT_END);
  // Written in place, behind a length of one byte, which nearly every key has.
  const start = writer.length;
  writer.byte(0);
  writeKey(key, writer);
  const length = writer.length - start - 1;
  if (length < 0x80) return void (writer.bytes[start] = length);
  writer.length = start;
  writer.block(encodeKey(key));
}

/** A key's canonical bytes as text: for a native `Map`, which compares tuples by identity. */
export function keyText(key: Key): string {
  const list = new ByteList();
  writeKey(key, list);
  let text = '';
  for (const byte of list.bytes) text += String.fromCharCode(byte);
  return text;
}

function writeKey(key: Key, sink: ByteSink): void {
  switch (typeof key) {
    case 'string':
      return writeText(key, sink);
    case 'number':
      return writeNumber(key, sink);
    case 'bigint':
      sink.byte(BIGINT);
      return writeDigits(key, sink);
    case 'boolean':
      return sink.byte(key ? TRUE : FALSE);
    default:
      if (!Array.isArray(key)) throw invalidKey(key);
      sink.byte(TUPLE);
      for (const part of key as readonly Key[]) writeKey(part, sink);
      sink.byte(TUPLE_END);
  }
}

function writeText(text: string, sink: ByteSink): void {
  sink.byte(STRING);
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00 && i + 1 < text.length) {
      const low = text.charCodeAt(i + 1);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        i++;
      }
    }
    writeCodePoint(code, sink);
  }
  sink.byte(TEXT_END);
}

/** UTF-8 that also carries lone surrogates (three bytes each), so that two different strings never share an address. */
function writeCodePoint(code: number, sink: ByteSink): void {
  if (code < 0x80) return sink.byte(code);
  if (code < 0x800) {
    sink.byte(0xc0 | (code >> 6));
  } else if (code < 0x10000) {
    sink.byte(0xe0 | (code >> 12));
    sink.byte(0x80 | ((code >> 6) & 0x3f));
  } else {
    sink.byte(0xf0 | (code >> 18));
    sink.byte(0x80 | ((code >> 12) & 0x3f));
    sink.byte(0x80 | ((code >> 6) & 0x3f));
  }
  sink.byte(0x80 | (code & 0x3f));
}

/** Whole numbers in hexadecimal digits: these, unlike the eight bytes of a double, hardly ever collide under the polynomial. `-0` is `0`. */
function writeNumber(key: number, sink: ByteSink): void {
  if (Number.isNaN(key)) throw invalidKey(key);
  if (Number.isSafeInteger(key)) {
    sink.byte(INTEGER);
    return writeDigits(key, sink);
  }
  sink.byte(NUMBER);
  scratch.setFloat64(0, key);
  for (let i = 0; i < 8; i++) sink.byte(scratch.getUint8(i));
}

function writeDigits(key: number | bigint, sink: ByteSink): void {
  const digits = key.toString(16);
  for (let i = 0; i < digits.length; i++) sink.byte(digits.charCodeAt(i));
  sink.byte(TEXT_END);
}

/** Reads a key back from its canonical bytes. */
export function decodeKey(bytes: Uint8Array): Key {
  const cursor = { at: 0 };
  const key = readKey(bytes, cursor);
  if (key === undefined || cursor.at !== bytes.length) throw corruptKey();
  return key;
}

/** Reads a key that {@link writeKeyBlock} wrote. */
export function readKeyBlock(reader: ByteReader): Key {
  return reader.framedAscii(STRING, TEXT_END) ?? reader.framedHex(INTEGER, TEXT_END) ?? decodeKey(reader.block());
}

/** Whole, not negative and of 32 bits, as most numbers are that something is keyed by. `-0` is `0`. */
function isSmallInteger(key: Key): key is number {
  return typeof key === 'number' && key >>> 0 === key;
}

function readKey(bytes: Uint8Array, cursor: { at: number }): Key | undefined {
  switch (bytes[cursor.at++]) {
    case STRING:
      return readText(bytes, cursor);
    case NUMBER: {
      for (let i = 0; i < 8; i++) scratch.setUint8(i, byteAt(bytes, cursor));
      return scratch.getFloat64(0);
    }
    case BIGINT: {
      const digits = readDigits(bytes, cursor);
      return digits.startsWith('-') ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
    }
    case INTEGER:
      return Number.parseInt(readDigits(bytes, cursor), 16);
    case FALSE:
      return false;
    case TRUE:
      return true;
    case TUPLE: {
      const parts: Key[] = [];
      for (let part = readKey(bytes, cursor); part !== undefined; part = readKey(bytes, cursor)) parts.push(part);
      return parts;
    }
    case TUPLE_END:
      return undefined;
    default:
      throw corruptKey();
  }
}

function readDigits(bytes: Uint8Array, cursor: { at: number }): string {
  const digits = readText(bytes, cursor);
  if (!/^-?[0-9a-f]+$/.test(digits)) throw corruptKey();
  return digits;
}

function readText(bytes: Uint8Array, cursor: { at: number }): string {
  const units: number[] = [];
  for (let byte = byteAt(bytes, cursor); byte !== TEXT_END; byte = byteAt(bytes, cursor)) {
    if (byte < 0x80) units.push(byte);
    else if (byte < 0xe0) units.push(((byte & 0x1f) << 6) | (byteAt(bytes, cursor) & 0x3f));
    else if (byte < 0xf0) units.push(((byte & 0x0f) << 12) | ((byteAt(bytes, cursor) & 0x3f) << 6) | (byteAt(bytes, cursor) & 0x3f));
    else {
      const high = ((byte & 0x07) << 18) | ((byteAt(bytes, cursor) & 0x3f) << 12);
      const code = (high | ((byteAt(bytes, cursor) & 0x3f) << 6) | (byteAt(bytes, cursor) & 0x3f)) - 0x10000;
      units.push(0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
    }
  }
  let text = '';
  for (let i = 0; i < units.length; i += 4096) text += String.fromCharCode(...units.slice(i, i + 4096));
  return text;
}

function byteAt(bytes: Uint8Array, cursor: { at: number }): number {
  const byte = bytes[cursor.at++];
  if (byte === undefined) throw corruptKey();
  return byte;
}

function corruptKey(): MillraceError {
  return new MillraceError('codec/corrupt', 'These bytes are no key.', {
    remedy: 'The file they come from is damaged: restore from another checkpoint.',
  });
}

/** Whether two keys are the same key: by value, tuples part by part. */
export function equalKeys(a: Key, b: Key): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a.length !== b.length) return false;
  return a.every((part, i) => equalKeys(part, b[i] as Key));
}

/**
 * A total order over keys, for sorting: by kind, then by value (strings by code unit), tuples part by part.
 */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a === 'object' && typeof b === 'object') {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const order = compareKeys(a[i] as Key, b[i] as Key);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function invalidKey(key: unknown): MillraceError {
  const what = typeof key === 'number' ? String(key) : describeValue(key);
  return new MillraceError('key/invalid', `A key is ${what}.`, {
    remedy: 'Return a string, number, bigint, boolean or a tuple of these from keyBy; filter the elements that have no key before it.',
  });
}
