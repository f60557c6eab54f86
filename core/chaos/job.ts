import { join } from 'node:path';
import { defineJob } from '@millrace/core';
import { rollingFiles } from '@millrace/core/node';
import { z } from 'zod';
import { buildJob } from '../simulation/buildJob.ts';
import { DATABASE } from './chaosOutput.ts';
import { drawChaosJob, surroundingsOf } from './drawChaosJob.ts';
import { lineTable } from './lineTable.ts';
import { logSource } from './logSource.ts';
import { executioner } from './sentence.ts';
import { waveSource } from './waveSource.ts';

/** A random job over files: what a process of the chaos runs. */
export default defineJob({
  name: 'chaos',
  config: z.object({ job: z.number(), folder: z.string(), placement: z.number() }),
  build(env, { job, folder, placement }) {
    executioner();
    const { isLogged, isTable, roll } = surroundingsOf(job);
    const output = (name: string): string => join(folder, 'output', name);
    buildJob(env, drawChaosJob(job), {
      source: ({ uid, concurrent }) => (isLogged ? logSource : waveSource)(join(folder, 'input', uid), concurrent),
      sink: (name) =>
        executioner().watch(isTable ? lineTable(output(`${name}${DATABASE}`)) : rollingFiles<unknown>(output(name), { roll })),
      pause: () => new Promise((resolve) => setTimeout(resolve, 5 * Math.random())),
      visit: () => undefined,
      placement,
    });
  },
});
