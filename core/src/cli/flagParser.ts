import { parseArgs } from 'node:util';
import { MillraceError } from '../errors/millraceError.ts';
import { type Flag, placeholderOf, valueOf } from './flag.ts';
import { didYouMean, nearest } from './nearest.ts';

/** What was given on a command line. */
export interface ParsedFlags {
  /** By field name; fields that were not given are not in it. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];
  readonly help: boolean;
}

type Token = {
  readonly kind: 'option';
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};

/**
 * Reads arguments by a list of flags. A flag that is given twice counts the last time, unless it is a list.
 *
 * @param more - where the user finds the flags there are.
 * @throws MillraceError `cli/usage`
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[], more: string): ParsedFlags {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        flags.map(({ flag, type }) => [flag, { type: type === 'boolean' ? ('boolean' as const) : ('string' as const) }]),
      ),
    },
  });
  const values: Record<string, unknown> = {};
  const positionals: string[] = [];
  let help = false;
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' && !flags.some(({ flag }) => flag === 'help')) help = true;
    else set(values, ...read(token, flags, more));
  }
  return { values, positionals, help };
}

function set(values: Record<string, unknown>, { name, array }: Flag, value: unknown): void {
  values[name] = array ? [...((values[name] as readonly unknown[] | undefined) ?? []), value] : value;
}

function read(token: Token, flags: readonly Flag[], more: string): [Flag, unknown] {
  const flag = flags.find((candidate) => candidate.flag === token.name);
  if (flag === undefined) return [negated(token, flags) ?? unknown(token, flags, more), false];
  const { value } = token;
  if (flag.type === 'boolean') return [flag, value === undefined ? true : valueOf(flag, value)];
  if (value === undefined || (token.inlineValue !== true && value.startsWith('--'))) {
    throw new MillraceError('cli/usage', `--${flag.flag} needs a value.`, { remedy: `Write --${flag.flag} ${placeholderOf(flag)}.` });
  }
  return [flag, valueOf(flag, value)];
}

function negated({ name, value }: Token, flags: readonly Flag[]): Flag | undefined {
  if (!name.startsWith('no-') || value !== undefined) return undefined;
  return flags.find(({ flag, type }) => type === 'boolean' && flag === name.slice(3));
}

function unknown({ name, rawName }: Token, flags: readonly Flag[], more: string): never {
  const guess = didYouMean(
    nearest(
      name,
      flags.map(({ flag }) => flag),
    ).map((flag) => `--${flag}`),
  );
  throw new MillraceError('cli/usage', `There is no flag ${rawName}.`, { remedy: guess === '' ? more : guess });
}
