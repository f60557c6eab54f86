/** The memory that the resident keys of a job's backends share: each backend that holds keys has an equal part of it. */
export class MemoryShare {
  private readonly bytes: number;
  private holders = 0;

  /** `bytes`: for all backends together. */
  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** A backend begins to hold keys. */
  join(): void {
    this.holders++;
  }

  /** How many bytes one backend may hold. */
  get each(): number {
    return this.bytes / Math.max(this.holders, 1);
  }
}
