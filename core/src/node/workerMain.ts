import { parentPort, workerData } from 'node:worker_threads';
import { toPlainError } from '../errors/plainError.ts';
import { fingerprint } from '../runtime/hostAssignment.ts';
import { HostServer } from '../runtime/hostServer.ts';
import type { CallMessage } from '../runtime/remoteCalls.ts';
import { buildJob } from './hostJob.ts';
import { RingLinks } from './ringLinks.ts';
import { attach, placementOf } from './spreadDriver.ts';
import type { HostGreeting, WorkerData } from './workerCrew.ts';

/** A worker thread: makes the job's graph, says so, and runs the tasks that it is told to. */
export async function runWorker(): Promise<void> {
  const { assignment, ways } = workerData as WorkerData;
  const port = parentPort!;
  const greet = (greeting: HostGreeting): void => port.postMessage(greeting);
  try {
    const parts = await buildJob(assignment);
    const links = new RingLinks(ways, assignment.here);
    const calls = {
      post: port.postMessage.bind(port),
      onMessage: (listener: (message: CallMessage) => void) => void port.on('message', listener),
    };
    const server = new HostServer(calls, parts, placementOf(assignment, parts, links));
    attach(server.host, links);
    process.on('uncaughtException', (error) => server.fail(error));
    greet({ nodes: fingerprint(parts.plan.graph) });
  } catch (error) {
    greet({ failure: toPlainError(error) });
  }
}
