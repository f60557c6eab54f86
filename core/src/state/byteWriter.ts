/** Bytes that grow as they are written. All integers are little-endian or varints, so that other languages read them easily. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;
  private view: DataView;

  /** `memory`: how much at first, or memory to write into, which is the writer's from now on. */
  constructor(memory: number | Uint8Array<ArrayBuffer> = 256) {
    this.bytes = typeof memory === 'number' ? new Uint8Array(memory) : memory;
    this.view = new DataView(this.bytes.buffer);
  }

  /** What was written so far, as a view that the next write may overtake. */
  written(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written so far, as a copy. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** Begins anew, in the same memory. */
  reset(): void {
    this.length = 0;
  }

  /** One byte, from 0 to 255. */
  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  /** A non-negative safe integer in groups of seven bits, least significant first. */
  varint(value: number): void {
    if (this.length + 10 > this.bytes.length) this.grow(10);
    const { bytes } = this;
    let at = this.length;
    let rest = value;
    if (value > 0x7fff_ffff) {
      // Four groups at once: the rest is then an integer of the processor, where a remainder is no division.
      const high = Math.floor(value / 2 ** 28);
      const low = value - high * 2 ** 28;
      bytes[at++] = (low & 0x7f) | 0x80;
      bytes[at++] = ((low >>> 7) & 0x7f) | 0x80;
      bytes[at++] = ((low >>> 14) & 0x7f) | 0x80;
      bytes[at++] = (low >>> 21) | 0x80;
      rest = high;
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** An integer from 0 to 2^32 - 1, in four bytes. */
  uint32(value: number): void {
    if (this.length + 4 > this.bytes.length) this.grow(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Any number, in eight bytes. */
  float64(value: number): void {
    if (this.length + 8 > this.bytes.length) this.grow(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A whole number from −2^31 to 2^31 − 1, in four bytes. */
  int32(value: number): void {
    if (this.length + 4 > this.bytes.length) this.grow(4);
    this.view.setInt32(this.length, value, true);
    this.length += 4;
  }

  /**
   * Replaces a number of eight bytes that was written at `at`, such as a length that is known later.
   *
   * @internal
   */
  overwriteFloat64(at: number, value: number): void {
    this.view.setFloat64(at, value, true);
  }

  /** Bytes with their length before them. */
  block(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Bytes as they are, without their length. */
  raw(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Well-formed text as a block of UTF-8: for long text, which an encoder is quicker with. */
  utf8(text: string, encoder: { encodeInto(text: string, into: Uint8Array): { readonly written: number } }): void {
    const most = text.length * 3;
    if (this.length + most + 10 > this.bytes.length) this.grow(most + 10);
    // The length stands before the bytes and is known after them: it gets as many bytes as the longest text of this many units needs.
    const start = this.length + 5;
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start));
    this.paddedVarint(written);
    this.length = start + written;
  }

  private paddedVarint(value: number): void {
    for (let i = 0; i < 5; i++) {
      this.bytes[this.length++] = (value & 0x7f) | (i < 4 ? 0x80 : 0);
      value >>>= 7;
    }
  }

  /** Text as its length in bytes and UTF-8, in which a lone surrogate keeps three bytes of its own. */
  text(text: string): void {
    const units = text.length;
    if (this.length + units * 3 + 10 > this.bytes.length) this.grow(units * 3 + 10);
    const start = this.length;
    // Most text is short ASCII: one byte of length and one a character, written in place.
    if (units < 0x80) {
      const { bytes } = this;
      let i = 0;
      for (; i < units; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        bytes[start + 1 + i] = unit;
      }
      if (i === units) {
        bytes[start] = units;
        this.length = start + 1 + units;
        return;
      }
    }
    this.wideText(text);
  }

  /** A block of `first`, the characters of a short text, and `last`; false, with nothing written, when the text is not short or not ASCII. */
  framedAscii(first: number, text: string, last: number): boolean {
    const { length } = text;
    if (length > 125) return false;
    if (this.length + length + 3 > this.bytes.length) this.grow(length + 3);
    const { bytes } = this;
    const start = this.length + 2;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[start + i] = unit;
    }
    bytes[this.length] = length + 2;
    bytes[this.length + 1] = first;
    bytes[start + length] = last;
    this.length = start + length + 1;
    return true;
  }

  /** A block of `first`, the hexadecimal digits of an integer from 0 to 2^32 − 1, and `last`. */
  framedHex(first: number, value: number, last: number): void {
    if (this.length + 11 > this.bytes.length) this.grow(11);
    const { bytes } = this;
    const digits = value === 0 ? 1 : (35 - Math.clz32(value)) >>> 2;
    let at = this.length;
    bytes[at++] = digits + 2;
    bytes[at++] = first;
    for (let place = (digits - 1) << 2; place >= 0; place -= 4) {
      const digit = (value >>> place) & 15;
      bytes[at++] = digit + (digit < 10 ? 48 : 87);
    }
    bytes[at++] = last;
    this.length = at;
  }

  private wideText(text: string): void {
    let size = 0;
    for (let i = 0; i < text.length; i++) size += utf8Size(codePoint(text, i, () => i++));
    this.varint(size);
    for (let i = 0; i < text.length; i++) this.codePoint(codePoint(text, i, () => i++));
  }

  private codePoint(code: number): void {
    const { bytes } = this;
    if (code < 0x80) {
      bytes[this.length++] = code;
      return;
    }
    if (code < 0x800) {
      bytes[this.length++] = 0xc0 | (code >> 6);
    } else if (code < 0x10000) {
      bytes[this.length++] = 0xe0 | (code >> 12);
      bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f);
    } else {
      bytes[this.length++] = 0xf0 | (code >> 18);
      bytes[this.length++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[this.length++] = 0x80 | ((code >> 6) & 0x3f);
    }
    bytes[this.length++] = 0x80 | (code & 0x3f);
  }

  private grow(by: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

function codePoint(text: string, at: number, skipLow: () => void): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit >= 0xdc00 || at + 1 === text.length) return unit;
  const low = text.charCodeAt(at + 1);
  if (low < 0xdc00 || low >= 0xe000) return unit;
  skipLow();
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

function utf8Size(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
