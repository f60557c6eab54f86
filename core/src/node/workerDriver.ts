import { Worker } from 'node:worker_threads';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { fromPlainError, type PlainError } from '../errors/plainError.ts';
import type { PlanChain } from '../graph/plan.ts';
import { checkSameGraph, type HostAssignment, hostOf, type JobAssignment } from '../runtime/hostAssignment.ts';
import type { HostDriver } from '../runtime/hostDriver.ts';
import { type HostParts, LocalHost } from '../runtime/localHost.ts';
import type { Placement } from '../runtime/placement.ts';
import type { CallMessage, Port } from '../runtime/remoteCalls.ts';
import { type Place, RemoteHost } from '../runtime/remoteHost.ts';
import type { HostListener, TaskHost } from '../runtime/taskHost.ts';
import { RingLinks, type SharedWays, sharedWays } from './ringLinks.ts';

/** What a worker is started with. */
export interface WorkerData {
  readonly assignment: HostAssignment;
  readonly ways: SharedWays;
}

/** The first message of a worker: what it has built, or why it could not. */
export type WorkerGreeting = { readonly nodes: readonly string[] } | { readonly failure: PlainError };

/** Runs the tasks of a job on worker threads, each of which imports the job's module. */
export class WorkerDriver implements HostDriver {
  private readonly assignment: JobAssignment;
  private readonly workers = new Set<Worker>();
  private links: RingLinks | undefined;

  constructor(assignment: JobAssignment) {
    this.assignment = assignment;
  }

  async hosts(parts: HostParts, listener: HostListener): Promise<readonly TaskHost[]> {
    const { hosts } = this.assignment;
    const ways = sharedWays(hosts);
    const numbers = Array.from({ length: hosts - 1 }, (_, i) => i + 1);
    const remote = numbers.map(async (here) => this.launch(here, parts, ways, listener));
    await Promise.allSettled(remote);
    return [...this.local(parts, ways, listener), ...(await Promise.all(remote))];
  }

  async release(): Promise<void> {
    this.links?.close();
    this.links = undefined;
    await Promise.all([...this.workers].map((worker) => worker.terminate()));
    this.workers.clear();
  }

  /** What only this thread has runs on this thread. */
  private local(parts: HostParts, ways: SharedWays, listener: HostListener): readonly TaskHost[] {
    if (this.placesOf(0, parts).length === 0) return [];
    this.links = new RingLinks(ways, 0);
    const host = new LocalHost(parts, listener, placementOf({ ...this.assignment, here: 0 }, parts, this.links));
    const { links } = this;
    host.scheduler.look = () => links.look();
    links.watch();
    return [host];
  }

  private async launch(here: number, parts: HostParts, ways: SharedWays, listener: HostListener): Promise<RemoteHost> {
    const { epoch, lineage, plan } = parts;
    const data: WorkerData = { assignment: { ...this.assignment, here, epoch, lineage }, ways };
    const worker = this.start(data);
    this.workers.add(worker);
    const greeting = await greetingOf(worker, here);
    if ('failure' in greeting) throw fromPlainError(greeting.failure);
    checkSameGraph(plan.graph, greeting.nodes);
    const host = new RemoteHost(portOf(worker), parts, this.placesOf(here, parts), listener);
    const lose = (error: unknown): void => {
      if (!this.workers.delete(worker)) return;
      const lost = lostWorker(here, error);
      host.lose(lost);
      listener.onFailed(lost);
    };
    worker.on('error', lose);
    worker.on('exit', (code) => lose(new Error(`it ended with exit code ${code}`)));
    return host;
  }

  private start(workerData: WorkerData): Worker {
    try {
      return new Worker(new URL('../../bin/worker.js', import.meta.url), { workerData, name: `millrace ${workerData.assignment.here}` });
    } catch (cause) {
      throw new MillraceError('worker/protocol', `The job's configuration cannot be sent to a worker: ${describeError(cause)}.`, {
        remedy: 'Keep it plain data, and make what is more in build().',
        cause,
      });
    }
  }

  private placesOf(host: number, { plan }: HostParts): readonly Place[] {
    const { hosts, deadLettersElsewhere } = this.assignment;
    const places = plan.chains.flatMap((chain) => Array.from({ length: chain.parallelism }, (_, subtask) => ({ chain, subtask })));
    return places.filter(({ chain, subtask }) => hostOf(plan, chain, subtask, hosts, deadLettersElsewhere) === host);
  }
}

/** Where a host's tasks are, with the ways to those of the others. */
export function placementOf(
  { here, hosts, deadLettersElsewhere }: Pick<HostAssignment, 'here' | 'hosts' | 'deadLettersElsewhere'>,
  { plan }: Pick<HostParts, 'plan'>,
  links: RingLinks,
): Placement {
  return {
    here,
    hostOf: (chain: PlanChain, subtask: number) => hostOf(plan, chain, subtask, hosts, deadLettersElsewhere),
    outlet: (channel, to, gate) => links.to(to).outlet(channel, gate),
    inlet: (channel, from, onElement) => links.to(from).inlet(channel, onElement),
  };
}

async function greetingOf(worker: Worker, here: number): Promise<WorkerGreeting> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) => reject(lostWorker(here, error)));
    worker.once('exit', () => reject(lostWorker(here, new Error('it ended before it had begun'))));
  });
}

function portOf(worker: Worker): Port {
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    onMessage: (listener) => void worker.on('message', (message: CallMessage) => listener(message)),
  };
}

function lostWorker(here: number, cause: unknown): MillraceError {
  return new MillraceError('worker/lost', `Worker ${here} is gone: ${describeError(cause)}.`, {
    remedy:
      'With checkpoints the job starts again by itself. A worker that runs out of memory needs more: NODE_OPTIONS=--max-old-space-size.',
    cause,
  });
}
