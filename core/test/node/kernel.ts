import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Rejected } from '../../src/operators/connector.ts';
import type { ByteInput } from '../../src/node/byteInput.ts';
import { ByteWindow } from '../../src/node/byteWindow.ts';
import { FILE_START, type FilePosition } from '../../src/node/filePosition.ts';
import { RecordBatch } from '../../src/node/recordBatch.ts';
import type { RecordParser } from '../../src/node/recordParser.ts';
import { readRecords } from '../../src/node/recordReading.ts';

/** What a kernel made of some bytes. */
export interface Taken {
  readonly values: unknown[];
  readonly rejected: Rejected[];
  readonly positions: FilePosition[];
  /** How large the buffer was in the end. */
  readonly buffer: number;
}

export interface KernelOptions {
  readonly from?: FilePosition;
  /** The places where a read ends, ascending. */
  readonly cuts?: readonly number[];
  /** Records per batch. */
  readonly rows?: number;
  readonly maxLine?: number;
  readonly schema?: StandardSchemaV1;
}

/** Bytes that come in pieces. */
export function pieces(bytes: Buffer, cuts: readonly number[]): ByteInput {
  let taken = 0;
  return {
    read(target, at, offset) {
      const end = Math.min(cuts.find((cut) => cut > offset) ?? bytes.length, offset + target.length - at);
      const count = bytes.copy(target, at, offset, end);
      taken += count;
      return Promise.resolve(count);
    },
    taken() {
      const count = taken;
      taken = 0;
      return count;
    },
    reached: () => bytes.length,
    close: () => Promise.resolve(),
  };
}

/** Reads bytes as a file called `f`, from memory. */
export async function takeAll<T>(bytes: Buffer, parser: RecordParser<T>, options: KernelOptions = {}): Promise<Taken> {
  const { from = FILE_START, cuts = [], rows = 2_000, maxLine = 1_000_000, schema } = options;
  const input = pieces(bytes, cuts);
  const window = new ByteWindow(input, from, maxLine, 0);
  if (from.offset > 0 && parser.needsHead) {
    const head = new ByteWindow(input, FILE_START, maxLine, 0);
    while (parser.needsHead && (await head.fill())) parser.readHead(head);
  }
  const batch = new RecordBatch<T>('f', schema, rows);
  const signal = new AbortController().signal;
  const all = { values: [] as unknown[], rejected: [] as Rejected[], positions: [] as FilePosition[] };
  for await (const part of readRecords({ input, window, parser, batch, rejectDamaged: false, signal, atEnd: async () => 'end' })) {
    all.values.push(...part.values);
    all.rejected.push(...(part.rejected ?? []));
    all.positions.push(part.position);
  }
  return { ...all, buffer: window.bytes.length };
}
