import { Fifo } from '../runtime/channel.ts';
import { HostLink } from '../runtime/hostLink.ts';
import { ByteRing, ringMemory } from '../transport/byteRing.ts';
import { FrameAssembler, lengthPrefix } from '../transport/frameAssembler.ts';

/** What lies between two threads, in one direction. A power of two, so that its counters may wrap. */
const RING_BYTES = 2 ** 20;

/** Memory that all hosts of a job share: a ring from each to each other, and a signal for each. Can be sent to workers. */
export interface SharedWays {
  /** By the sender's number, then the receiver's; `undefined` from a host to itself. */
  readonly rings: readonly (readonly (SharedArrayBuffer | undefined)[])[];
  readonly signals: SharedArrayBuffer;
}

/** Memory for a number of hosts. */
export function sharedWays(hosts: number): SharedWays {
  const all = Array.from({ length: hosts }, (_, i) => i);
  return {
    rings: all.map((from) => all.map((to) => (from === to ? undefined : ringMemory(RING_BYTES)))),
    signals: new SharedArrayBuffer(hosts * Int32Array.BYTES_PER_ELEMENT),
  };
}

interface Waiting {
  readonly async: boolean;
  readonly value: Promise<string> | string;
}

// Of ES2024; Node has it since 16.
const asynchronous = Atomics as unknown as { waitAsync(words: Int32Array, at: number, seen: number): Waiting };

/** The ways from one host to all others, through rings in shared memory. No thread ever waits in a call: it is woken in its event loop. */
export class RingLinks {
  private readonly peers: readonly Peer[];
  private readonly signals: Int32Array;
  private readonly here: number;
  private isLooking = false;
  private isClosed = false;

  constructor({ rings, signals }: SharedWays, here: number) {
    this.signals = new Int32Array(signals);
    this.here = here;
    this.peers = rings.map((row, there) => new Peer(row[here], rings[here]![there], () => this.signal(there)));
  }

  to(host: number): HostLink {
    return this.peers[host]!.link;
  }

  /** Takes what has come and sends what there is room for. */
  look(): void {
    // What comes can make tasks run at once, which look again: but what is being read is not read twice.
    if (this.isLooking) return;
    this.isLooking = true;
    for (const peer of this.peers) peer.look();
    this.isLooking = false;
  }

  /** Looks whenever another thread says that there is something to see. */
  watch(): void {
    if (this.isClosed) return;
    const seen = Atomics.load(this.signals, this.here);
    this.look();
    const { async, value } = asynchronous.waitAsync(this.signals, this.here, seen);
    if (async) void (value as Promise<string>).then(() => this.watch());
    else setImmediate(() => this.watch());
  }

  close(): void {
    this.isClosed = true;
    this.signal(this.here);
  }

  private signal(host: number): void {
    Atomics.add(this.signals, host, 1);
    Atomics.notify(this.signals, host);
  }
}

/** Another host: frames that wait for room in the ring to it, and what comes from it. */
class Peer {
  readonly link: HostLink;
  private readonly incoming: ByteRing | undefined;
  private readonly outgoing: ByteRing | undefined;
  private readonly signal: () => void;
  private readonly assembler: FrameAssembler;
  /** Bytes that there was no room for: no more than credit allows, since writers without credit stop. */
  private readonly waiting = new Fifo<Uint8Array>();
  private current: Uint8Array | undefined;
  private written = 0;

  constructor(incoming: SharedArrayBuffer | undefined, outgoing: SharedArrayBuffer | undefined, signal: () => void) {
    this.incoming = incoming && new ByteRing(incoming);
    this.outgoing = outgoing && new ByteRing(outgoing);
    this.signal = signal;
    this.link = new HostLink((frame) => this.send(frame));
    this.assembler = new FrameAssembler((frame) => this.link.receive(frame));
  }

  look(): void {
    if (this.current !== undefined) this.write();
    if (this.incoming?.read((bytes) => this.assembler.push(bytes)) === true) this.signal();
  }

  private send(frame: Uint8Array): void {
    this.waiting.push(lengthPrefix(frame));
    this.waiting.push(frame);
    if (this.current === undefined) this.write();
  }

  private write(): void {
    const ring = this.outgoing!;
    const isRoom = this.fill(ring);
    if (!isRoom) {
      // Room that has come up meanwhile would not be told.
      ring.waitForRoom();
      this.fill(ring);
    }
    this.signal();
  }

  /** False when the ring is full. */
  private fill(ring: ByteRing): boolean {
    for (;;) {
      if (this.current === undefined) {
        this.current = this.waiting.shift();
        this.written = 0;
        if (this.current === undefined) return true;
      }
      this.written = ring.write(this.current, this.written);
      if (this.written < this.current.length) return false;
      this.current = undefined;
    }
  }
}
