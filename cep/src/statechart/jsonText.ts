import { MillraceError } from '@millrace/core';

/**
 * JSON that can be read back as what it was.
 *
 * @throws MillraceError `codec/unsupported` naming the path to what JSON would change: dates, maps, functions, NaN.
 */
export function toJsonText(value: unknown, what: string): string {
  checkJson(value, what);
  return JSON.stringify(value);
}

function checkJson(value: unknown, path: string): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw unsupported(String(value), path);
      return;
    case 'object':
      return value === null ? undefined : checkObject(value, path);
    default:
      throw unsupported(`a ${typeof value}`, path);
  }
}

function checkObject(value: object, path: string): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) checkJson(value[i], `${path}[${i}]`);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw unsupported(`a ${value.constructor?.name ?? 'class instance'}`, path);
  for (const field in value) {
    const content: unknown = (value as Readonly<Record<string, unknown>>)[field];
    // A field that is undefined is as good as none.
    if (content !== undefined) checkJson(content, `${path}.${field}`);
  }
}

function unsupported(what: string, path: string): MillraceError {
  return new MillraceError('codec/unsupported', `${path} is ${what}, which JSON cannot hold.`, {
    remedy: 'Keep numbers, strings, booleans, null, arrays and plain objects in the context of a machine: a date as its time in ms.',
  });
}
