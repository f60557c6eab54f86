const FIRST_SIZE = 64 * 1024;
/** What is kept for the next segments: as much as is on its way to the storage at a time. */
const MOST_SPARE = 6;

/**
 * Memory that segments are written into, again and again: megabytes that are given up with every checkpoint would make the garbage collector
 * go through all of the state, time after time.
 */
export class SegmentMemory {
  private readonly spare: ArrayBuffer[] = [];

  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.spare.pop() ?? new ArrayBuffer(FIRST_SIZE));
  }

  /** Takes back what bytes stand in: nobody reads them any more. */
  giveBack({ buffer }: Uint8Array): void {
    // What has gone to another thread is empty.
    const isFree = buffer instanceof ArrayBuffer && buffer.byteLength > FIRST_SIZE && this.spare.length < MOST_SPARE;
    if (isFree) this.spare.push(buffer);
  }
}
