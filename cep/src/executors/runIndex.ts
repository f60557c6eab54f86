import type { Correlation } from '../automaton/automaton.ts';
import type { Run } from './run.ts';

/** The runs that wait in a transition by a property of an event that they have taken: those that can take another are found by its value. */
export class RunIndex {
  private readonly correlation: Correlation;
  private readonly byValue = new Map<unknown, Run[]>();

  constructor(correlation: Correlation) {
    this.correlation = correlation;
  }

  /** A run that has not taken the event in question agrees with none, and is not found. Throws what the user's function throws. */
  add(run: Run): void {
    const taken = this.takenBy(run);
    if (taken === undefined) return;
    const value = this.correlation.to(taken.event as never);
    const same = this.byValue.get(value);
    if (same === undefined) this.byValue.set(value, [run]);
    else same.push(run);
  }

  /** Those with the value: a list of the index's own, to be told of by {@link RunIndex.shrink} when it was shortened. */
  find(value: unknown): Run[] | undefined {
    // As `===` has it.
    return Number.isNaN(value) ? undefined : this.byValue.get(value);
  }

  shrink(value: unknown, runs: readonly Run[]): void {
    if (runs.length === 0) this.byValue.delete(value);
  }

  clear(): void {
    this.byValue.clear();
  }

  /** Drops what has gone. */
  compact(isToStay: (run: Run) => boolean): void {
    for (const [value, runs] of this.byValue) {
      const left = runs.filter(isToStay);
      if (left.length === 0) this.byValue.delete(value);
      else if (left.length < runs.length) this.byValue.set(value, left);
    }
  }

  /** The first event that the step has taken. */
  private takenBy(last: Run): Run | undefined {
    let found: Run | undefined;
    for (let run: Run | undefined = last; run !== undefined; run = run.parent) if (run.step === this.correlation.step) found = run;
    return found;
  }
}
