import { type Flag, placeholderOf } from './flag.ts';

/** Lines are at most this wide, also on a wide terminal: longer ones are hard to read. */
const WIDTH = 100;
/** Where descriptions begin, at most. */
const INDENT = 30;

/** A list of flags with what they mean, one per paragraph. */
export function flagList(flags: readonly Flag[]): string {
  return definitionList(flags.map((flag) => [usageOf(flag), meaningOf(flag)]));
}

/** Terms and what they mean, in two columns. */
export function definitionList(entries: readonly (readonly [string, string])[]): string {
  const indent = Math.min(INDENT, Math.max(...entries.map(([term]) => term.length)) + 4);
  return entries.flatMap(([term, meaning]) => entry(term, wrap(meaning, WIDTH - indent), indent)).join('\n');
}

function entry(term: string, lines: readonly string[], indent: number): string[] {
  const head = `  ${term}`;
  const margin = ' '.repeat(indent);
  const [first = '', ...rest] = lines;
  if (head.length + 2 > indent) return [head, ...lines.map((line) => margin + line)];
  return [`${head.padEnd(indent)}${first}`.trimEnd(), ...rest.map((line) => margin + line)];
}

function usageOf(flag: Flag): string {
  if (flag.type !== 'boolean') return `--${flag.flag} ${placeholderOf(flag)}`;
  return flag.default === true ? `--[no-]${flag.flag}` : `--${flag.flag}`;
}

function meaningOf({ description = '', default: fallback, array, required }: Flag): string {
  const notes: string[] = [];
  if (array) notes.push('can be repeated');
  if (required) notes.push('required');
  if (isTold(fallback)) notes.push(`default: ${defaultText(fallback)}`);
  return [description, notes.length === 0 ? '' : `(${notes.join('; ')})`].filter((part) => part !== '').join(' ');
}

/** Off, and none, are what anybody expects. */
function isTold(fallback: unknown): boolean {
  return fallback !== undefined && fallback !== false && !(Array.isArray(fallback) && fallback.length === 0);
}

function defaultText(value: unknown): string {
  if (value === true) return 'on';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
