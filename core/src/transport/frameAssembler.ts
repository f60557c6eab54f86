const LENGTH = 4;

/** Puts frames together again from a stream of bytes, in which each stands behind its length (four bytes, little-endian). */
export class FrameAssembler {
  private readonly onFrame: (frame: Uint8Array<ArrayBuffer>) => void;
  private readonly header = new Uint8Array(LENGTH);
  private headerFilled = 0;
  private frame: Uint8Array<ArrayBuffer> | undefined;
  private filled = 0;

  constructor(onFrame: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.onFrame = onFrame;
  }

  /** Takes the next bytes of the stream, which may end anywhere. They are copied. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) at = this.frame === undefined ? this.readHeader(bytes, at) : this.readFrame(this.frame, bytes, at);
  }

  private readHeader(bytes: Uint8Array, at: number): number {
    while (this.headerFilled < LENGTH && at < bytes.length) this.header[this.headerFilled++] = bytes[at++]!;
    if (this.headerFilled < LENGTH) return at;
    this.headerFilled = 0;
    this.filled = 0;
    this.frame = new Uint8Array(new DataView(this.header.buffer).getUint32(0, true));
    if (this.frame.length === 0) this.finish(this.frame);
    return at;
  }

  private readFrame(frame: Uint8Array<ArrayBuffer>, bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + frame.length - this.filled);
    frame.set(bytes.subarray(at, end), this.filled);
    this.filled += end - at;
    if (this.filled === frame.length) this.finish(frame);
    return end;
  }

  private finish(frame: Uint8Array<ArrayBuffer>): void {
    this.frame = undefined;
    this.onFrame(frame);
  }
}

/** The length that a frame has before it in a stream. */
export function lengthPrefix(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = new Uint8Array(LENGTH);
  new DataView(prefix.buffer).setUint32(0, frame.length, true);
  return prefix;
}
