import { Worker } from 'node:worker_threads';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { fromPlainError, type PlainError } from '../errors/plainError.ts';
import type { HostAssignment } from '../runtime/hostAssignment.ts';
import type { CallMessage } from '../runtime/remoteCalls.ts';
import { RingLinks, type SharedWays, sharedWays } from './ringLinks.ts';
import type { Crew, Mate } from './spreadDriver.ts';

/** What a worker is started with. */
export interface WorkerData {
  readonly assignment: HostAssignment;
  readonly ways: SharedWays;
}

/** The first message of a host: what it has built, or why it could not. */
export type HostGreeting = { readonly nodes: readonly string[] } | { readonly failure: PlainError };

/** Worker threads, each of which imports the job's module. */
export class WorkerCrew implements Crew {
  readonly links: RingLinks;
  private readonly ways: SharedWays;
  private readonly workers: Worker[] = [];

  constructor(hosts: number) {
    this.ways = sharedWays(hosts);
    this.links = new RingLinks(this.ways, 0);
  }

  async hire(assignment: HostAssignment): Promise<Mate> {
    const worker = start({ assignment, ways: this.ways });
    this.workers.push(worker);
    const gone = endOf(worker, assignment.here);
    const greeting = await Promise.race([greetingOf(worker), gone]);
    if (greeting instanceof Error) throw greeting;
    if ('failure' in greeting) throw fromPlainError(greeting.failure);
    return {
      nodes: greeting.nodes,
      port: {
        post: (message, transfer) => worker.postMessage(message, transfer),
        onMessage: (listener) => void worker.on('message', (message: CallMessage) => listener(message)),
      },
      onLost: (lost) => void gone.then(lost),
    };
  }

  async dismiss(): Promise<void> {
    this.links.close();
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

function start(workerData: WorkerData): Worker {
  try {
    return new Worker(new URL('../../bin/worker.js', import.meta.url), { workerData, name: `millrace ${workerData.assignment.here}` });
  } catch (cause) {
    throw new MillraceError('worker/protocol', `The job's configuration cannot be sent to a worker: ${describeError(cause)}.`, {
      remedy: 'Keep it plain data, and make what is more in build().',
      cause,
    });
  }
}

async function greetingOf(worker: Worker): Promise<HostGreeting> {
  return new Promise((resolve) => worker.once('message', resolve));
}

/** Fulfilled, with the reason, when the worker is gone. */
async function endOf(worker: Worker, here: number): Promise<Error> {
  return new Promise((resolve) => {
    worker.on('error', (error) => resolve(lostHost(here, error)));
    worker.on('exit', (code) => resolve(lostHost(here, new Error(`it ended with exit code ${code}`))));
  });
}

/** What the job fails with when one of its hosts is gone. */
export function lostHost(here: number, cause: unknown): MillraceError {
  return new MillraceError('worker/lost', `Worker ${here} is gone: ${describeError(cause)}.`, {
    remedy:
      'With checkpoints, or with restart in batch mode, the job starts again by itself. A worker that runs out of memory needs more: NODE_OPTIONS=--max-old-space-size.',
    cause,
  });
}
