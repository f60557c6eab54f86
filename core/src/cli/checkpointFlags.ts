import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CheckpointOptions, RestoreOptions } from '../api/checkpointOptions.ts';
import type { RunOptions } from '../api/runOptions.ts';
import { listCheckpoints, onlyCheckpoint, readManifest } from '../checkpoint/checkpointList.ts';
import { crc32 } from '../checkpoint/checksum.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { type CheckpointLocation, parseLocation } from '../node/checkpointLocation.ts';
import { exponentialDelay, fixedDelay, noRestart, type RestartStrategy } from '../runtime/restart.ts';
import { type Duration, parseDuration, toPositiveMilliseconds } from '../time/duration.ts';
import { type Flag, field } from './flag.ts';
import { nearest } from './nearest.ts';

/** What can be said of checkpoints on the command line of a run. */
export interface CheckpointFlags {
  readonly checkpoint?: string;
  readonly every?: string;
  readonly retain?: number;
  readonly checkpointMode?: 'exactly-once' | 'at-least-once';
  readonly checkpointTimeout?: string;
  readonly lease?: string;
  readonly standby?: boolean;
  readonly restore?: string;
  readonly allowNonRestoredState?: boolean;
  readonly restart?: string;
}

/** A run's checkpoints. */
export interface CheckpointedRun {
  readonly options: Pick<RunOptions, 'checkpoint' | 'restore' | 'restart'>;
  readonly location: CheckpointLocation | undefined;
}

export const CHECKPOINT_FLAGS: readonly Flag[] = [
  {
    ...field('checkpoint', 'string', "Keeps the job's state here, so that it survives failures: a directory, or s3://BUCKET/PREFIX."),
    placeholder: 'DIR',
  },
  { ...field('every', 'string', 'How often, from one checkpoint to the next, such as 500ms or 1m.'), placeholder: 'TIME', default: '10s' },
  { ...field('retain', 'integer', 'How many checkpoints are kept.'), placeholder: 'N', default: 3 },
  {
    ...field('checkpointMode', 'enum', 'at-least-once: nothing waits for a checkpoint; after a failure some elements count twice.'),
    choices: ['exactly-once', 'at-least-once'],
    default: 'exactly-once',
  },
  { ...field('checkpointTimeout', 'string', 'A checkpoint that takes longer is given up.'), placeholder: 'TIME', default: '10m' },
  {
    ...field('lease', 'string', 'How long this process may be silent before a standby on another machine takes over.'),
    placeholder: 'TIME',
    default: '10s',
  },
  field('standby', 'boolean', 'Waits until no other process holds the checkpoint location, and takes over then.'),
  {
    ...field('restore', 'string', 'Where the job goes on from: latest (of --checkpoint), or a savepoint, or one checkpoint (a manifest).'),
    placeholder: 'latest|PATH',
  },
  field('allowNonRestoredState', 'boolean', 'Leaves out state of operators that the job does not have any more, instead of refusing it.'),
  {
    ...field(
      'restart',
      'string',
      'What happens when the job fails: none, fixed:WAIT:ATTEMPTS, exponential. Default: exponential with --checkpoint, else none.',
    ),
    placeholder: 'HOW',
  },
];

/** Flags that say something of checkpoints, and so nothing without them. */
const DEPENDENT = [
  'every',
  'retain',
  'checkpointMode',
  'checkpointTimeout',
  'lease',
  'standby',
  'restore',
  'allowNonRestoredState',
] as const;

/**
 * The options of a run that its checkpoint flags stand for. `warn` is told of checkpoints that it will not go on from.
 *
 * @throws MillraceError `cli/usage`; `checkpoint/…` where a place cannot be used.
 */
