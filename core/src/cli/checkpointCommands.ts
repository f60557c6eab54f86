import { listCheckpoints } from '../checkpoint/checkpointList.ts';
import { crc32 as plainCrc32 } from '../checkpoint/checksum.ts';
import { inspectCheckpoint } from '../checkpoint/inspection.ts';
import { readSavepoint, type Savepoint } from '../checkpoint/savepoint.ts';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { type CheckpointLocation, parseLocation } from '../node/checkpointLocation.ts';
import { platform } from '../node/platform.ts';
import { type Command, print } from './command.ts';
import { EXIT, type ExitCode, step } from './exitCode.ts';
import { field, type Flag } from './flag.ts';
import type { ParsedFlags } from './flagParser.ts';
import { inspectionText, listText, sizesOf } from './inspectionText.ts';
import { checkOperands } from './jobCommands.ts';
import { keyFilter } from './keyFilter.ts';
import { dumpState } from './stateDump.ts';
import { checkpointHelp } from './usage.ts';

const JSON_FLAG = field('json', 'boolean', 'All of it, as JSON.');
const VERBOSE = field('verbose', 'boolean', 'Errors with their causes.');
const INSPECT_FLAGS: readonly Flag[] = [field('keyGroups', 'boolean', 'Every key group, not only the fullest.'), JSON_FLAG, VERBOSE];
const DUMP_FLAGS: readonly Flag[] = [
  { ...field('uid', 'string', 'The operator.'), required: true },
  field('state', 'string', 'One of its states, as inspect names them. Default: all.'),
  { ...field('key', 'string', 'Only this key: a text, a number, or JSON such as \'["a", 1]\'.'), placeholder: 'KEY' },
  VERBOSE,
];
const crc32 = platform.crc32 ?? plainCrc32;

/** The commands that look into checkpoints. */
export const CHECKPOINT_COMMANDS: Readonly<Record<string, Command>> = {
  'checkpoint list': checkpointCommand('list', 'Lists the checkpoints of a location, newest first.', [JSON_FLAG, VERBOSE], list),
  'checkpoint inspect': checkpointCommand(
    'inspect',
    'Shows what a checkpoint holds: operators, states, keys and bytes per key group, the objects that it\nneeds and shares; and verifies every checksum. It ends with 1 when something is damaged.',
    INSPECT_FLAGS,
    inspect,
  ),
  'checkpoint dump': checkpointCommand('dump', 'Writes the state of an operator as JSON lines.', DUMP_FLAGS, dump),
};

function checkpointCommand(
  name: string,
  purpose: string,
  flags: readonly Flag[],
  act: (location: CheckpointLocation, values: ParsedFlags['values']) => Promise<ExitCode>,
): Command {
  return {
    flags,
    help: checkpointHelp(name, purpose, flags),
    async run({ positionals, values }, jobArgs) {
      const [path] = await step(EXIT.usage, () => checkOperands(positionals, ['PATH'], jobArgs));
      return act(await step(EXIT.usage, () => parseLocation(path!)), values);
    },
  };
}

async function list({ storage, manifest: only }: CheckpointLocation, { json }: ParsedFlags['values']): Promise<ExitCode> {
  const found = (await listCheckpoints(storage, crc32)).filter(({ name }) => only === undefined || name === only);
  if (json !== true) print(listText(storage.location, found));
  else {
    const described = found.map(({ name, manifest, problem, isSuperseded }) => {
      if (manifest === undefined) return { name, problem: describeError(problem) };
      const { job, kind, checkpoint, epoch, takenAt, version } = manifest;
      return { name, job, kind, checkpoint, epoch, takenAt, version, isSuperseded, ...sizesOf(manifest) };
    });
    print(`${JSON.stringify({ location: storage.location, checkpoints: described }, null, 2)}\n`);
  }
  return found.length === 0 ? EXIT.failed : EXIT.done;
}

async function inspect(location: CheckpointLocation, { json, keyGroups }: ParsedFlags['values']): Promise<ExitCode> {
  const { storage } = location;
  const savepoint = await openSavepoint(location);
  const inspection = await inspectCheckpoint(savepoint, storage, crc32);
  if (json === true) {
    const { job, kind, checkpoint, epoch, takenAt, version, maxParallelism, name } = savepoint;
    const facts = {
      location: storage.location,
      name,
      job,
      kind,
      checkpoint,
      epoch,
      takenAt,
      version,
      maxParallelism,
      ...sizesOf(savepoint.manifest),
    };
    print(`${JSON.stringify({ ...facts, ...inspection }, null, 2)}\n`);
  } else print(inspectionText(savepoint, storage.location, inspection, keyGroups === true));
  return [...inspection.objects, ...inspection.operators].some(({ problem }) => problem !== undefined) ? EXIT.failed : EXIT.done;
}

async function dump(location: CheckpointLocation, { uid, state, key }: ParsedFlags['values']): Promise<ExitCode> {
  if (typeof uid !== 'string') {
    throw new MillraceError('cli/usage', '--uid is missing.', {
      remedy: 'Name the operator: --uid UID; `millrace checkpoint inspect` lists them.',
    });
  }
  const isKey = typeof key === 'string' ? keyFilter(key) : undefined;
  await dumpState(await openSavepoint(location), { uid, state: typeof state === 'string' ? state : undefined, isKey }, warn);
  return EXIT.done;
}

async function openSavepoint({ storage, manifest }: CheckpointLocation): Promise<Savepoint> {
  const savepoint = await readSavepoint(storage, { crc32, ...(manifest !== undefined && { manifest }) });
  for (const problem of savepoint.passedOver) warn(`${problem} It is passed over.`);
  return savepoint;
}

function warn(message: string): void {
  process.stderr.write(`warning: ${message}\n`);
}
