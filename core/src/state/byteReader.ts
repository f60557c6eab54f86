import { MillraceError } from '../errors/millraceError.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Longer text is read by the decoder. */
const SHORT = 24;
/** The characters of short text, in one array for all. */
const units: number[] = [];

/** Reads what a `ByteWriter` wrote. Running past the end is `codec/corrupt`, never a silent zero. */
export class ByteReader {
  at: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether nothing is left. */
  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next byte, from 0 to 255. */
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw truncated();
    return value;
  }

  /** The next non-negative integer, as `ByteWriter.varint` writes it. */
  varint(): number {
    let value = 0;
    for (let place = 0; place < 28; place += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << place;
      if (byte < 0x80) return value;
    }
    return this.longVarint(value);
  }

  /** What follows the first four groups: beyond the integers of the processor. */
  private longVarint(low: number): number {
    let value = low;
    let scale = 2 ** 28;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** The next integer of four bytes. */
  uint32(): number {
    if (this.at + 4 > this.bytes.length) throw truncated();
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  /** The next number of eight bytes. */
  float64(): number {
    if (this.at + 8 > this.bytes.length) throw truncated();
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }

  /** The next whole number of four bytes. */
  int32(): number {
    if (this.at + 4 > this.bytes.length) throw truncated();
    this.at += 4;
    return this.view.getInt32(this.at - 4, true);
  }

  /** A view of the next block, sharing memory with what is read. */
  block(): Uint8Array {
    return this.raw(this.varint());
  }

  /** A view of the next `length` bytes, sharing memory with what is read. */
  raw(length: number): Uint8Array {
    const end = this.at + length;
    if (end > this.bytes.length) throw truncated();
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    return view;
  }

  /**
   * The next block, as `ByteWriter.framedAscii` writes it: short ASCII text between the bytes `first` and `last`. `undefined`, and nothing is
   * read, where it is anything else.
   */
  framedAscii(first: number, last: number): string | undefined {
    const { bytes, at } = this;
    const length = bytes[at]! - 2;
    const start = at + 2;
    const end = start + length;
    if (!(length > 0 && length <= SHORT) || bytes[start - 1] !== first || bytes[end] !== last) return undefined;
    if (units.length !== length) units.length = length;
    let all = 0;
    for (let i = 0; i < length; i++) all |= units[i] = bytes[start + i]!;
    if (all > 0x7f) return undefined;
    this.at = end + 1;
    return String.fromCharCode.apply(null, units);
  }

  /** The next block, as `ByteWriter.framedHex` writes it. `undefined`, and nothing is read, where it is anything else. */
  framedHex(first: number, last: number): number | undefined {
    const { bytes, at } = this;
    const end = at + bytes[at]!;
    if (!(end > at + 2 && end <= at + 10) || bytes[at + 1] !== first || bytes[end] !== last) return undefined;
    let value = 0;
    for (let i = at + 2; i < end; i++) {
      const digit = hexDigit(bytes[i]!);
      if (digit < 0) return undefined;
      value = value * 16 + digit;
    }
    this.at = end + 1;
    return value;
  }

  /** The next text. */
  text(): string {
    const length = this.varint();
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) throw truncated();
    this.at = end;
    if (length === 0) return '';
    const { bytes } = this;
    if (length <= SHORT) {
      let ascii = 0;
      for (let i = start; i < end; i++) ascii |= bytes[i]!;
      if (ascii < 0x80) return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
    }
    try {
      return decoder.decode(bytes.subarray(start, end));
    } catch {
      return decodeLoosely(bytes.subarray(start, end));
    }
  }
}

/** The value of a digit, as `Number.prototype.toString` writes it; −1 for anything else. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}

/** For text with lone surrogates, which no strict decoder takes. */
function decodeLoosely(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length;) {
    const lead = bytes[i++]!;
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) throw noText();
    const more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = more === 0 ? lead : lead & (0x3f >> more);
    for (let j = 0; j < more; j++) code = (code << 6) | continuation(bytes[i++]);
    if (code > 0x10ffff) throw noText();
    text += String.fromCodePoint(code);
  }
  return text;
}

function continuation(byte: number | undefined): number {
  if (byte === undefined || (byte & 0xc0) !== 0x80) throw noText();
  return byte & 0x3f;
}

function noText(): MillraceError {
  return new MillraceError('codec/corrupt', 'These bytes are no text.', {
    remedy: 'The file they come from is damaged: restore from another checkpoint.',
  });
}

function truncated(): MillraceError {
  return new MillraceError('codec/corrupt', 'The bytes end before the value does.', {
    remedy: 'The file they come from is truncated: restore from another checkpoint.',
  });
}
