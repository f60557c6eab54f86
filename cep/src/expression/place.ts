import { MillraceError } from '@millrace/core';
import type { Term } from './term.ts';

/** Where a part of an expression stands, and how its parts are read. */
export interface Place {
  /** Such as `where.and[1]`. */
  readonly path: string;
  /** How deeply it is nested. */
  readonly depth: number;
  /** Inside of `some` or `every`, where there is an item. */
  readonly hasItem: boolean;
}

/** Reads JSON as an expression. */
export type Reader = (json: unknown, place: Place) => Term;

/** The place of a part: a field of an object, an element of a list. */
export function within(place: Place, part: string | number, hasItem: boolean = place.hasItem): Place {
  return { path: childPath(place.path, part), depth: place.depth + 1, hasItem };
}

/** The path to a part of JSON, as one would write it. */
export function childPath(path: string, part: string | number): string {
  if (typeof part === 'number') return `${path}[${part}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(part)) return `${path}[${JSON.stringify(part)}]`;
  return path === '' ? part : `${path}.${part}`;
}

/** JSON that is no expression, with the path to what is wrong in it. */
export function malformed({ path }: Pick<Place, 'path'>, problem: string, remedy: string): MillraceError {
  return new MillraceError('cep/condition', `At ${path === '' ? 'the top' : path}: ${problem}.`, { remedy });
}

export function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
