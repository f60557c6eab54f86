import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { lookUp } from './openFile.ts';

/** What log rotation appends to a name: a count, or a date with what may follow it. */
const COUNT = /^\.\d{1,4}$/;
const DATE = /^[.-]\d{4}-?\d{2}-?\d{2}[-_.T\d]*$/;

/** Whether `path` is called like a rotated `current`. */
export function isRotated(path: string, current: string): boolean {
  const suffix = path.startsWith(current) ? path.slice(current.length) : '';
  return COUNT.test(suffix) || DATE.test(suffix);
}

/** A file that was once called something else. */
export interface RotatedFile {
  readonly path: string;
  readonly id: string;
  /** When it was written to last, in nanoseconds. */
  readonly changedAt: bigint;
}

/** The files beside `path` that were once called so, oldest first. */
export async function rotatedFiles(path: string): Promise<readonly RotatedFile[]> {
  // They are renamed one after the other: a list made meanwhile may lack some.
  for (let last = await listRotated(path); ;) {
    const list = await listRotated(path);
    if (list.length === last.length && list.every((file, index) => file.id === last[index]!.id && file.path === last[index]!.path))
      return list;
    last = list;
  }
}

async function listRotated(path: string): Promise<readonly RotatedFile[]> {
  const directory = dirname(path);
  const name = basename(path);
  const files: RotatedFile[] = [];
  for (const entry of await readdir(directory)) {
    if (!isRotated(entry, name)) continue;
    const found = await lookUp(join(directory, entry));
    if (found !== undefined) files.push({ path: join(directory, entry), id: found.id, changedAt: found.changedAt });
  }
  const order = orderOf(files.map((file) => basename(file.path).slice(name.length)));
  return files.toSorted((a, b) => order(a, b, name.length));
}

/** Counts grow with age and dates shrink; where both are mixed, the times of the last writes decide, which are coarser. */
function orderOf(suffixes: readonly string[]): (a: RotatedFile, b: RotatedFile, length: number) => number {
  const suffixOf = (file: RotatedFile, length: number): string => basename(file.path).slice(length);
  if (suffixes.every((suffix) => COUNT.test(suffix)))
    return (a, b, length) => Number(suffixOf(b, length).slice(1)) - Number(suffixOf(a, length).slice(1));
  if (!suffixes.some((suffix) => COUNT.test(suffix))) return (a, b, length) => (suffixOf(a, length) < suffixOf(b, length) ? -1 : 1);
  return (a, b) => (a.changedAt < b.changedAt ? -1 : a.changedAt > b.changedAt ? 1 : 0);
}
