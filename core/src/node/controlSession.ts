import type { Socket } from 'node:net';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import { type ControlAnswer, type ControlFailure, LONGEST_LINE } from './controlProtocol.ts';

/** Somebody who is connected: requests come as lines, and are answered one by one. */
export class ControlSession {
  private readonly socket: Socket;
  private readonly answer: (request: Readonly<Record<string, unknown>>) => Promise<unknown>;
  private readonly pending = new Set<Promise<void>>();
  private received = '';

  constructor(socket: Socket, answer: (request: Readonly<Record<string, unknown>>) => Promise<unknown>) {
    this.socket = socket;
    this.answer = answer;
    socket.setEncoding('utf8');
    // Who has gone is not answered.
    socket.on('error', () => socket.destroy());
    socket.on('data', (text: string) => this.receive(text));
    socket.unref();
  }

  /** Fulfilled when everything that was asked has been answered, and the connection is closed. */
  async close(): Promise<void> {
    await Promise.all(this.pending);
    await new Promise<void>((resolve) => {
      if (this.socket.destroyed) resolve();
      else this.socket.once('close', () => resolve()).destroySoon();
    });
  }

  private receive(text: string): void {
    const lines = (this.received + text).split('\n');
    this.received = lines.pop()!;
    if (this.received.length > LONGEST_LINE) return void this.socket.destroy();
    for (const line of lines) if (line.trim() !== '') this.take(line);
  }

  private take(line: string): void {
    const work = this.process(line).finally(() => this.pending.delete(work));
    this.pending.add(work);
  }

  private async process(line: string): Promise<void> {
    let id = 0;
    try {
      const request = requestOf(line);
      id = Number(request['id']);
      this.send({ id, accepted: true });
      this.send({ id, result: await this.answer(request) });
    } catch (error) {
      this.send({ id, error: failureOf(error) });
    }
  }

  private send(answer: ControlAnswer): void {
    if (this.socket.writable) this.socket.write(`${JSON.stringify(answer)}\n`);
  }
}

function requestOf(line: string): Readonly<Record<string, unknown>> {
  try {
    const request: unknown = JSON.parse(line);
    if (typeof request === 'object' && request !== null && Number.isSafeInteger((request as { readonly id?: unknown }).id)) {
      return request as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Said below.
  }
  throw new MillraceError('job/protocol', 'A request is no JSON object with a whole number as its id.', {
    remedy: 'Send one per line: {"id": 1, "command": "status"}.',
  });
}

function failureOf(error: unknown): ControlFailure {
  if (!isMillraceError(error)) return { code: 'job/state', problem: describeError(error), remedy: 'The log of the job may tell more.' };
  const { code, problem, remedy, uid } = error;
  return { code, problem, remedy, uid };
}
