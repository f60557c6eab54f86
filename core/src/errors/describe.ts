/**
 * Names a value by its type and fields without showing what is in it: messages and logs end up in places where card numbers
 * do not belong. `describeValue({ id: 'x', cents: 3 })` is `{ id: string, cents: number }`.
 */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'empty array' : `array of ${value.length} (first: ${describeType(value[0])})`;
  if (typeof value !== 'object') return typeof value;
  const name = value.constructor?.name;
  if (name !== undefined && name !== 'Object') return name;
  const fields = Object.entries(value).slice(0, MAX_FIELDS);
  const rest = Object.keys(value).length - fields.length;
  const shown = fields.map(([field, content]) => `${field}: ${describeType(content)}`);
  return fields.length === 0 ? '{}' : `{ ${shown.join(', ')}${rest > 0 ? `, … ${rest} more` : ''} }`;
}

const MAX_FIELDS = 12;

function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}

/** The sentence of anything that can be thrown. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return typeof error === 'string' ? error : `a thrown ${describeValue(error)}`;
}

/** A count for people: `1,234,567`. */
export function describeCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
