import { defineJob, discard } from '@millrace/core';
import { jsonLinesSink, textFile } from '@millrace/core/node';
import { z } from 'zod';
import { parseRequest } from './accessLog.ts';
import { report } from './report.ts';
import { sessions } from './sessions.ts';
import { statusCounts } from './statusCounts.ts';

export default defineJob({
  name: 'weblog',
  module: import.meta,
  config: z.object({
    input: z.string().describe('An access log in combined (or common) log format; may be gzipped.'),
    bound: z.number().min(0).default(60).describe('By how many seconds the lines may be out of order.'),
    json: z.boolean().default(false).describe('Prints one JSON line per session and per hour and status instead of tables.'),
  }),
  build(env, { input, bound, json }) {
    // Lines that cannot be read are counted and warned about; `--dead-letter FILE` before the `--` keeps them.
    env.deadLetterTo(discard());
    const requests = env
      .from(textFile(input), { uid: 'log' })
      .map(parseRequest, { uid: 'requests', onError: 'deadLetter' })
      .withTime({ timestamp: ({ at }) => at, outOfOrder: { seconds: bound } }, { uid: 'request-time' });
    const results = sessions(requests).union(statusCounts(requests));
    results.sinkTo(json ? jsonLinesSink('-') : report(), { uid: 'results', parallelism: 1 });
  },
});
