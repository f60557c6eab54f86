import { MillraceError } from '../errors/millraceError.ts';
import { explainMermaid, explainText } from '../graph/explain.ts';
import { type Command, print } from './command.ts';
import { EXIT, type ExitCode, step } from './exitCode.ts';
import type { Flag } from './flag.ts';
import type { ParsedFlags } from './flagParser.ts';
import { configure } from './jobConfig.ts';
import { loadJob, type LoadedJob } from './jobModule.ts';
import { runCommand } from './runCommand.ts';
import { EXPLAIN_FLAGS, RUN_FLAGS, type RunFlags, runOptionsOf } from './runFlags.ts';
import { prepareTypeScript } from './typeScript.ts';
import { EXPLAIN_HELP, RUN_HELP } from './usage.ts';

/** Where the user finds flags that are none of the command's. */
export const OTHER_FLAGS = '--help lists them; flags of the job come after --, as in `millrace run job.ts -- --input FILE`.';

/** The commands that load a job's module. */
export const MODULE_COMMANDS: Readonly<Record<string, Command>> = {
  run: moduleCommand(RUN_FLAGS, RUN_HELP, runCommand),
  explain: moduleCommand(EXPLAIN_FLAGS, EXPLAIN_HELP, explainCommand),
};

function moduleCommand(
  flags: readonly Flag[],
  help: string,
  execute: (loaded: LoadedJob, config: unknown, flags: RunFlags) => Promise<ExitCode>,
): Command {
  return {
    flags,
    help,
    async run(parsed, jobArgs, host) {
      const module = await step(EXIT.usage, () => moduleOf(parsed));
      const given = parsed.values as RunFlags;
      const loaded = await step(EXIT.module, () => loadJob(module, (path) => prepareTypeScript(path, host.loadTypeScript)));
      const configured = await step(EXIT.usage, () => configure(loaded.job, loaded.path, jobArgs ?? [], given.config));
      if (!('help' in configured)) return execute(loaded, configured.config, given);
      print(configured.help);
      return EXIT.done;
    },
  };
}

async function explainCommand({ job }: LoadedJob, config: unknown, flags: RunFlags & { readonly format?: string }): Promise<ExitCode> {
  const plan = job.build(config, runOptionsOf(flags)).plan();
  if (flags.format === 'json') print(`${JSON.stringify(plan, null, 2)}\n`);
  else print(`${flags.format === 'mermaid' ? explainMermaid(plan) : explainText(plan)}\n`);
  return EXIT.done;
}

function moduleOf({ positionals: [module, another] }: ParsedFlags): string {
  if (module === undefined) throw new MillraceError('cli/usage', 'Which job?', { remedy: 'Name its module, or the folder that it is in.' });
  if (another === undefined) return module;
  throw new MillraceError('cli/usage', `One job at a time; "${another}" is too much.`, { remedy: OTHER_FLAGS });
}
