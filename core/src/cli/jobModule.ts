import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JobModule } from '../api/job.ts';
import { describeError, describeValue } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import { didYouMean, nearest } from './nearest.ts';

/** A job and where it was found. */
export interface LoadedJob {
  readonly job: JobModule<unknown>;
  /** Relative to the working directory. */
  readonly path: string;
}

const EXTENSIONS = ['.ts', '.js', '.mts', '.mjs'];

/**
 * Finds and imports a job module: a file, with or without its extension, or a folder that holds `job.ts` or `job.js`.
 *
 * @param prepare - called with the path before the import.
 * @throws MillraceError `job/not-found`, `job/import-failed`, `job/no-default-export`
 */
export async function loadJob(module: string, prepare: (path: string) => Promise<void>): Promise<LoadedJob> {
  const path = await findModule(module);
  await prepare(path);
  const exported = await importModule(path);
  return { job: jobOf(exported, path), path };
}

async function findModule(module: string): Promise<string> {
  const tried = await candidates(module);
  for (const candidate of tried) if (await isFile(candidate)) return candidate;
  const names = tried.map((candidate) => (candidate === module ? candidate : basename(candidate)));
  throw new MillraceError('job/not-found', `There is no job at "${module}": no ${names.join(', ')}.`, {
    remedy: didYouMean(await namesLike(module)) || 'Name a job module, or a folder with a job.ts in it.',
  });
}

async function candidates(module: string): Promise<readonly string[]> {
  const found = await stat(module).catch(() => undefined);
  if (found?.isDirectory() === true) return EXTENSIONS.map((extension) => join(module, `job${extension}`));
  return [module, ...(EXTENSIONS.includes(extname(module)) ? [] : EXTENSIONS.map((extension) => module + extension))];
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** Paths like the one given: other names for its first part that is not there. */
async function namesLike(module: string): Promise<readonly string[]> {
  let missing = resolve(module);
  while (dirname(missing) !== missing && (await stat(dirname(missing)).catch(() => undefined)) === undefined) missing = dirname(missing);
  const folder = dirname(missing);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory() || EXTENSIONS.includes(extname(entry.name))).map(({ name }) => name);
  return nearest(
    basename(missing),
    names.filter((name) => name !== 'node_modules'),
  ).map((name) => relative(process.cwd(), join(folder, name)));
}

async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    // By its real path, so that a job is not loaded a second time where something else imports it by that.
    return (await import(pathToFileURL(await realpath(path)).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (isMillraceError(error)) throw error;
    throw new MillraceError('job/import-failed', `${path} cannot be imported: ${firstLines(describeError(error))}`, {
      remedy: '--verbose shows where it comes from.',
      cause: error,
    });
  }
}

/** Some loaders put a whole list of what they looked at into their message. */
function firstLines(text: string): string {
  const lines = text.trim().split('\n').slice(0, 4).join('\n');
  return /[.!?:]$/.test(lines) ? lines : `${lines}.`;
}

function jobOf(exported: Readonly<Record<string, unknown>>, path: string): JobModule<unknown> {
  const { default: value, ...others } = exported;
  if (isJob(value)) return value;
  const elsewhere = Object.keys(others).find((name) => isJob(others[name]));
  const found = 'default' in exported ? `Its default export is ${describeValue(value)}, no job` : 'It has no default export';
  throw new MillraceError('job/no-default-export', `${path} is no job module. ${found}.`, {
    remedy:
      elsewhere === undefined
        ? "End it with: export default defineJob({ name: '…', build(env) { … } });"
        : `The job is exported as "${elsewhere}": write \`export default\` instead.`,
  });
}

function isJob(value: unknown): value is JobModule<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const job = value as Readonly<Record<string, unknown>>;
  return ['build', 'start', 'parseConfig'].every((method) => typeof job[method] === 'function') && typeof job['name'] === 'string';
}
