import { readFileSync } from 'node:fs';
import { MillraceError } from '../errors/millraceError.ts';
import { CHECKPOINT_COMMANDS } from './checkpointCommands.ts';
import { type Command, type CommandHost, print } from './command.ts';
import { errorReport } from './errorReport.ts';
import { CommandFailure, EXIT, type ExitCode, exitCodeOf, step } from './exitCode.ts';
import { parseFlags } from './flagParser.ts';
import { JOB_COMMANDS } from './jobCommands.ts';
import { MODULE_COMMANDS, OTHER_FLAGS } from './moduleCommand.ts';
import { didYouMean, nearest } from './nearest.ts';
import { HELP } from './usage.ts';

const COMMANDS: Readonly<Record<string, Command>> = { ...MODULE_COMMANDS, ...JOB_COMMANDS, ...CHECKPOINT_COMMANDS };

/** The command `millrace`: does what the arguments say, then ends the process. */
export async function main(args: readonly string[], host: CommandHost): Promise<never> {
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    // Whoever read what is written has gone: nobody wants to hear of it.
    if (error.code === 'EPIPE' && error.syscall === 'write') process.exit(EXIT.pipeClosed);
    process.stderr.write(errorReport(error, isVerbose(args)));
    process.exit(EXIT.failed);
  });
  const exitCode = await execute(args, host);
  // The process ends here whatever the job's module has left open; what was written has to leave it first.
  await new Promise((resolve) => process.stdout.write('', resolve));
  return process.exit(exitCode);
}

/** Does what the arguments say, and says what goes wrong. */
export async function execute(args: readonly string[], host: CommandHost): Promise<ExitCode> {
  try {
    return await choose(args, host);
  } catch (error) {
    const { cause, exitCode } = error instanceof CommandFailure ? error : new CommandFailure(exitCodeOf(error), error);
    process.stderr.write(errorReport(cause, isVerbose(args)));
    return exitCode;
  }
}

async function choose(args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(HELP);
    return EXIT.usage;
  }
  if (name === 'help' && rest.length > 0) return choose([...rest, '--help'], host);
  if (name === '--help' || name === '-h' || name === 'help') return show(HELP);
  if (name === '--version' || name === '-v') return show(`${version()}\n`);
  return runNamed(name, rest, host);
}

/** A command of one word, or of two. */
async function runNamed(name: string, rest: readonly string[], host: CommandHost): Promise<ExitCode> {
  const [second, ...others] = rest;
  const pair = `${name} ${second ?? ''}`;
  if (Object.hasOwn(COMMANDS, pair)) return run(COMMANDS[pair]!, others, host);
  if (Object.hasOwn(COMMANDS, name)) return run(COMMANDS[name]!, rest, host);
  const isGroup = Object.keys(COMMANDS).some((command) => command.startsWith(`${name} `));
  if (isGroup && (second === '--help' || second === '-h')) return show(HELP);
  throw new CommandFailure(EXIT.usage, unknownCommand(isGroup ? pair.trimEnd() : name));
}

async function run(command: Command, args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const split = indexOfJobFlags(args);
  const parsed = await step(EXIT.usage, () => parseFlags(args.slice(0, split), command.flags, OTHER_FLAGS));
  return parsed.help ? show(command.help) : command.run(parsed, split < args.length ? args.slice(split + 1) : undefined, host);
}

/** Asked before the arguments are read, since they can be what is wrong. */
function isVerbose(args: readonly string[]): boolean {
  return args.slice(0, indexOfJobFlags(args)).includes('--verbose');
}

/** Where the command's own arguments end. */
function indexOfJobFlags(args: readonly string[]): number {
  const at = args.indexOf('--');
  return at < 0 ? args.length : at;
}

function unknownCommand(name: string): MillraceError {
  const commands = Object.keys(COMMANDS);
  const inGroup = commands.filter((command) => command.startsWith(`${name} `));
  const near = nearest(name, [...commands, ...new Set(commands.map((command) => command.split(' ')[0]!))]);
  const guess = didYouMean((near.length === 0 ? inGroup : near).map((command) => `millrace ${command}`));
  const other = name.startsWith('-') || name.includes(' ') ? 'millrace --help shows what there is.' : `To run a job: millrace run ${name}`;
  return new MillraceError('cli/usage', `There is no command "${name}".`, { remedy: guess === '' ? other : guess });
}

function show(text: string): ExitCode {
  print(text);
  return EXIT.done;
}

function version(): string {
  const { version: current } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return current;
}
