/**
 * What a chain's driver looks at between two records. Whoever can take no more `block`s, and `unblock`s when it can; the driver
 * then stops after the record it is at, and the task goes on where it stopped.
 */
export class Control {
  /** Read by generated code after each record: stop here and let the task look around. */
  interrupt = false;
  private blocks = 0;
  private readonly onUnblocked: () => void;

  constructor(onUnblocked: () => void) {
    this.onUnblocked = onUnblocked;
  }

  get blocked(): boolean {
    return this.blocks > 0;
  }

  block(): void {
    this.blocks++;
    this.interrupt = true;
  }

  unblock(): void {
    if (--this.blocks > 0) return;
    this.interrupt = false;
    this.onUnblocked();
  }

  /** Interrupts the driver once without blocking: something is to be done before the next record. */
  pause(): void {
    this.interrupt = true;
  }

  resume(): void {
    this.interrupt = this.blocks > 0;
  }
}
