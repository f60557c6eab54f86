import type { JobModule } from '../api/job.ts';
import { defineSink } from '../operators/connector.ts';
import type { HostAssignment } from '../runtime/hostAssignment.ts';
import type { HostParts } from '../runtime/localHost.ts';
import { keptDirectory } from './keptDirectory.ts';
import { platform } from './platform.ts';

/** The job as its module builds it on this host. */
export async function buildJob(assignment: HostAssignment): Promise<Omit<HostParts, 'logger'>> {
  const { program, mode, parallelism, maxParallelism, onError, isCheckpointed, deadLettersElsewhere, resultDirectory } = assignment;
  const { default: job } = (await import(program.module)) as { default: JobModule<unknown> };
  const env = job.build(program.config);
  const deadLetters = deadLettersElsewhere ? { deadLetters: ELSEWHERE } : {};
  const { plan, builder } = env.compile({ mode, parallelism, maxParallelism, onError, ...deadLetters });
  const results = resultDirectory === undefined ? undefined : keptDirectory(resultDirectory);
  return { ...assignment, plan: { ...plan, isCheckpointed }, builder, platform, keepsResults: results !== undefined, results };
}

/** Stands for a sink that only the host that the job was started on has. */
const ELSEWHERE = defineSink<unknown>({
  name: 'elsewhere',
  open: () => {
    throw new Error('This sink is on another host.');
  },
});
