/*
 * Reads frames of records as docs/guide/task-protocol.md describes them, with nothing of the engine: what another language would do.
 */

/** A frame of records, as somebody else reads it. */
export interface ReadRecords {
  readonly channel: number;
  readonly count: number;
  readonly keyGroups: readonly number[] | undefined;
  readonly timestamps: readonly number[] | undefined;
  /** By the names of the fields; that of values without any is ''. */
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

const RECORDS = 1;

/** `undefined` for a frame of another kind. */
export function readRecords(frame: Uint8Array): ReadRecords | undefined {
  if (frame[0] !== RECORDS) return undefined;
  const bytes = new Bytes(frame);
  bytes.at = 1;
  const channel = bytes.uint32();
  const count = bytes.uint32();
  const isFields = bytes.uint8() === 1;
  const has = bytes.uint8();
  const keyGroups = (has & 2) === 0 ? undefined : bytes.many(count, () => bytes.uint16());
  const timestamps = (has & 1) === 0 ? undefined : bytes.many(count, () => bytes.float64());
  const names = isFields ? (JSON.parse(bytes.utf8()) as string[]) : [''];
  const columns = new Map(names.map((name) => [name, column(bytes, count)]));
  if (bytes.at !== frame.length) throw new Error(`${frame.length - bytes.at} bytes are left`);
  return { channel, count, keyGroups, timestamps, columns };
}

function column(bytes: Bytes, count: number): unknown[] {
  const form = bytes.uint8();
  switch (form) {
    case 0:
      return bytes.many(count, () => bytes.float64());
    case 1: {
      const lengths = bytes.many(count, () => bytes.uint16());
      const all = bytes.utf8();
      let end = 0;
      return lengths.map((length) => all.slice(end, (end += length)));
    }
    case 2:
      return bytes.many(count, () => bytes.uint8() === 1);
    case 4:
      return bytes.many(count, () => bytes.int32());
    default:
      throw new Error(`A column of form ${form}`);
  }
}

class Bytes {
  at = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  many<T>(count: number, one: () => T): T[] {
    return Array.from({ length: count }, one);
  }

  uint8(): number {
    return this.view.getUint8(this.at++);
  }

  uint16(): number {
    return this.view.getUint16((this.at += 2) - 2, true);
  }

  uint32(): number {
    return this.view.getUint32((this.at += 4) - 4, true);
  }

  int32(): number {
    return this.view.getInt32((this.at += 4) - 4, true);
  }

  float64(): number {
    return this.view.getFloat64((this.at += 8) - 8, true);
  }

  utf8(): string {
    let length = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.uint8();
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}
