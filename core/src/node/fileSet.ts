import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { globPaths, isGlob } from './glob.ts';

/**
 * Which files to read: a file, a directory (all regular files in it but hidden ones, not those in its subdirectories), or a glob
 * such as `logs/2026-*.csv.gz`; or several of these. They are read in the order given, those of a directory or a glob sorted by name.
 */
export type FilePaths = string | URL | readonly (string | URL)[];

/** The files as paths, each once, in order. What names nothing, or nothing yet, is listed in `missing`. */
export async function listFiles(
  paths: readonly string[],
): Promise<{ readonly files: readonly string[]; readonly missing: readonly string[] }> {
  const files = new Set<string>();
  const missing: string[] = [];
  for (const path of paths) {
    const found = await expand(path);
    if (found.length === 0) missing.push(path);
    for (const file of found) files.add(file);
  }
  return { files: [...files], missing };
}

/** The paths as text. */
export function pathList(paths: FilePaths): readonly string[] {
  const list = typeof paths === 'string' || paths instanceof URL ? [paths] : paths;
  if (list.length === 0) throw new MillraceError('config/invalid', 'No file is named.', { remedy: 'Give at least one path.' });
  return list.map((path) => (path instanceof URL ? fileURLToPath(path) : path));
}

/** Whether a path names one file only, be it there or not: then there is nothing to discover. */
export async function isSingleFile(path: string): Promise<boolean> {
  const found = await status(path);
  return found === undefined ? !isGlob(path) : !found.isDirectory();
}

/** What to tell about paths that name nothing. */
export async function notFound(paths: readonly string[]): Promise<MillraceError> {
  const [path] = paths as [string];
  const found = await status(path);
  const parent = dirname(path);
  const problem = found?.isDirectory()
    ? `The directory ${path} holds no file`
    : isGlob(path)
      ? `No file matches ${path}`
      : `There is no file ${path}`;
  const where = isGlob(path) || found !== undefined ? '' : (await status(parent)) === undefined ? ` (and no directory ${parent})` : '';
  const others = paths.length > 1 ? `, nor ${paths.length - 1} more` : '';
  return new MillraceError('source/not-found', `${problem}${where}${others}.`, {
    remedy: `Correct the path; relative ones start from ${process.cwd()}. To wait for files that come later: { follow: true }.`,
  });
}

async function expand(path: string): Promise<readonly string[]> {
  const found = await status(path);
  if (found?.isDirectory()) {
    const names = (await readdir(path)).filter((name) => !name.startsWith('.')).toSorted();
    return onlyFiles(names.map((name) => join(path, name)));
  }
  if (found !== undefined) return [normalize(path)];
  return isGlob(path) ? onlyFiles((await globPaths(path)).toSorted()) : [];
}

async function onlyFiles(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(status));
  return paths.filter((_path, index) => found[index]?.isFile());
}

/** Undefined if nothing is there. */
async function status(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw new MillraceError('source/failed', `${path} cannot be looked at: ${describeError(error)}.`, {
      remedy: 'See to its permissions.',
      cause: error,
    });
  }
}

/** Whether an error of the file system says that nothing is there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
