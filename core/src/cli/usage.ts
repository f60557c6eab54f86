import { EXIT } from './exitCode.ts';
import type { Flag } from './flag.ts';
import { definitionList, flagList } from './help.ts';
import { EXPLAIN_FLAGS, RUN_FLAGS } from './runFlags.ts';

const MODULE = `MODULE is a .ts or .js file whose default export is a job (defineJob), or a folder with a job.ts
or job.js in it. What comes after -- are flags of the job, made from its config schema; see
them with \`millrace run MODULE -- --help\`.`;

const CODES: readonly (readonly [string, string])[] = [
  [String(EXIT.done), 'the job finished'],
  [String(EXIT.failed), 'the job failed'],
  [String(EXIT.usage), "the command line or the job's configuration is wrong; nothing was run"],
  [String(EXIT.module), 'the module is not there, cannot be imported, or holds no job'],
  [
    `${EXIT.interrupted}, ${EXIT.terminated}`,
    'stopped by SIGINT (Ctrl-C) or SIGTERM: what was under way is finished, but the results are not complete. A second signal cancels at once.',
  ],
  [String(EXIT.pipeClosed), 'whoever read standard output has gone, as with `| head`'],
];
const UNREACHABLE = [String(EXIT.unreachable), 'no job runs where it was looked for, or it cannot be reached'] as const;
const RUN_EXIT_CODES = definitionList(CODES);
const EXIT_CODES = definitionList([...CODES.slice(0, 4), UNREACHABLE, ...CODES.slice(4)]);
/** Those of a command that runs no job itself. */
const OTHER_EXIT_CODES = definitionList([
  [String(EXIT.done), 'it was done'],
  [String(EXIT.failed), 'it could not be done, or what was looked at is damaged'],
  [String(EXIT.usage), 'the command line is wrong'],
  UNREACHABLE,
  CODES.at(-1)!,
]);

const JOB = `JOB is the checkpoint directory of a running job (or s3://BUCKET/PREFIX): what --checkpoint of
\`millrace run\` says. It has to run on this machine, as this user.`;

const PATH = `PATH is a directory with checkpoints (the newest is meant), s3://BUCKET/PREFIX, or the manifest of
one of them, such as DIR/manifests/00000001-000000000007.json.`;

/** `millrace --help`. */
export const HELP: string = `Stream and batch processing for Node.js.

Usage: millrace COMMAND …

Commands:
${definitionList([
  ['run MODULE [-- flags of the job]', 'runs a job'],
  ['explain MODULE', 'shows how a job would run: tasks, exchanges, uids'],
  ['status JOB', 'shows how a running job is'],
  ['savepoint JOB PATH', 'writes a savepoint of a running job, which goes on'],
  ['stop JOB', 'stops a running job in order'],
  ['cancel JOB', 'ends a running job at once'],
  ['checkpoint list PATH', 'lists the checkpoints of a location'],
  ['checkpoint inspect PATH', 'shows what a checkpoint holds, and verifies it'],
  ['checkpoint dump PATH --uid UID', 'writes the state of an operator as JSON lines'],
])}

Options:
${definitionList([
  ['-h, --help', 'this, or more on a command: millrace run --help'],
  ['-v, --version', 'the version'],
])}

${MODULE}

${JOB}

${PATH}

It ends with:
${EXIT_CODES}
`;

/** `millrace run --help`. */
export const RUN_HELP: string = `Runs a job to its end.

Usage: millrace run MODULE [options] [-- flags of the job]

${MODULE}

Options:
${flagList(RUN_FLAGS)}

Standard output is the job's. Progress, a summary and warnings go to standard error: a line that
is redrawn on a terminal, else a line every 10 seconds.

It ends with:
${RUN_EXIT_CODES}
`;

/** `millrace explain --help`. */
export const EXPLAIN_HELP: string = `Shows how a job would run, without running it: its tasks, what they exchange, the operators
and their uids.

Usage: millrace explain MODULE [options] [-- flags of the job]

${MODULE}

Options:
${flagList(EXPLAIN_FLAGS)}
`;

/** The help of a command that talks to a running job. */
export function jobHelp(usage: string, purpose: string, flags: readonly Flag[]): string {
  return help(usage, purpose, JOB, flags);
}

/** The help of a command that looks into checkpoints. */
export function checkpointHelp(name: string, purpose: string, flags: readonly Flag[]): string {
  return help(`checkpoint ${name} PATH`, purpose, PATH, flags);
}

function help(usage: string, purpose: string, operand: string, flags: readonly Flag[]): string {
  return `${purpose}\n\nUsage: millrace ${usage} [options]\n\n${operand}\n\nOptions:\n${flagList(flags)}\n\nIt ends with:\n${OTHER_EXIT_CODES}\n`;
}
