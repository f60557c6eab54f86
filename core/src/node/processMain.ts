import { createConnection } from 'node:net';
import { toPlainError } from '../errors/plainError.ts';
import { fingerprint, type HostAssignment } from '../runtime/hostAssignment.ts';
import { HostLink } from '../runtime/hostLink.ts';
import { HostServer } from '../runtime/hostServer.ts';
import { buildJob } from './hostJob.ts';
import { PROTOCOL, type ProcessHello } from './processCrew.ts';
import { SocketFrames } from './socketFrames.ts';
import { placementOf } from './spreadDriver.ts';
import type { HostGreeting } from './workerCrew.ts';

/** Connects to the process that started this one, builds the job that it is told, and runs the tasks that it is given. */
export async function runProcess(prepare: (module: string) => Promise<void>): Promise<void> {
  const { MILLRACE_SOCKET: path, MILLRACE_TOKEN: token, MILLRACE_HOST: here } = process.env;
  const socket = createConnection(path!);
  // Without the other side there is nothing to do.
  socket.on('close', () => process.exit(0));
  socket.on('error', () => process.exit(1));
  const link = new HostLink((frame) => frames.send(frame));
  const frames = new SocketFrames(socket, (frame) => link.receive(frame));
  frames.post(message({ token: token!, protocol: PROTOCOL, here: Number(here) } satisfies ProcessHello));
  const [assignment] = (await frames.first()).args as readonly [HostAssignment];
  try {
    await prepare(assignment.program.module);
    const parts = await buildJob(assignment);
    const server = new HostServer(frames, parts, placementOf(assignment, parts, { to: () => link }));
    process.on('uncaughtException', (error) => server.fail(error));
    frames.post(message({ nodes: fingerprint(parts.plan.graph) } satisfies HostGreeting));
  } catch (error) {
    frames.post(message({ failure: toPlainError(error) } satisfies HostGreeting));
  }
}

function message(content: unknown): { kind: 'tell'; id: 0; name: 'hello'; args: readonly unknown[] } {
  return { kind: 'tell', id: 0, name: 'hello', args: [content] };
}
