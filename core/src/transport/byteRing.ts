const HEAD = 0;
const TAIL = 1;
const FULL = 2;
const HEADER = 3 * Int32Array.BYTES_PER_ELEMENT;

/** Shared memory for a {@link ByteRing} of `capacity` bytes. */
export function ringMemory(capacity: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER + capacity);
}

/**
 * A stream of bytes from one thread to one other through shared memory. Neither side ever waits: what does not fit is written later,
 * and the writer says so for the reader to tell it when there is room again.
 */
export class ByteRing {
  private readonly words: Int32Array;
  private readonly data: Uint8Array;
  private readonly capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, 3);
    this.data = new Uint8Array(memory, HEADER);
    this.capacity = this.data.length;
  }

  /** Writes as much as there is room for, from `from` on; returns how far it has come. */
  write(bytes: Uint8Array, from: number): number {
    const tail = Atomics.load(this.words, TAIL);
    const used = (tail - Atomics.load(this.words, HEAD)) >>> 0;
    const count = Math.min(bytes.length - from, this.capacity - used);
    if (count === 0) return from;
    const at = (tail >>> 0) % this.capacity;
    const first = Math.min(count, this.capacity - at);
    this.data.set(bytes.subarray(from, from + first), at);
    if (first < count) this.data.set(bytes.subarray(from + first, from + count), 0);
    Atomics.store(this.words, TAIL, (tail + count) | 0);
    return from + count;
  }

  /** The writer waits for room. */
  waitForRoom(): void {
    Atomics.store(this.words, FULL, 1);
  }

  /** Gives all that was written to `take`, in one or two pieces that are valid during the call. True when the writer waits for room. */
  read(take: (bytes: Uint8Array) => void): boolean {
    const head = Atomics.load(this.words, HEAD);
    const count = (Atomics.load(this.words, TAIL) - head) >>> 0;
    if (count > 0) {
      const at = (head >>> 0) % this.capacity;
      const first = Math.min(count, this.capacity - at);
      take(this.data.subarray(at, at + first));
      if (first < count) take(this.data.subarray(0, count - first));
      Atomics.store(this.words, HEAD, (head + count) | 0);
    }
    return Atomics.exchange(this.words, FULL, 0) === 1;
  }
}
