/**
 * Any plain data on one line of JSON. What JSON does not know is an object with one field that says what it is: `{"$bigint":"12"}`,
 * `{"$date":"2026-01-01T00:00:00.000Z"}`, `{"$map":[[key,value]]}`, `{"$set":[…]}`, `{"$bytes":"base64"}`, `{"$Float64Array":[…]}`,
 * `{"$number":"NaN"}`, `{"$undefined":true}`. A field of the data that begins with `$` gets another one.
 */
export function readableJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? String(value)
        : tagged('number', JSON.stringify(Object.is(value, -0) ? '-0' : String(value)));
    case 'bigint':
      return tagged('bigint', `"${value}"`);
    case 'undefined':
      return tagged('undefined', 'true');
    case 'object':
      return value === null ? 'null' : objectJson(value);
    default:
      return tagged(typeof value, JSON.stringify(String(value)));
  }
}

function objectJson(value: object): string {
  if (Array.isArray(value)) return listJson(value);
  if (value instanceof Date) return tagged('date', JSON.stringify(Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()));
  if (value instanceof Map) return tagged('map', listJson(value));
  if (value instanceof Set) return tagged('set', listJson(value));
  if (value instanceof Uint8Array)
    return tagged('bytes', JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')));
  if (ArrayBuffer.isView(value)) return tagged(value.constructor.name, listJson(value as unknown as Iterable<unknown>));
  const fields = Object.entries(value).map(
    ([name, content]) => `${JSON.stringify(name.startsWith('$') ? `$${name}` : name)}:${readableJson(content)}`,
  );
  return `{${fields.join(',')}}`;
}

function listJson(items: Iterable<unknown>): string {
  return `[${Array.from(items, readableJson).join(',')}]`;
}

function tagged(what: string, json: string): string {
  return `{"$${what}":${json}}`;
}
