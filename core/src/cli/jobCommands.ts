import { resolve } from 'node:path';
import { MillraceError } from '../errors/millraceError.ts';
import { type CheckpointLocation, parseLocation } from '../node/checkpointLocation.ts';
import { askJob } from '../node/controlClient.ts';
import type { ControlResults } from '../node/controlProtocol.ts';
import { platform } from '../node/platform.ts';
import { type Command, print } from './command.ts';
import { EXIT, type ExitCode, step } from './exitCode.ts';
import { field, type Flag } from './flag.ts';
import type { ParsedFlags } from './flagParser.ts';
import { bytesText, elapsedText } from './progressText.ts';
import { statusText } from './statusText.ts';
import { jobHelp } from './usage.ts';

const VERBOSE = field('verbose', 'boolean', 'Errors with their causes.');
const STOP_FLAGS: readonly Flag[] = [
  { ...field('savepoint', 'string', 'Writes a savepoint here, to go on from with another version of the job.'), placeholder: 'PATH' },
  field('drain', 'boolean', 'Lets time go to its end, so that open windows fire: for a job that will not go on.'),
  VERBOSE,
];
const STATUS_FLAGS: readonly Flag[] = [field('json', 'boolean', 'All of it, as JSON.'), VERBOSE];

/** The commands that talk to a running job. */
export const JOB_COMMANDS: Readonly<Record<string, Command>> = {
  status: jobCommand('status JOB', 'Shows how a running job is.', STATUS_FLAGS, async (location, _others, { json }) => {
    const report = await askJob(location, { command: 'status' });
    print(json === true ? `${JSON.stringify(report, null, 2)}\n` : statusText(report, platform.clock.now()));
  }),
  savepoint: jobCommand(
    'savepoint JOB PATH',
    'Writes a savepoint of a running job, which goes on.',
    [VERBOSE],
    async (location, [target]) => {
      print(savepointText(await askJob(location, { command: 'savepoint', target: absolute(target!) })));
    },
  ),
  stop: jobCommand(
    'stop JOB',
    'Stops a running job in order: what is under way is finished, and a last checkpoint taken. Without\n--drain no window fires that was still open: the job can go on later.',
    STOP_FLAGS,
    async (location, _others, { savepoint, drain }) => {
      const target = typeof savepoint === 'string' ? absolute(savepoint) : undefined;
      const written = await askJob(location, { command: 'stop', drain: drain === true, target });
      if (written !== null) print(savepointText(written));
      process.stderr.write('The job has stopped.\n');
    },
  ),
  cancel: jobCommand('cancel JOB', 'Ends a running job at once. Its latest checkpoint stands.', [VERBOSE], async (location) => {
    await askJob(location, { command: 'cancel' });
    process.stderr.write('The job was canceled.\n');
  }),
};

function jobCommand(
  usage: string,
  purpose: string,
  flags: readonly Flag[],
  act: (location: CheckpointLocation, others: readonly string[], values: ParsedFlags['values']) => Promise<void>,
): Command {
  const names = usage.split(' ').slice(1);
  return {
    flags,
    help: jobHelp(usage, purpose, flags),
    async run({ positionals, values }, jobArgs): Promise<ExitCode> {
      const [job, ...others] = await step(EXIT.usage, () => checkOperands(positionals, names, jobArgs));
      const location = await step(EXIT.usage, () => parseLocation(job!));
      await act(location, others, values);
      return EXIT.done;
    },
  };
}

/** Says what is missing, or too much. */
export function checkOperands(
  given: readonly string[],
  names: readonly string[],
  jobArgs: readonly string[] | undefined,
): readonly string[] {
  const missing = names[given.length];
  if (missing !== undefined)
    throw new MillraceError('cli/usage', `${missing} is missing.`, { remedy: `Write ${names.join(' ')}; --help tells what they are.` });
  const more = given[names.length] ?? (jobArgs === undefined ? undefined : '--');
  if (more === undefined) return given;
  throw new MillraceError('cli/usage', `"${more}" is too much.`, { remedy: `Write ${names.join(' ')} and no more.` });
}

/** The job has another working directory. */
function absolute(target: string): string {
  return target.includes('://') ? target : resolve(target);
}

function savepointText({ checkpoint, location, took, size }: ControlResults['savepoint']): string {
  return `Savepoint ${checkpoint} is in ${location} (${bytesText(size)}, ${elapsedText(took)}).\n`;
}
