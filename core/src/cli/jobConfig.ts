import { readFile } from 'node:fs/promises';
import type { JobModule } from '../api/job.ts';
import { describeError, describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { schemaFields } from '../schema/jsonSchema.ts';
import { type Flag, flagOf } from './flag.ts';
import { parseFlags } from './flagParser.ts';
import { flagList } from './help.ts';

/** What a job is to be told, or that only its flags were asked for. */
export type JobConfig = { readonly config: unknown } | { readonly help: string };

/**
 * Makes a job's configuration of a JSON file and flags, which go before it, and has the job check it.
 *
 * @throws MillraceError `cli/usage` for wrong flags, `config/invalid` for what the job refuses.
 */
export async function configure(
  job: JobModule<unknown>,
  path: string,
  args: readonly string[],
  file: string | undefined,
): Promise<JobConfig> {
  const flags = flagsOf(job);
  const { values, positionals, help } = parseFlags(args, flags ?? [], moreOn(job, flags));
  if (help) return { help: helpOn(job, path, flags) };
  if (positionals.length > 0) {
    throw new MillraceError('cli/usage', `"${positionals[0]}" belongs to no flag.`, {
      remedy: 'After -- there are only flags of the job.',
    });
  }
  const filed = file === undefined ? undefined : await readConfig(file);
  const config = { ...filed, ...values };
  checkRequired(job, flags ?? [], config);
  // A job without a schema that is told nothing is told nothing.
  const told = filed === undefined && Object.keys(values).length === 0 && job.definition.config === undefined ? undefined : config;
  return { config: job.parseConfig(told) };
}

function flagsOf({ definition }: JobModule<unknown>): readonly Flag[] | undefined {
  return definition.config === undefined ? [] : schemaFields(definition.config)?.map(flagOf);
}

function moreOn({ name, definition }: JobModule<unknown>, flags: readonly Flag[] | undefined): string {
  if (definition.config === undefined) return `The job "${name}" takes no flags: it has no config.`;
  if (flags === undefined)
    return `The schema of "${name}" does not list its fields (no JSON Schema): give them in a file, --config FILE before the --.`;
  return `-- --help lists the flags of "${name}".`;
}

function helpOn(job: JobModule<unknown>, path: string, flags: readonly Flag[] | undefined): string {
  const usage = `Usage: millrace run ${path} [options] -- [flags]`;
  if (flags === undefined || flags.length === 0) return `${usage}\n\n${moreOn(job, flags)}\n`;
  return `${usage}\n\nFlags of "${job.name}":\n${flagList(flags)}\n\nAll of them can also stand in a JSON file: --config FILE, before the --.\n`;
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refused(path, `cannot be read: ${describeError(cause)}`, cause);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(path, `is no JSON: ${describeError(cause)}`, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw refused(path, `holds ${describeValue(value)}, no object`);
}

function refused(path: string, problem: string, cause?: unknown): MillraceError {
  return new MillraceError('config/invalid', `The configuration file ${path} ${problem}.`, {
    remedy: 'Give a file with one JSON object, the fields of the config.',
    cause,
  });
}

function checkRequired({ name }: JobModule<unknown>, flags: readonly Flag[], config: Readonly<Record<string, unknown>>): void {
  const missing = flags.filter((flag) => flag.required && config[flag.name] === undefined).map(({ flag }) => `--${flag}`);
  if (missing.length === 0) return;
  throw new MillraceError('config/invalid', `The job "${name}" needs ${missing.join(', ')}.`, {
    remedy: 'Give it after the --; `-- --help` there tells more.',
  });
}
