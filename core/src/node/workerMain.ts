import { parentPort, workerData } from 'node:worker_threads';
import type { JobModule } from '../api/job.ts';
import { toPlainError } from '../errors/plainError.ts';
import { defineSink } from '../operators/connector.ts';
import { fingerprint, type HostAssignment } from '../runtime/hostAssignment.ts';
import { HostServer } from '../runtime/hostServer.ts';
import type { HostParts } from '../runtime/localHost.ts';
import type { CallMessage } from '../runtime/remoteCalls.ts';
import { platform } from './platform.ts';
import { RingLinks } from './ringLinks.ts';
import { placementOf, type WorkerData, type WorkerGreeting } from './workerDriver.ts';

/** A worker thread: makes the job's graph, says so, and runs the tasks that it is told to. */
export async function runWorker(): Promise<void> {
  const { assignment, ways } = workerData as WorkerData;
  const port = parentPort!;
  const greet = (greeting: WorkerGreeting): void => port.postMessage(greeting);
  try {
    const parts = await buildParts(assignment);
    const links = new RingLinks(ways, assignment.here);
    const placement = placementOf(assignment, parts, links);
    const server = new HostServer(
      {
        post: (message, transfer) => port.postMessage(message, transfer),
        onMessage: (listener) => void port.on('message', (message: CallMessage) => listener(message)),
      },
      parts,
      placement,
    );
    server.host.scheduler.look = () => links.look();
    links.watch();
    process.on('uncaughtException', (error) => server.fail(error));
    greet({ nodes: fingerprint(parts.plan.graph) });
  } catch (error) {
    greet({ failure: toPlainError(error) });
  }
}

/** The job as its module builds it here. */
export async function buildParts(assignment: HostAssignment): Promise<Omit<HostParts, 'logger'>> {
  const { program, mode, parallelism, maxParallelism, onError, isCheckpointed, deadLettersElsewhere, credit, state } = assignment;
  const { default: job } = (await import(program.module)) as { default: JobModule<unknown> };
  const env = job.build(program.config);
  const deadLetters = deadLettersElsewhere ? { deadLetters: ELSEWHERE } : {};
  const { plan, builder } = env.compile({ mode, parallelism, maxParallelism, onError, ...deadLetters });
  const { seed, generateCode, epoch, lineage, exactlyOnce } = assignment;
  return { plan: { ...plan, isCheckpointed }, builder, platform, onError, seed, generateCode, epoch, lineage, exactlyOnce, credit, state };
}

/** Stands for a sink that only the host that the job was started on has. */
const ELSEWHERE = defineSink<unknown>({
  name: 'elsewhere',
  open: () => {
    throw new Error('This sink is on another host.');
  },
});
