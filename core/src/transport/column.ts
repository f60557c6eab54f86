import { MillraceError } from '../errors/millraceError.ts';
import type { ByteReader } from '../state/byteReader.ts';
import type { ByteWriter } from '../state/byteWriter.ts';
import { decodeSelfContained, encodeSelfContained } from '../state/selfContained.ts';

/*
 * The values of a field of many records. One byte says how they are written:
 *
 *   NUMBERS   a float64 for each
 *   INTEGERS  an int32 for each
 *   TEXTS     the lengths in UTF-16 units (a uint16 for each), then all texts together as one block of UTF-8
 *   BOOLEANS  a byte for each
 *   MIXED     a block in the self-describing format that state is written in too
 */

const NUMBERS = 0;
const TEXTS = 1;
const BOOLEANS = 2;
const MIXED = 3;
const INTEGERS = 4;

/** Longer texts are written one by one. */
const LONGEST_TEXT = 0xffff;

/** Half of a pair without its other half. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Memory in which the numbers of a column are put together, used again and again. */
class Scratch {
  readonly bytes: Uint8Array;
  readonly float64s: Float64Array;
  readonly int32s: Int32Array;
  readonly uint16s: Uint16Array;

  constructor(numbers: number) {
    this.float64s = new Float64Array(numbers);
    this.bytes = new Uint8Array(this.float64s.buffer);
    this.int32s = new Int32Array(this.float64s.buffer);
    this.uint16s = new Uint16Array(this.float64s.buffer);
  }
}

let scratch = new Scratch(1024);

function reserve(numbers: number): void {
  if (scratch.float64s.length < numbers) scratch = new Scratch(numbers * 2);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Writes a column in the densest form that all its values have. */
export function writeColumn(writer: ByteWriter, values: readonly unknown[]): void {
  switch (typeof values[0]) {
    case 'number':
      if (!allAre(values, 'number')) break;
      return writeNumbers(writer, values as readonly number[]);
    case 'string':
      if (!allAre(values, 'string') || !writeTexts(writer, values as readonly string[])) break;
      return;
    case 'boolean':
      if (!allAre(values, 'boolean')) break;
      writer.byte(BOOLEANS);
      for (const value of values) writer.byte(value === true ? 1 : 0);
      return;
  }
  writer.byte(MIXED);
  writer.block(encodeSelfContained(values));
}

/** Reads a column of `count` values. */
export function readColumn(reader: ByteReader, count: number): unknown[] {
  const form = reader.byte();
  switch (form) {
    case NUMBERS:
      return readFloat64s(reader, count);
    case INTEGERS:
      return readInt32s(reader, count);
    case TEXTS:
      return readTexts(reader, count);
    case BOOLEANS:
      return Array.from({ length: count }, () => reader.byte() === 1);
    case MIXED:
      return decodeSelfContained(reader.block()) as unknown[];
    default:
      throw new MillraceError('codec/corrupt', `${form} is no form of a column.`, { remedy: 'Both ends must run the same version.' });
  }
}

/** Numbers in eight bytes each. */
export function writeFloat64s(writer: ByteWriter, values: readonly number[]): void {
  const count = values.length;
  reserve(count);
  const { float64s } = scratch;
  for (let i = 0; i < count; i++) float64s[i] = values[i]!;
  writer.raw(scratch.bytes.subarray(0, count * 8));
}

/** Whole numbers below 65,536 in two bytes each. */
export function writeUint16s(writer: ByteWriter, values: readonly number[]): void {
  const count = values.length;
  reserve(count);
  const { uint16s } = scratch;
  for (let i = 0; i < count; i++) uint16s[i] = values[i]!;
  writer.raw(scratch.bytes.subarray(0, count * 2));
}

/** Reads `count` numbers of eight bytes each. */
export function readFloat64s(reader: ByteReader, count: number): number[] {
  const numbers = new Float64Array(new Uint8Array(reader.raw(count * 8)).buffer);
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(numbers[i]!);
  return values;
}

function writeNumbers(writer: ByteWriter, values: readonly number[]): void {
  const count = values.length;
  reserve(count);
  const { int32s } = scratch;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    int32s[i] = value;
    // Neither a fraction, nor too large, nor negative zero.
    if (int32s[i] === value && (value !== 0 || 1 / value > 0)) continue;
    writer.byte(NUMBERS);
    return writeFloat64s(writer, values);
  }
  writer.byte(INTEGERS);
  writer.raw(scratch.bytes.subarray(0, count * 4));
}

function readInt32s(reader: ByteReader, count: number): number[] {
  const integers = new Int32Array(new Uint8Array(reader.raw(count * 4)).buffer);
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(integers[i]!);
  return values;
}

/** False, with nothing written, where a text is too long or has a lone surrogate, which UTF-8 cannot carry. */
function writeTexts(writer: ByteWriter, texts: readonly string[]): boolean {
  const count = texts.length;
  reserve(count);
  const { uint16s } = scratch;
  for (let i = 0; i < count; i++) {
    const { length } = texts[i]!;
    if (length > LONGEST_TEXT) return false;
    uint16s[i] = length;
  }
  const whole = texts.join('');
  if (!isWellFormed(whole)) return false;
  writer.byte(TEXTS);
  writer.raw(scratch.bytes.subarray(0, count * 2));
  writer.utf8(whole, encoder);
  return true;
}

function isWellFormed(text: string): boolean {
  return (text as { isWellFormed?: () => boolean }).isWellFormed?.() ?? !LONE_SURROGATE.test(text);
}

function readTexts(reader: ByteReader, count: number): string[] {
  const lengths = reader.raw(count * 2);
  const whole = decoder.decode(reader.block());
  const texts: string[] = [];
  let start = 0;
  for (let i = 0; i < count; i++) {
    const end = start + (lengths[2 * i]! | (lengths[2 * i + 1]! << 8));
    texts.push(whole.slice(start, end));
    start = end;
  }
  return texts;
}

function allAre(values: readonly unknown[], type: string): boolean {
  for (let i = 0; i < values.length; i++) if (typeof values[i] !== type) return false;
  return true;
}
