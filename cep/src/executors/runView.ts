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

  private eventsOf(step: number): unknown[] | undefined {
    let events: unknown[] | undefined;
    for (let run = this.run; run !== undefined; run = run.parent) {
      if (run.step === step) (events ??= []).push(run.event);
    }
    return events?.reverse();
  }
}
