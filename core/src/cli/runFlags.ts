import type { RunOptions } from '../api/runOptions.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { deadLetterFile } from '../node/deadLetterFile.ts';
import { CHECKPOINT_FLAGS, type CheckpointFlags } from './checkpointFlags.ts';
import { field, type Flag } from './flag.ts';

/** What can be said of a run on the command line. */
export interface RunFlags extends CheckpointFlags {
  readonly mode?: 'streaming' | 'batch' | 'automatic';
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  readonly seed?: number;
  readonly state?: 'memory' | 'disk';
  readonly stateDirectory?: string;
  readonly onError?: 'fail' | 'deadLetter' | 'skip';
  readonly deadLetter?: string;
  readonly config?: string;
  readonly metrics?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

const MODULE_FLAGS: readonly Flag[] = [
  {
    ...field('mode', 'enum', 'Results as they come (streaming), or final ones only (batch); automatic: batch if every source ends.'),
    choices: ['streaming', 'batch', 'automatic'],
    default: 'streaming',
  },
  { ...field('parallelism', 'integer', 'Subtasks of every operator that does not say.'), placeholder: 'N', default: 1 },
  {
    ...field(
      'maxParallelism',
      'integer',
      'Number of key groups: how far the job can ever be scaled, fixed for the life of its state. Default: 128, or more for high parallelism.',
    ),
    placeholder: 'N',
  },
  { ...field('config', 'string', "A JSON file with the job's config; flags go before what it says."), placeholder: 'FILE' },
  {
    ...field(
      'onError',
      'enum',
      'What happens to an element that a function of the job throws on. Default: fail, or deadLetter with --dead-letter.',
    ),
    choices: ['fail', 'deadLetter', 'skip'],
  },
  {
    ...field('deadLetter', 'string', 'Writes elements that cannot be processed, and rows that sources refuse, to this file of JSON lines.'),
    placeholder: 'FILE',
  },
  field('verbose', 'boolean', 'More of what goes on; errors with their causes and where in the code they come from.'),
];

/** The flags of `millrace run`. */
export const RUN_FLAGS: readonly Flag[] = [
  ...MODULE_FLAGS.slice(0, -1),
  ...CHECKPOINT_FLAGS,
  {
    ...field('state', 'enum', 'Where keyed state lives. disk: for state larger than memory; needs the package classic-level.'),
    choices: ['memory', 'disk'],
    default: 'memory',
  },
  {
    ...field(
      'stateDirectory',
      'string',
      "Where --state disk puts its temporary files: on a local disk. Default: the system's temporary directory.",
    ),
    placeholder: 'DIR',
  },
  { ...field('seed', 'integer', 'The seed of what the job draws at random.'), placeholder: 'N', default: 0 },
  {
    ...field(
      'metrics',
      'string',
      'Writes the metrics to this file at the end: JSON if its name ends in .json, else Prometheus text. - is standard output.',
    ),
    placeholder: 'FILE',
  },
  field('quiet', 'boolean', 'Nothing but errors on standard error.'),
  ...MODULE_FLAGS.slice(-1),
];

/** The flags of `millrace explain`. */
export const EXPLAIN_FLAGS: readonly Flag[] = [
  { ...field('format', 'enum', 'How the plan is written.'), choices: ['text', 'json', 'mermaid'], default: 'text' },
  ...MODULE_FLAGS,
];

/** The options of a run, but for those that the command itself gives: logger and signal. */
export function runOptionsOf(flags: RunFlags): RunOptions {
  const { mode, parallelism, maxParallelism, seed, onError, deadLetter } = flags;
  for (const [flag, value] of Object.entries({ '--parallelism': parallelism, '--max-parallelism': maxParallelism })) {
    if (value === undefined || value >= 1) continue;
    throw new MillraceError('cli/usage', `${flag} cannot be ${value}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  const policy = onError ?? (deadLetter === undefined ? undefined : 'deadLetter');
  return {
    ...(mode !== undefined && { mode }),
    ...(parallelism !== undefined && { parallelism }),
    ...(maxParallelism !== undefined && { maxParallelism }),
    ...(seed !== undefined && { seed }),
    ...stateOf(flags),
    ...(policy !== undefined && { onError: policy }),
    ...(deadLetter !== undefined && { deadLetters: deadLetterFile(deadLetter) }),
  };
}

function stateOf({ state, stateDirectory }: RunFlags): Pick<RunOptions, 'state'> {
  if (stateDirectory !== undefined && state !== 'disk') {
    throw new MillraceError('cli/usage', '--state-directory says nothing without --state disk.', { remedy: 'Give both, or neither.' });
  }
  if (state === undefined) return {};
  return {
    state: state === 'memory' ? { backend: state } : { backend: state, ...(stateDirectory !== undefined && { directory: stateDirectory }) },
  };
}
