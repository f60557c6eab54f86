import { childPath } from '../expression/place.ts';
import { invalidPattern } from './invalid.ts';

/** A part of JSON that is read, with the path to it. */
export interface Part {
  readonly json: unknown;
  readonly path: string;
}

/** JSON that is no pattern, with the path to what is wrong in it. */
export function malformedPattern(path: string, problem: string, remedy: string): Error {
  return invalidPattern('malformed', '', `At ${path === '' ? 'the top' : path}: ${problem}.`, remedy);
}

/** The fields of an object, of which there may be no others. */
export function fieldsOf({ json, path }: Part, allowed: readonly string[]): (name: string) => Part {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw malformedPattern(path, 'an object is needed', `Its fields are: ${allowed.join(', ')}.`);
  }
  const surplus = Object.keys(json).find((name) => !allowed.includes(name));
  if (surplus !== undefined)
    throw malformedPattern(childPath(path, surplus), 'there is no such field', `Allowed are: ${allowed.join(', ')}.`);
  return (name) => ({
    json: Object.hasOwn(json, name) ? (json as Readonly<Record<string, unknown>>)[name] : undefined,
    path: childPath(path, name),
  });
}

export function listOf({ json, path }: Part): readonly Part[] {
  if (!Array.isArray(json)) throw malformedPattern(path, 'a list is needed', 'Write […].');
  return json.map((each: unknown, i) => ({ json: each, path: childPath(path, i) }));
}

export function textOf({ json, path }: Part): string {
  if (typeof json === 'string' && json !== '') return json;
  throw malformedPattern(path, 'a text is needed', 'Write "…".');
}

export function oneOf<const V extends string>({ json, path }: Part, values: readonly V[]): V {
  const value = values.find((each) => each === json);
  if (value !== undefined) return value;
  throw malformedPattern(path, `it is none of ${values.join(', ')}`, 'Write one of these.');
}

/** A whole number that is not negative: a count, a time in ms. */
export function countOf({ json, path }: Part): number {
  if (typeof json === 'number' && Number.isSafeInteger(json) && json >= 0) return json;
  throw malformedPattern(path, 'a whole number is needed that is not negative', 'Counts are such numbers, and durations are in ms.');
}

/** An optional field: nothing where it is missing. */
export function maybe<N extends string, V>(part: Part, name: N, read: (part: Part) => V): { readonly [P in N]?: V } {
  return (part.json === undefined ? {} : { [name]: read(part) }) as { readonly [P in N]?: V };
}
