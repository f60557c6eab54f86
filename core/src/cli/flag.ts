import { MillraceError } from '../errors/millraceError.ts';
import type { SchemaField } from '../schema/jsonSchema.ts';

/** A flag of a command or of a job: a field by the name that it has on the command line. */
export interface Flag extends SchemaField {
  /** In kebab case, without the dashes. */
  readonly flag: string;
  /** What stands for its value in help: `FILE`. Default: its type. */
  readonly placeholder?: string;
}

/** `maxParallelism` is `--max-parallelism`. */
export function flagOf(field: SchemaField): Flag {
  const flag = field.name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replaceAll(/[\s_]+/g, '-')
    .toLowerCase();
  return { ...field, flag };
}

/** A flag that can be left out. */
export function field(name: string, type: Flag['type'], description: string): Flag {
  return flagOf({ name, type, array: false, required: false, description });
}

/** What stands for a flag's value where its use is shown. */
export function placeholderOf({ type, choices, placeholder }: Flag): string {
  if (placeholder !== undefined) return placeholder;
  if (type === 'enum') return choices!.join('|');
  return type === 'string' ? 'TEXT' : type.toUpperCase();
}

/**
 * Reads a flag's value.
 *
 * @throws MillraceError `cli/usage` if it is none of the flag's type.
 */
export function valueOf(flag: Flag, text: string): unknown {
  switch (flag.type) {
    case 'string':
      return text;
    case 'boolean':
      return booleanOf(flag, text);
    case 'number':
    case 'integer':
      return numberOf(flag, text);
    case 'enum':
      return choiceOf(flag, text);
    case 'json':
      return jsonOf(flag, text);
  }
}

function booleanOf(flag: Flag, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong(flag, text, `Write --${flag.flag} or --no-${flag.flag}.`);
}

function numberOf(flag: Flag, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value) && (flag.type === 'number' || Number.isInteger(value))) return value;
  throw wrong(flag, text, flag.type === 'integer' ? 'Give a whole number.' : 'Give a number.');
}

function choiceOf(flag: Flag, text: string): unknown {
  const choice = flag.choices!.find((candidate) => String(candidate) === text);
  if (choice !== undefined) return choice;
  throw wrong(flag, text, `Give one of: ${flag.choices!.join(', ')}.`);
}

function jsonOf(flag: Flag, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw wrong(flag, text, `Give JSON, such as --${flag.flag} '{"a": 1}'.`);
  }
}

/** What stands on a command line is in the shell's history already: here the value may be shown. */
function wrong(flag: Flag, text: string, remedy: string): MillraceError {
  return new MillraceError('cli/usage', `--${flag.flag} cannot be ${JSON.stringify(text)}.`, { remedy });
}
