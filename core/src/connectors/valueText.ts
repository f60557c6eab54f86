/** Nested deeper than this, an object is only named. */
const DEEPEST = 8;

/**
 * A value on one line, for people: strings as they are, everything else much as it would be written in a program.
 * `valueText({ id: 'x', at: 3n })` is `{ id: 'x', at: 3n }`.
 */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : nestedText(value, []);
}

function nestedText(value: unknown, above: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'function':
      return `[function ${value.name || '(anonymous)'}]`;
    case 'object':
      return value === null ? 'null' : objectText(value, above);
    default:
      return String(value);
  }
}

function objectText(value: object, above: readonly object[]): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (above.includes(value)) return '[circular]';
  const name = value.constructor?.name ?? '';
  if (above.length >= DEEPEST) return `[${name || 'object'}]`;
  return containerText(value, name, (content) => nestedText(content, [...above, value]));
}

function containerText(value: object, name: string, text: (content: unknown) => string): string {
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, content]) => `${text(key)} => ${text(content)}`);
    return braced(`Map(${value.size})`, entries);
  }
  if (value instanceof Set) return braced(`Set(${value.size})`, Array.from(value, text));
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return `${name} [${[...(value as unknown as Iterable<unknown>)].join(', ')}]`;
  const fields = Object.entries(value).map(([field, content]) => `${/^[\w$]+$/.test(field) ? field : quoted(field)}: ${text(content)}`);
  return braced(name === 'Object' ? '' : name, fields);
}

function braced(name: string, parts: readonly string[]): string {
  const body = parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
  return name === '' ? body : `${name} ${body}`;
}

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')}'`;
}
