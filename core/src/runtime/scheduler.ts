import type { Platform } from './platform.ts';

/** Something that works in portions. */
export interface Schedulable {
  /** Works until there is nothing to do or the deadline (monotonic, ms) has passed. True when it could go on at once. */
  step(deadline: number): boolean;
  /** Called with what `step` threw. */
  onError(error: unknown): void;
}

/** How long tasks may hold the event loop in one go, in ms: others in the process wait at most about this long. */
const SLICE = 4;

/** Runs the tasks of this thread one after the other, a portion each, and lets the event loop breathe between slices. */
export class Scheduler {
  private readonly platform: Platform;
  private queue: Schedulable[] = [];
  private readonly queued = new Set<Schedulable>();
  private running = false;
  private waiting = false;
  private sliceStart = -Infinity;
  /** Called before each round: looks what has come from other threads. */
  look: (() => void) | undefined;

  constructor(platform: Platform) {
    this.platform = platform;
  }

  /** Asks for a task to be run soon. Callable from anywhere. */
  wake(task: Schedulable): void {
    if (this.queued.has(task)) return;
    this.queued.add(task);
    this.queue.push(task);
    if (this.running || this.waiting) return;
    // A result that comes back within the slice (a source that had its next batch at hand) goes on in it; else the loop turns first.
    if (this.platform.clock.monotonic() - this.sliceStart < SLICE) this.run();
    else this.turn();
  }

  private turn(): void {
    this.waiting = true;
    this.platform.later(() => {
      this.waiting = false;
      this.sliceStart = this.platform.clock.monotonic();
      this.run();
    });
  }

  private run(): void {
    const deadline = this.sliceStart + SLICE;
    this.running = true;
    for (;;) {
      this.look?.();
      if (this.queue.length === 0) break;
      const batch = this.queue;
      this.queue = [];
      for (const task of batch) {
        this.queued.delete(task);
        this.runTask(task, deadline);
      }
      if (this.platform.clock.monotonic() >= deadline) break;
    }
    this.running = false;
    if (this.queue.length > 0 && !this.waiting) this.turn();
  }

  private runTask(task: Schedulable, deadline: number): void {
    try {
      if (task.step(deadline)) this.wake(task);
    } catch (error) {
      task.onError(error);
    }
  }
}
