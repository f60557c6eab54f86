import type { Run } from './run.ts';

/** What iterative conditions see of a run: its events by step name, gathered when they are asked for. */
export class RunView {
  run: Run | undefined;
  /** A property per step; `undefined` where it has taken nothing. */
  readonly soFar: never;

  constructor(steps: readonly string[]) {
    const soFar = {};
    for (const [step, name] of steps.entries()) {
      Object.defineProperty(soFar, name, { enumerable: true, get: () => this.eventsOf(step) });
    }
    this.soFar = soFar as never;
  }

  /** Counts first: a list that grows costs more than a second walk. */
  private eventsOf(step: number): unknown[] | undefined {
    let count = 0;
    for (let run = this.run; run !== undefined; run = run.parent) if (run.state.step === step) count++;
    if (count === 0) return undefined;
    // oxlint-disable-next-line unicorn/no-new-array -- room for all of them at once: setting the length of an array is slow
    const events = new Array<unknown>(count);
    for (let run = this.run; count > 0; run = run!.parent) if (run!.state.step === step) events[--count] = run!.arrival.event;
    return events;
  }
}
