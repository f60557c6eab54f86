import { join } from 'node:path';
import { defineJob } from '@millrace/core';
import { rollingFiles } from '@millrace/core/node';
import { z } from 'zod';
import { buildJob } from '../simulation/buildJob.ts';
import { executioner } from './sentence.ts';
import { drawChaosJob, rollingOf } from './drawChaosJob.ts';
import { waveSource } from './waveSource.ts';

/** A random job over files: what a process of the chaos runs. */
export default defineJob({
  name: 'chaos',
  config: z.object({ job: z.number(), folder: z.string(), placement: z.number() }),
  build(env, { job, folder, placement }) {
    executioner();
    const spec = drawChaosJob(job);
    buildJob(env, spec, {
      source: ({ uid, concurrent }) => waveSource(join(folder, 'input', uid), concurrent),
      sink: (name) => executioner().watch(rollingFiles<unknown>(join(folder, 'output', name), { roll: rollingOf(job) })),
      pause: () => new Promise((resolve) => setTimeout(resolve, 5 * Math.random())),
      visit: () => undefined,
      placement,
    });
  },
});