export async function checkpointedRun(flags: CheckpointFlags, warn: (message: string) => void): Promise<CheckpointedRun> {
  const restart = flags.restart === undefined ? undefined : restartOf(flags.restart);
  const restarting = restart === undefined ? {} : { restart };
  if (flags.checkpoint === undefined) {
    const given = DEPENDENT.find((name) => flags[name] !== undefined);
    if (given === undefined) return { options: restarting, location: undefined };
    throw wrong(`--${kebab(given)} says nothing without --checkpoint.`, 'Say where checkpoints are: --checkpoint DIR.');
  }
  const location = await checkpointLocation(flags.checkpoint);
  const checkpoint = checkpointOptions(flags, location);
  const restore =
    flags.restore === undefined ? undefined : await restoreOptions(flags.restore, flags.allowNonRestoredState === true, location);
  if (restore === undefined) await warnOfOthers(location, warn);
  return { options: { checkpoint, ...(restore !== undefined && { restore }), ...restarting }, location };
}

async function checkpointLocation(text: string): Promise<CheckpointLocation> {
  const location = await parseLocation(text);
  if (location.manifest !== undefined)
    throw wrong(`${text} is one checkpoint.`, 'Name the directory that it is in: that is where further ones go.');
  if (location.path !== undefined && (await isFile(dirname(location.path))))
    throw wrong(`${dirname(location.path)} is a file.`, 'Name a directory.');
  return location;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function checkpointOptions(flags: CheckpointFlags, { storage }: CheckpointLocation): CheckpointOptions {
  const { every = '10s', retain, checkpointMode, checkpointTimeout, lease, standby } = flags;
  if (retain !== undefined && retain < 1) throw wrong(`--retain cannot be ${retain}.`, 'Give a whole number of at least 1.');
  return {
    storage,
    every: durationOf('every', every),
    ...(retain !== undefined && { retain }),
    ...(checkpointMode === 'at-least-once' && { mode: 'atLeastOnce' }),
    ...(checkpointTimeout !== undefined && { timeout: durationOf('checkpoint-timeout', checkpointTimeout) }),
    ...(lease !== undefined && { lease: durationOf('lease', lease) }),
    ...(standby !== undefined && { standby }),
  };
}

async function restoreOptions(text: string, allowNonRestoredState: boolean, own: CheckpointLocation): Promise<RestoreOptions> {
  if (text === 'latest') return { latest: true, allowNonRestoredState };
  const { storage, manifest, path } = await parseLocation(text);
  if (nearest(text, ['latest']).length > 0 && path !== undefined && !(await exists(path))) {
    throw wrong(`There is no ${text}.`, 'Did you mean --restore latest?');
  }
  if (manifest === undefined)
    return storage.location === own.storage.location
      ? { latest: true, allowNonRestoredState }
      : { savepoint: storage, allowNonRestoredState };
  // Whether it can be read shows now, with its own error.
  await readManifest(storage, manifest, crc32);
  return { savepoint: onlyCheckpoint(storage, manifest), allowNonRestoredState };
}

async function warnOfOthers({ storage }: CheckpointLocation, warn: (message: string) => void): Promise<void> {
  const newest = (await listCheckpoints(storage)).find(({ manifest, isSuperseded }) => manifest !== undefined && !isSuperseded)?.manifest;
  if (newest === undefined) return;
  warn(
    `The job starts without the state in ${storage.location}: checkpoint ${newest.checkpoint} of "${newest.job}". --restore latest goes on from it.`,
  );
}

function restartOf(text: string): RestartStrategy {
  const [name, ...parts] = text.split(':');
  if (name === 'none' && parts.length === 0) return noRestart();
  if (name === 'exponential' && parts.length === 0) return exponentialDelay();
  const [wait = '10s', attempts, another] = parts;
  if (name !== 'fixed' || another !== undefined || (attempts !== undefined && !/^\d+$/.test(attempts))) {
    throw wrong(`--restart cannot be ${JSON.stringify(text)}.`, 'Give none, exponential, fixed:10s, or fixed:10s:3 for three attempts.');
  }
  return fixedDelay({ delay: durationOf('restart', wait), ...(attempts !== undefined && { attempts: Number(attempts) }) });
}

function durationOf(flag: string, text: string): Duration {
  try {
    const duration = parseDuration(text);
    toPositiveMilliseconds(duration);
    return duration;
  } catch {
    throw wrong(`--${flag} cannot be ${JSON.stringify(text)}.`, 'Write a length of time such as 500ms, 10s, 5m or 1h.');
  }
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function wrong(problem: string, remedy: string): MillraceError {
  return new MillraceError('cli/usage', problem, { remedy });
}
