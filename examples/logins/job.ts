import { defineJob, discard, tumbling } from '@millrace/core';
import { jsonLinesSink } from '@millrace/core/node';
import { z } from 'zod';
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
    json: z.boolean().default(false).describe('Prints one JSON line per finding, and nothing else, on standard output.'),
  }),
  build(env, { input, year, json }) {
    // Lines that cannot be read are counted and warned about; `--dead-letter FILE` before the `--` keeps them.
    env.deadLetterTo(discard());
    const all = env.from(authLog(input), { uid: 'log' }).pipe((lines) => attempts(lines, year));
    const found = bursts(all).union(breakIns(all));
    // Two streams have no order between them. Second by second they get one, so that every run prints the same.
    const inOrder = found
      .windowAll(tumbling({ seconds: 1 }))
      .process({ uid: 'in-order', onWindow: (findings: readonly Finding[]) => findings.toSorted(compareFindings) })
      .map(({ value }) => value, { parallelism: 1 });
    inOrder.sinkTo(json ? jsonLinesSink('-') : report(), { uid: 'findings', parallelism: 1 });
  },
});
