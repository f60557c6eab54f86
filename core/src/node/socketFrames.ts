import type { Socket } from 'node:net';
import type { CallMessage } from '../runtime/remoteCalls.ts';
import { decodeSelfContained, encodeSelfContained } from '../state/selfContained.ts';
import { FrameAssembler, lengthPrefix } from '../transport/frameAssembler.ts';

/** The kind of a frame that holds a message; all others are elements and credit of channels. */
export const MESSAGE = 16;

/** A socket that carries frames, each behind its length: elements of channels as they are, and messages in the self-describing format of state. */
export class SocketFrames {
  private readonly socket: Socket;
  private listener: ((message: CallMessage) => void) | undefined;
  private readonly early: CallMessage[] = [];

  /** `onElement` is given the frames that are no messages. */
  constructor(socket: Socket, onElement: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.socket = socket;
    socket.setNoDelay(true);
    const assembler = new FrameAssembler((frame) => {
      if (frame[0] === MESSAGE) this.receive(decodeSelfContained(frame.subarray(1)) as CallMessage);
      else onElement(frame);
    });
    socket.on('data', (bytes) => assembler.push(bytes));
  }

  /** Messages that came before somebody listened come first. */
  onMessage(listener: (message: CallMessage) => void): void {
    this.listener = listener;
    for (const message of this.early.splice(0)) listener(message);
  }

  /** Resolves with the first message. */
  async first(): Promise<CallMessage> {
    return new Promise((resolve) => {
      this.onMessage((message) => {
        this.listener = undefined;
        resolve(message);
      });
    });
  }

  post(message: CallMessage): void {
    const body = encodeSelfContained(message);
    const frame = new Uint8Array(body.length + 1);
    frame[0] = MESSAGE;
    frame.set(body, 1);
    this.send(frame);
  }

  send(frame: Uint8Array): void {
    if (this.socket.destroyed) return;
    this.socket.write(lengthPrefix(frame));
    this.socket.write(frame);
  }

  private receive(message: CallMessage): void {
    if (this.listener === undefined) this.early.push(message);
    else this.listener(message);
  }
}
