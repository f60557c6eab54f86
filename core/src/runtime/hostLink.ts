import type { Element } from '../element/element.ts';
import { isMillraceError } from '../errors/millraceError.ts';
import { channelOf, decodeFrame, encodeFrame, isCredit, recordsIn } from '../transport/frame.ts';
import { type ElementQueue, Fifo } from './channel.ts';
import type { CreditGate } from './creditWindow.ts';
import type { Outlet } from './exchange.ts';

/** The ways to and from one other host: many channels over one stream of frames in each direction. */
export class HostLink {
  private readonly send: (frame: Uint8Array) => void;
  private readonly outlets = new Map<number, FrameOutlet>();
  private readonly inlets = new Map<number, FrameInlet>();

  /** `send` takes a frame for good and never waits. */
  constructor(send: (frame: Uint8Array) => void) {
    this.send = send;
  }

  /** The way to a consumer on the other host, for what the operator `uid` emits. */
  outlet(channel: number, gate: CreditGate, uid: string): Outlet {
    const outlet = new FrameOutlet(channel, gate, uid, this.send);
    this.outlets.set(channel, outlet);
    return outlet;
  }

  /** The way from a producer on the other host. `onElement` is called when something has come. */
  inlet(channel: number, onElement: () => void): ElementQueue {
    const inlet = new FrameInlet(channel, onElement, this.send);
    this.inlets.set(channel, inlet);
    return inlet;
  }

  /** A frame has come from the other host. */
  receive(frame: Uint8Array<ArrayBuffer>): void {
    const channel = channelOf(frame);
    if (isCredit(frame)) this.outlets.get(channel)!.onCredit(frame);
    else this.inlets.get(channel)!.push(frame);
  }
}

/** Sends the elements of a channel as frames. */
class FrameOutlet implements Outlet {
  readonly takesKeyGroups = true;
  private readonly channel: number;
  private readonly gate: CreditGate;
  private readonly uid: string;
  private readonly send: (frame: Uint8Array) => void;

  constructor(channel: number, gate: CreditGate, uid: string, send: (frame: Uint8Array) => void) {
    this.channel = channel;
    this.gate = gate;
    this.uid = uid;
    this.send = send;
  }

  get batch(): number {
    return this.gate.batch;
  }

  push(element: Element): void {
    this.send(this.encode(element));
    if (element.kind === 'records') this.gate.sent(element.values.length);
  }

  private encode(element: Element): Uint8Array {
    try {
      return encodeFrame(this.channel, element);
    } catch (error) {
      throw isMillraceError(error) ? error.at(this.uid) : error;
    }
  }

  onCredit(frame: Uint8Array<ArrayBuffer>): void {
    const credit = decodeFrame(frame);
    if (credit.kind === 'credit') this.gate.taken(credit.records);
  }
}

/** Keeps the frames of a channel until the consumer takes them; then their records' credit goes back. */
class FrameInlet implements ElementQueue {
  private readonly frames = new Fifo<Uint8Array<ArrayBuffer>>();
  private readonly channel: number;
  private readonly onElement: () => void;
  private readonly send: (frame: Uint8Array) => void;

  constructor(channel: number, onElement: () => void, send: (frame: Uint8Array) => void) {
    this.channel = channel;
    this.onElement = onElement;
    this.send = send;
  }

  get isEmpty(): boolean {
    return this.frames.isEmpty;
  }

  push(frame: Uint8Array<ArrayBuffer>): void {
    this.frames.push(frame);
    this.onElement();
  }

  poll(): Element | undefined {
    const frame = this.frames.shift();
    if (frame === undefined) return undefined;
    const records = recordsIn(frame);
    if (records > 0) this.send(encodeFrame(this.channel, { kind: 'credit', records }));
    return decodeFrame(frame) as Element;
  }
}
