import { readFileSync } from 'node:fs';
import { MillraceError } from '../errors/millraceError.ts';
import { explainMermaid, explainText } from '../graph/explain.ts';
import { errorReport } from './errorReport.ts';
import { CommandFailure, EXIT, type ExitCode, exitCodeOf, step } from './exitCode.ts';
import type { Flag } from './flag.ts';
import { type ParsedFlags, parseFlags } from './flagParser.ts';
import { configure } from './jobConfig.ts';
import { loadJob, type LoadedJob } from './jobModule.ts';
import { didYouMean, nearest } from './nearest.ts';
import { runCommand } from './runCommand.ts';
import { EXPLAIN_FLAGS, RUN_FLAGS, type RunFlags, runOptionsOf } from './runFlags.ts';
import { prepareTypeScript } from './typeScript.ts';
import { EXPLAIN_HELP, HELP, RUN_HELP } from './usage.ts';

/** What the process is like that the command runs in. */
export interface CommandHost {
  /** Makes TypeScript importable; rejects where the package for it is not installed. */
  readonly loadTypeScript: () => Promise<unknown>;
}

interface Command {
  readonly flags: readonly Flag[];
  readonly help: string;
  readonly execute: (loaded: LoadedJob, config: unknown, flags: RunFlags) => Promise<ExitCode>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: { flags: RUN_FLAGS, help: RUN_HELP, execute: runCommand },
  explain: { flags: EXPLAIN_FLAGS, help: EXPLAIN_HELP, execute: explainCommand },
};

/** The command `millrace`: does what the arguments say, then ends the process. */
export async function main(args: readonly string[], host: CommandHost): Promise<never> {
  process.on('uncaughtException', (error) => {
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
  if (name === '--help' || name === '-h' || name === 'help') return print(HELP);
  if (name === '--version' || name === '-v') return print(`${version()}\n`);
  const command = COMMANDS[name];
  if (command === undefined) throw new CommandFailure(EXIT.usage, unknownCommand(name));
  return executeOn(command, rest, host);
}

async function executeOn({ flags, help, execute: act }: Command, args: readonly string[], host: CommandHost): Promise<ExitCode> {
  const split = indexOfJobFlags(args);
  const parsed = await step(EXIT.usage, () => parseFlags(args.slice(0, split), flags, OTHER_FLAGS));
  if (parsed.help) return print(help);
  const module = await step(EXIT.usage, () => moduleOf(parsed));
  const given = parsed.values as RunFlags;
  const loaded = await step(EXIT.module, () => loadJob(module, (path) => prepareTypeScript(path, host.loadTypeScript)));
  const configured = await step(EXIT.usage, () => configure(loaded.job, loaded.path, args.slice(split + 1), given.config));
  return 'help' in configured ? print(configured.help) : act(loaded, configured.config, given);
}

async function explainCommand({ job }: LoadedJob, config: unknown, flags: RunFlags & { readonly format?: string }): Promise<ExitCode> {
  const plan = job.build(config, runOptionsOf(flags)).plan();
  if (flags.format === 'json') return print(`${JSON.stringify(plan, null, 2)}\n`);
  return print(`${flags.format === 'mermaid' ? explainMermaid(plan) : explainText(plan)}\n`);
}

const OTHER_FLAGS = '--help lists them; flags of the job come after --, as in `millrace run job.ts -- --input FILE`.';

/** Asked before the arguments are read, since they can be what is wrong. */
function isVerbose(args: readonly string[]): boolean {
  return args.slice(0, indexOfJobFlags(args)).includes('--verbose');
}

/** Where the command's own arguments end. */
function indexOfJobFlags(args: readonly string[]): number {
  const at = args.indexOf('--');
  return at < 0 ? args.length : at;
}

function moduleOf({ positionals: [module, another] }: ParsedFlags): string {
  if (module === undefined) throw new MillraceError('cli/usage', 'Which job?', { remedy: 'Name its module, or the folder that it is in.' });
  if (another === undefined) return module;
  throw new MillraceError('cli/usage', `One job at a time; "${another}" is too much.`, { remedy: OTHER_FLAGS });
}

function unknownCommand(name: string): MillraceError {
  const guess = didYouMean(nearest(name, Object.keys(COMMANDS)).map((command) => `millrace ${command}`));
  const other = name.startsWith('-') ? 'millrace --help shows what there is.' : `To run a job: millrace run ${name}`;
  return new MillraceError('cli/usage', `There is no command "${name}".`, { remedy: guess === '' ? other : guess });
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.done;
}

function version(): string {
  const { version: current } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return current;
}
