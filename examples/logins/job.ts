import { defineJob, discard, type Sink, tumbling } from '@millrace/core';
import { jsonLinesSink, rollingFiles } from '@millrace/core/node';
import { z } from 'zod';
import { paced } from '../paced.ts';
import { attempts } from './attempts.ts';
import { authLog, SYSTEM_LOG } from './authLog.ts';
import { breakIns } from './breakIns.ts';
import { bursts } from './bursts.ts';
import { compareFindings, type Finding } from './findings.ts';
import { report } from './report.ts';

export default defineJob({
  name: 'logins',
  module: import.meta,
  config: z.object({
    input: z.string().default(SYSTEM_LOG).describe('The log of sshd, in syslog format; may be gzipped.'),
    year: z.int().min(1970).max(9999).optional().describe("The year of the log's first line, which says none. Default: the current one."),
    rate: z
      .number()
      .positive()
      .optional()
      .describe('So many lines of the log a second, as if they were written now. Default: as fast as it goes.'),
    json: z.boolean().default(false).describe('Prints one JSON line per finding, and nothing else, on standard output.'),
    output: z
      .string()
      .optional()
      .describe(
        'Writes a JSON line per finding to files in this directory instead: each exactly once, with --checkpoint also when it fails.',
      ),
  }),
  build(env, { input, year, rate, json, output }) {
    // Lines that cannot be read are counted and warned about; `--dead-letter FILE` before the `--` keeps them.
    env.deadLetterTo(discard());
    const all = env.from(paced(authLog(input), rate), { uid: 'log' }).pipe((lines) => attempts(lines, year));
    const found = bursts(all).union(breakIns(all));
    // Two streams have no order between them. Second by second they get one, so that every run prints the same.
    const inOrder = found
      .windowAll(tumbling({ seconds: 1 }))
      .process({ uid: 'in-order', onWindow: (findings: readonly Finding[]) => findings.toSorted(compareFindings) })
      .map(({ value }) => value, { parallelism: 1 });
    inOrder.sinkTo(findingsTo(output, json), { uid: 'findings', parallelism: 1 });
  },
});

function findingsTo(output: string | undefined, json: boolean): Sink<Finding> {
  // By size alone: with files that end by the clock no two runs would write the same ones.
  if (output !== undefined) return rollingFiles(output, { roll: { size: 4096 } });
  return json ? jsonLinesSink('-') : report();
}
