import { MillraceError } from '../errors/millraceError.ts';
import { jsonText } from './jsonText.ts';

/** A column of a table. */
export interface PostgresColumn {
  readonly name: string;
  /** As the server writes it, such as `numeric(10,2)`. */
  readonly type: string;
  readonly isRequired: boolean;
}

/**
 * Elements as one JSON array, which the server turns into rows: it knows the types of the columns.
 *
 * @throws MillraceError `sink/failed` for what JSON cannot hold, and where a column needs a value and there is none.
 */
export function rowsAsJson(values: readonly unknown[], columns: readonly PostgresColumn[]): string {
  const names = columns.map(({ name }) => JSON.stringify(name));
  let text = '[';
  for (const value of values) {
    const fields = value as Readonly<Record<string, unknown>>;
    text += text === '[' ? '{' : ',{';
    for (let i = 0; i < columns.length; i++) {
      text += `${i === 0 ? '' : ','}${names[i]!}:${fieldAsJson(fields[columns[i]!.name], columns[i]!)}`;
    }
    text += '}';
  }
  return `${text}]`;
}

function fieldAsJson(value: unknown, { name, isRequired }: PostgresColumn): string {
  if (value === null || value === undefined) {
    // Else it would come to light when the row is moved, and its checkpoint is complete already.
    if (!isRequired) return 'null';
    throw new MillraceError('sink/failed', `An element has no "${name}", which the table needs.`, {
      remedy: 'Filter such elements out, or let the column be NULL.',
    });
  }
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`;
  return jsonText(value);
}
