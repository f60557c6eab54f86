import { EXIT } from './exitCode.ts';
import { definitionList, flagList } from './help.ts';
import { EXPLAIN_FLAGS, RUN_FLAGS } from './runFlags.ts';

const MODULE = `MODULE is a .ts or .js file whose default export is a job (defineJob), or a folder with a job.ts
or job.js in it. What comes after -- are flags of the job, made from its config schema; see
them with \`millrace run MODULE -- --help\`.`;

const EXIT_CODES = definitionList([
  [String(EXIT.done), 'the job finished'],
  [String(EXIT.failed), 'the job failed'],
  [String(EXIT.usage), "the command line or the job's configuration is wrong; nothing was run"],
  [String(EXIT.module), 'the module is not there, cannot be imported, or holds no job'],
  [
    `${EXIT.interrupted}, ${EXIT.terminated}`,
    'stopped by SIGINT (Ctrl-C) or SIGTERM: what was under way is finished, but the results are not complete. A second signal cancels at once.',
  ],
  [String(EXIT.pipeClosed), 'whoever read standard output has gone, as with `| head`'],
]);

/** `millrace --help`. */
export const HELP: string = `Stream and batch processing for Node.js.

Usage: millrace COMMAND MODULE [options] [-- flags of the job]

Commands:
${definitionList([
  ['run', 'runs a job'],
  ['explain', 'shows how a job would run: tasks, exchanges, uids'],
])}

Options:
${definitionList([
  ['-h, --help', 'this, or more on a command: millrace run --help'],
  ['-v, --version', 'the version'],
])}

${MODULE}

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
${EXIT_CODES}
`;

/** `millrace explain --help`. */
export const EXPLAIN_HELP: string = `Shows how a job would run, without running it: its tasks, what they exchange, the operators
and their uids.

Usage: millrace explain MODULE [options] [-- flags of the job]

${MODULE}

Options:
${flagList(EXPLAIN_FLAGS)}
`;
