import type { RecordBatch } from '../element/element.ts';
import { ByteReader } from '../state/byteReader.ts';
import { ByteWriter } from '../state/byteWriter.ts';
import { NO_TIMESTAMP } from '../time/timestamp.ts';
import { readColumn, readFloat64s, writeColumn, writeFloat64s, writeUint16s } from './column.ts';
import { rowMakerOf, sharedFields } from './rowFields.ts';

/*
 * A batch of records, column by column, so that numbers are copied as they lie in memory and text is coded once for the whole batch:
 *
 *   count       four bytes
 *   layout      one byte: 0 for values of any kind, 1 for plain objects that all have the same fields in the same order
 *   has         one byte: bit 0 when there are timestamps, bit 1 when there are key groups
 *   key groups  a uint16 for each, where there are any: for those who pass records on without knowing what they are
 *   timestamps  a float64 for each, where any record has one
 *   fields      their names as a JSON text, where there are fields
 *   columns     one for each field, or one with the values themselves
 */

const VALUES = 0;
const FIELDS = 1;

const HAS_TIMESTAMPS = 1;
const HAS_KEY_GROUPS = 2;
const KEY_GROUP_BYTES = 2;

/** Where batches are put together, one after the other. */
const writer = new ByteWriter(2 ** 16);

/** The bytes of a batch, behind `header` free ones. */
export function encodeRecords({ values, timestamps, keyGroups }: RecordBatch, header: number): Uint8Array<ArrayBuffer> {
  writer.reset();
  writer.length = header;
  writer.uint32(values.length);
  const fields = sharedFields(values);
  writer.byte(fields === undefined ? VALUES : FIELDS);
  const isTimed = hasTimes(timestamps);
  writer.byte((isTimed ? HAS_TIMESTAMPS : 0) | (keyGroups === undefined ? 0 : HAS_KEY_GROUPS));
  if (keyGroups !== undefined) writeUint16s(writer, keyGroups);
  if (isTimed) writeFloat64s(writer, timestamps);
  if (fields === undefined) writeColumn(writer, values);
  else {
    writer.text(fields.text);
    for (const column of fields.columns(values)) writeColumn(writer, column);
  }
  return writer.take();
}

/** The batch in some bytes, from `at` on. Key groups are passed over: who is going to use a key asks the record for it. */
export function decodeRecords(bytes: Uint8Array<ArrayBuffer>, at: number): RecordBatch {
  const reader = new ByteReader(bytes, at);
  const count = reader.uint32();
  const layout = reader.byte();
  const has = reader.byte();
  if ((has & HAS_KEY_GROUPS) !== 0) reader.raw(count * KEY_GROUP_BYTES);
  const isTimed = (has & HAS_TIMESTAMPS) !== 0;
  const timestamps = isTimed ? readFloat64s(reader, count) : Array.from({ length: count }, () => NO_TIMESTAMP);
  if (layout === VALUES) return { kind: 'records', values: readColumn(reader, count), timestamps };
  const maker = rowMakerOf(reader.text());
  const columns = maker.fields.map(() => readColumn(reader, count));
  return { kind: 'records', values: maker.rows(columns, count), timestamps };
}

function hasTimes(timestamps: readonly number[]): boolean {
  for (let i = 0; i < timestamps.length; i++) if (timestamps[i] !== NO_TIMESTAMP) return true;
  return false;
}
