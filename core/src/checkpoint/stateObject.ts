import type { Segment } from './manifest.ts';

/** Gathers the segments of one state object, in the order in which they will stand in it. */
export class StateObject {
  readonly name: string;
  readonly parts: Uint8Array[] = [];
  private readonly crc32: (bytes: Uint8Array) => number;
  private length = 0;

  constructor(name: string, crc32: (bytes: Uint8Array) => number) {
    this.name = name;
    this.crc32 = crc32;
  }

  add(bytes: Uint8Array): Segment {
    const segment: Segment = { object: this.name, offset: this.length, length: bytes.length, checksum: this.crc32(bytes) };
    this.parts.push(bytes);
    this.length += bytes.length;
    return segment;
  }
}
