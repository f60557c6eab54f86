import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';

const MAGIC = /[*?[\]{}]/;

/** Whether a path has anything that {@link globFiles} understands. */
export function isGlob(path: string): boolean {
  return MAGIC.test(path);
}

/**
 * The files and directories that a pattern names, in no particular order. `*` and `?` stay within a name, `**` stands for any
 * number of directories, `[a-z]` and `[!a-z]` for one character, `{a,b}` for alternatives. Names that begin with a dot are found only
 * by a pattern that begins with one.
 */
export async function globPaths(pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for (const one of alternatives(sep === '\\' ? pattern.replaceAll('\\', '/') : pattern)) {
    const absolute = one.startsWith('/');
    const segments = one.split('/').filter((segment) => segment !== '');
    await walk(absolute ? '/' : '', segments, found);
  }
  return [...found];
}

/** Adds to `found` what `segments` name under `base`. */
async function walk(base: string, segments: readonly string[], found: Set<string>): Promise<void> {
  const [segment, ...rest] = segments;
  if (segment === undefined) return;
  if (segment === '**') return walkAll(base, segments, found);
  // What is no pattern need not be searched for, save at the end, where it has to be there.
  if (!isGlob(segment) && rest.length > 0) return walk(under(base, segment), rest, found);
  const matches = isGlob(segment) ? nameMatcher(segment) : (name: string): boolean => name === segment;
  for (const { name, directory } of await entries(base)) {
    if (!matches(name)) continue;
    if (rest.length === 0) found.add(under(base, name));
    else if (directory) await walk(under(base, name), rest, found);
  }
}

/** `**`: the rest may begin here, or in any directory below. */
async function walkAll(base: string, segments: readonly string[], found: Set<string>): Promise<void> {
  await walk(base, segments.length === 1 ? ['*'] : segments.slice(1), found);
  for (const { name, directory, link } of await entries(base)) {
    // Links can lead round in a circle.
    if (directory && !link && !name.startsWith('.')) await walkAll(under(base, name), segments, found);
  }
}

function under(base: string, name: string): string {
  return base === '' ? name : join(base, name);
}

async function entries(path: string): Promise<{ name: string; directory: boolean; link: boolean }[]> {
  try {
    const all = await readdir(path === '' ? '.' : path, { withFileTypes: true });
    // A link may lead to a directory; reading it tells.
    return all.map((entry) => ({
      name: entry.name,
      directory: entry.isDirectory() || entry.isSymbolicLink(),
      link: entry.isSymbolicLink(),
    }));
  } catch {
    return []; // nothing there, or nothing to be seen there
  }
}

/** `a{b,c}` is `ab` and `ac`; braces nest. */
function alternatives(pattern: string): string[] {
  const open = pattern.indexOf('{');
  if (open === -1) return [pattern];
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let index = open; index < pattern.length; index++) {
    const character = pattern[index];
    if (character === '{') depth++;
    else if (character === '}') depth--;
    if ((character === ',' && depth === 1) || depth === 0) {
      parts.push(pattern.slice(start, index));
      start = index + 1;
    }
    if (depth === 0) return parts.flatMap((part) => alternatives(pattern.slice(0, open) + part + pattern.slice(index + 1)));
  }
  return [pattern]; // never closed: a brace like any other character
}

function nameMatcher(pattern: string): (name: string) => boolean {
  let source = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    const close = character === '[' ? classEnd(pattern, index) : -1;
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (close !== -1) {
      source += characterClass(pattern.slice(index + 1, close));
      index = close;
    } else source += escaped(character);
  }
  const expression = compile(source, pattern);
  return (name) => (pattern.startsWith('.') || !name.startsWith('.')) && expression.test(name);
}

function compile(source: string, pattern: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (cause) {
    throw new MillraceError('config/invalid', `The pattern ${pattern} has a range that runs backwards.`, {
      remedy: 'Write [a-z], not [z-a].',
      cause,
    });
  }
}

/** A bracket that comes first in a class is a character of it. */
function classEnd(pattern: string, open: number): number {
  const negated = pattern[open + 1] === '!' || pattern[open + 1] === '^';
  return pattern.indexOf(']', open + (negated ? 3 : 2));
}

function characterClass(content: string): string {
  const negated = content.startsWith('!') || content.startsWith('^');
  const characters = (negated ? content.slice(1) : content).replaceAll(/[\\[\]^]/g, '\\$&');
  return `[${negated ? '^' : ''}${characters}]`;
}

function escaped(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
