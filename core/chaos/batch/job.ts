import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineJob, type Sink } from '@millrace/core';
import { rollingFiles } from '@millrace/core/node';
import { z } from 'zod';
import { drawBatchJob } from '../../simulation/batchSpec.ts';
import { buildBatchJob } from '../../simulation/buildBatchJob.ts';
import type { SinkDefinition } from '../../src/operators/connector.ts';
import { drawBatchFates } from './batchFates.ts';
import { executioner } from '../sentence.ts';

/** The file that says that something has begun to become visible. */
export const COMMITTED = 'committed';

/** A random batch job that fails on purpose: what a process of the chaos runs. */
export default defineJob({
  name: 'chaos-batch',
  config: z.object({ job: z.number(), folder: z.string() }),
  build(env, { job, folder }) {
    const killer = executioner();
    const spec = drawBatchJob(job);
    const fates = drawBatchFates(spec);
    buildBatchJob(env, spec, {
      sink: (name) => killer.watch(noted(rollingFiles<unknown>(join(folder, 'output', name)), join(folder, COMMITTED))),
      visitor: (stage) => {
        let nth = 0;
        return () => {
          const call = nth++;
          for (const [i, failure] of spec.failures.entries()) {
            if (failure.stage !== stage || failure.nth !== call) continue;
            const marker = join(folder, `failure-${i}`);
            if (existsSync(marker)) continue;
            writeFileSync(marker, '');
            if (fates[i] === 'throw') throw new Error('a failure on purpose');
            killer.strikeDown(fates[i] === 'alone');
          }
        };
      },
    });
  },
});

/** Leaves word before anything becomes visible. */
function noted<T>(sink: Sink<T>, path: string): Sink<T> {
  const { name, open } = sink.definition as unknown as SinkDefinition<T, unknown>;
  const definition: SinkDefinition<T, unknown> = {
    name,
    async open(context) {
      const writer = await open(context);
      return {
        write: (values) => writer.write(values),
        prepare: async (checkpoint) => writer.prepare(checkpoint),
        commit: async (committables) => {
          appendFileSync(path, '.');
          await writer.commit(committables);
        },
        close: async (failure) => writer.close?.(failure),
      };
    },
  };
  return { kind: 'sink', definition: definition as never };
}
