import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../errors/millraceError.ts';
import { fromPlainError } from '../errors/plainError.ts';
import type { HostAssignment } from '../runtime/hostAssignment.ts';
import { HostLink } from '../runtime/hostLink.ts';
import type { Plan } from '../graph/plan.ts';
import { waysOf } from '../runtime/wiring.ts';
import { channelOf, isCredit } from '../transport/frame.ts';
import { SocketFrames } from './socketFrames.ts';
import type { Crew, HostLinks, Mate } from './spreadDriver.ts';
import { type HostGreeting, lostHost } from './workerCrew.ts';

/** The version of what is said on the socket. */
export const PROTOCOL = 2;

/** The first message of a process. */
export interface ProcessHello {
  readonly token: string;
  readonly protocol: number;
  readonly here: number;
}

/**
 * Child processes, each with a socket to this one, which passes frames on between them. The socket is in a folder of its own with mode
 * 0600, and who connects must know the token that its process was started with.
 */
export class ProcessCrew implements Crew {
  readonly links: HostLinks;
  private readonly token = randomBytes(32).toString('hex');
  private readonly children: ChildProcess[] = [];
  private readonly waiting = new Map<number, (frames: SocketFrames, socket: Socket) => void>();
  private readonly frames = new Map<number, SocketFrames>();
  private readonly own: HostLink;
  private readonly ends: readonly { readonly from: number; readonly to: number }[];
  private readonly folder: string;
  private readonly server: Server;

  private constructor(folder: string, server: Server, ends: readonly { readonly from: number; readonly to: number }[]) {
    this.folder = folder;
    this.server = server;
    this.ends = ends;
    this.own = new HostLink((frame) => this.route(frame));
    this.links = { to: () => this.own };
    server.on('connection', (socket) => void this.welcome(socket));
  }

  /** `hostOf` says where a subtask of a chain is. */
  static async gather(plan: Plan, hostOf: (chain: Plan['chains'][number], subtask: number) => number): Promise<ProcessCrew> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(join(folder, 'tasks'), resolve));
    await chmod(join(folder, 'tasks'), 0o600);
    const ends = [...waysOf(plan)].map(({ from, producer, to, consumer }) => ({ from: hostOf(from, producer), to: hostOf(to, consumer) }));
    return new ProcessCrew(folder, server, ends);
  }

  async hire(assignment: HostAssignment): Promise<Mate> {
    const { here } = assignment;
    const connected = new Promise<[SocketFrames, Socket]>((resolve) => this.waiting.set(here, (...both) => resolve(both)));
    const child = this.start(here);
    const ended = endOf(child, here);
    const first = await Promise.race([connected, ended]);
    if (first instanceof Error) throw first;
    const [frames, socket] = first;
    const gone = Promise.race([ended, closed(socket, here)]);
    frames.post({ kind: 'tell', id: 0, name: 'assignment', args: [assignment] });
    const greeting = await Promise.race([frames.first(), gone]);
    if (greeting instanceof Error) throw greeting;
    const built = greeting.args[0] as HostGreeting;
    if ('failure' in built) throw fromPlainError(built.failure);
    this.frames.set(here, frames);
    return { nodes: built.nodes, port: frames, onLost: (lost) => void gone.then(lost) };
  }

  async dismiss(): Promise<void> {
    this.server.close();
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(this.children.map((child) => endOf(child, 0)));
    await rm(this.folder, { recursive: true, force: true });
  }

  private start(here: number): ChildProcess {
    const entry = fileURLToPath(new URL('../../bin/process.js', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, entry], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, MILLRACE_SOCKET: join(this.folder, 'tasks'), MILLRACE_TOKEN: this.token, MILLRACE_HOST: String(here) },
    });
    this.children.push(child);
    return child;
  }

  private async welcome(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const frames = new SocketFrames(socket, (frame) => this.route(frame));
    const hello = (await frames.first()).args[0] as ProcessHello;
    const greet = this.waiting.get(hello.here);
    if (!isToken(hello.token, this.token) || greet === undefined) return void socket.destroy();
    this.waiting.delete(hello.here);
    if (hello.protocol === PROTOCOL) return greet(frames, socket);
    frames.post({ kind: 'failure', id: 0, name: 'hello', args: [`This side speaks version ${PROTOCOL}.`] });
    socket.destroy(otherVersion(hello.protocol));
  }

  /** Credit goes to the producer of its channel, everything else to the consumer. */
  private route(frame: Uint8Array<ArrayBuffer> | Uint8Array): void {
    const { from, to } = this.ends[channelOf(frame)]!;
    const host = isCredit(frame) ? from : to;
    if (host === 0) this.own.receive(frame as Uint8Array<ArrayBuffer>);
    else this.frames.get(host)?.send(frame);
  }
}

function isToken(given: unknown, token: string): boolean {
  return typeof given === 'string' && given.length === token.length && timingSafeEqual(Buffer.from(given), Buffer.from(token));
}

/** Fulfilled, with the reason, when the process has ended. */
async function endOf(child: ChildProcess, here: number): Promise<Error> {
  if (child.exitCode !== null || child.signalCode !== null) return lostHost(here, new Error('it has ended'));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(lostHost(here, error)));
    child.on('exit', (code, signal) =>
      resolve(lostHost(here, new Error(signal === null ? `it ended with exit code ${code}` : `${signal} ended it`))),
    );
  });
}

async function closed(socket: Socket, here: number): Promise<Error> {
  return new Promise((resolve) => socket.on('close', () => resolve(lostHost(here, new Error('its connection was closed')))));
}

function otherVersion(version: number): MillraceError {
  return new MillraceError('worker/protocol', `A process speaks version ${version} of the protocol, this one ${PROTOCOL}.`, {
    remedy: 'Let both run the same version of the engine.',
  });
}
