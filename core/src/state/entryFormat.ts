import type { StateEntry } from './backend.ts';
import type { ByteReader } from './byteReader.ts';
import type { ByteWriter } from './byteWriter.ts';
import { decodeKey, type Key, writeKeyBlock } from './key.ts';
import type { ValueCodec } from './valueCodec.ts';

const HAS_USER_KEY = 1;
const HAS_TIME = 2;
const HAS_TIMES = 4;

/** What an entry holds beside its key, its state and its form. */
export type EntryContent = Pick<StateEntry, 'userKey' | 'value' | 'renewed'>;

/** Writes the content of an entry. Frozen: it stands in checkpoints. */
export function writeContent(
  writer: ByteWriter,
  codec: ValueCodec,
  userKey: Key | undefined,
  value: unknown,
  renewed: number | readonly number[] | undefined,
): void {
  const timed = renewed === undefined ? 0 : typeof renewed === 'number' ? HAS_TIME : HAS_TIMES;
  writer.byte((userKey === undefined ? 0 : HAS_USER_KEY) | timed);
  if (userKey !== undefined) writeKeyBlock(userKey, writer);
  if (typeof renewed === 'number') writer.float64(renewed);
  else if (renewed !== undefined) codec.write(renewed, writer);
  codec.write(value, writer);
}

/** Reads it back. */
export function readContent(reader: ByteReader, codec: ValueCodec): EntryContent {
  const flags = reader.byte();
  const userKey = flags & HAS_USER_KEY ? decodeKey(reader.block()) : undefined;
  const renewed = flags & HAS_TIME ? reader.float64() : flags & HAS_TIMES ? (codec.read(reader) as readonly number[]) : undefined;
  return { userKey, renewed, value: codec.read(reader) };
}
