import { readFileSync } from 'node:fs';

/** A case of a table: what goes in, and exactly what must come out. What `config`, `input` and `expect` hold depends on the kind. */
export interface Case {
  readonly id: string;
  readonly kind: string;
  readonly config: Config;
  readonly input: unknown;
  readonly expect: unknown;
}

/** The settings of a case by name. */
export type Config = Readonly<Record<string, unknown>>;

/** A step of a script: its name and its arguments. */
export type Step = readonly [name: string, ...args: unknown[]];

/** A file that is no table of cases. */
export class TableError extends Error {}

/**
 * Reads a table of cases.
 *
 * @throws TableError
 */
export function readTable(file: string): readonly Case[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new TableError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return casesOf(content);
}

/**
 * Checks that something is a table, and gives its cases.
 *
 * @throws TableError
 */
export function casesOf(content: unknown): readonly Case[] {
  if (!isObject(content)) throw new TableError('A table is an object with schemaVersion and cases.');
  if (content['schemaVersion'] !== 1)
    throw new TableError(`The table has schemaVersion ${JSON.stringify(content['schemaVersion'])}; this runner reads 1.`);
  const { cases } = content as { readonly cases?: unknown };
  if (!Array.isArray(cases)) throw new TableError('The table has no cases.');
  const seen = new Set<string>();
  return cases.map((each: unknown, at) => {
    const checked = checkCase(each, at);
    if (seen.has(checked.id)) throw new TableError(`Two cases have the id "${checked.id}".`);
    seen.add(checked.id);
    return checked;
  });
}

function checkCase(given: unknown, at: number): Case {
  if (!isObject(given)) throw new TableError(`Case ${at} is no object.`);
  const { id, kind, config = {}, input = null, expect } = given;
  if (typeof id !== 'string' || id === '') throw new TableError(`Case ${at} has no id.`);
  if (typeof kind !== 'string') throw new TableError(`Case "${id}" has no kind.`);
  if (!isObject(config)) throw new TableError(`Case "${id}" has a config that is no object.`);
  if (expect === undefined) throw new TableError(`Case "${id}" expects nothing.`);
  return { id, kind, config, input, expect };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
