import { MillraceError } from '../errors/millraceError.ts';
import { jsonText } from './jsonText.ts';
import type { SqliteValue } from './sqliteDatabase.ts';

const SMALLEST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/**
 * A field as SQLite holds it: whole numbers as integers, dates in ISO 8601, true as 1, and objects as JSON.
 *
 * @throws MillraceError `sink/failed` for a bigint of more than 64 bits, and what is no JSON.
 */
export function sqliteValue(value: unknown, column: string): SqliteValue {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      // As a number it would be stored with a fraction, and as "1.0" in a column of text.
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'bigint':
      if (value >= SMALLEST && value <= GREATEST) return value;
      throw new MillraceError('sink/failed', `A bigint in "${column}" has more than 64 bits.`, {
        remedy: 'Write it as text: map it to a string.',
      });
    case 'undefined':
      return null;
    default:
      return objectValue(value);
  }
}

function objectValue(value: unknown): SqliteValue {
  if (value === null) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return jsonText(value);
}
