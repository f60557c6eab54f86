import { createConnection, type Socket } from 'node:net';
import { Lease } from '../checkpoint/lease.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { CheckpointLocation } from './checkpointLocation.ts';
import { socketsOf } from './controlAddress.ts';
import type { ControlAnswer, ControlCommand, ControlFailure, ControlResults } from './controlProtocol.ts';
import { platform } from './platform.ts';

/** A job that says nothing for this long after a request does not run at present, in ms. */
const PATIENCE = 10_000;

/**
 * Asks the job that runs on a checkpoint location, and waits for what comes of it.
 *
 * @throws MillraceError `job/unreachable` when none runs there, or it cannot be talked to; what the job could not do it for.
 */
export async function askJob<C extends ControlCommand>(
  location: CheckpointLocation,
  command: C,
  patience: number = PATIENCE,
): Promise<ControlResults[C['command']]> {
  const socket = await connect(location);
  try {
    const result = await new Exchange(socket, location, patience).ask(command);
    return result as ControlResults[C['command']];
  } finally {
    socket.destroy();
  }
}

async function connect(location: CheckpointLocation): Promise<Socket> {
  let problem: NodeJS.ErrnoException | undefined;
  for (const path of await socketsOf(location.storage.location, location.path)) {
    try {
      return await new Promise((resolve, reject) => {
        const socket = createConnection(path, () => resolve(socket)).once('error', reject);
      });
    } catch (error) {
      const failure = error as NodeJS.ErrnoException;
      // What says most: a socket that is not there says nothing.
      if (problem === undefined || problem.code === 'ENOENT') problem = failure;
    }
  }
  throw await unreachable(location, problem);
}

/** One request and its answers. */
class Exchange {
  private readonly socket: Socket;
  private readonly location: CheckpointLocation;
  private readonly patience: number;

  constructor(socket: Socket, location: CheckpointLocation, patience: number) {
    this.socket = socket;
    this.location = location;
    this.patience = patience;
  }

  ask(command: ControlCommand): Promise<unknown> {
    const { socket, location, patience } = this;
    const where = location.storage.location;
    return new Promise((resolve, reject) => {
      const { clock } = platform;
      const cancel = clock.schedule(clock.now() + patience, () =>
        reject(
          notReached(
            `The job on ${where} does not answer.`,
            'Its process is stopped, or a function of the job holds its event loop: look at it.',
          ),
        ),
      );
      const settle = (act: () => void): void => {
        cancel();
        act();
      };
      const gone = (): void =>
        settle(() => reject(notReached(`The job on ${where} ended before it answered.`, 'Look at what it says itself.')));
      let received = '';
      socket.setEncoding('utf8').on('error', gone).on('close', gone);
      socket.on('data', (text: string) => {
        const lines = (received + text).split('\n');
        received = lines.pop()!;
        for (const line of lines) {
          const answer = JSON.parse(line) as ControlAnswer;
          cancel();
          if ('result' in answer) resolve(answer.result);
          else if ('error' in answer) reject(failureOf(answer.error));
        }
      });
      socket.write(`${JSON.stringify({ id: 1, ...command })}\n`);
    });
  }
}

function failureOf({ code, problem, remedy, uid }: ControlFailure): MillraceError {
  return new MillraceError(code as ErrorCode, problem, { uid, remedy });
}

async function unreachable({ storage, path }: CheckpointLocation, error: NodeJS.ErrnoException | undefined): Promise<MillraceError> {
  const { location } = storage;
  if (error?.code === 'EACCES' || error?.code === 'EPERM') {
    return notReached(`The job on ${location} belongs to another user.`, 'Ask as the user that runs it.', error);
  }
  const lease = await Lease.holder(storage).catch(() => undefined);
  const holder = lease && platform.identity!.describe!(lease.owner);
  if (lease !== undefined && lease.until > platform.clock.now() && !platform.identity!.isGone(lease.owner)) {
    return notReached(
      `The job on ${location} is ${holder}, which does not listen here.`,
      'Ask on its own machine, as the user that runs it; only jobs that `millrace run` runs listen.',
      error,
    );
  }
  const last = holder === undefined ? '' : `; the last was ${holder}`;
  const remedy =
    path === undefined || lease !== undefined
      ? 'Start it: millrace run MODULE --checkpoint … --restore latest.'
      : 'Look at the path: JOB is the checkpoint directory of a running job.';
  return notReached(`No job runs on ${location}${last}.`, remedy, error);
}

function notReached(problem: string, remedy: string, cause?: unknown): MillraceError {
  return new MillraceError('job/unreachable', problem, { remedy, cause });
}
