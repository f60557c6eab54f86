import type { Automaton, Transition } from '../automaton/automaton.ts';
import { isIn, retain, type Run } from './run.ts';
import { RunIndex } from './runIndex.ts';

/** Runs that wait in one transition. */
export class Bucket {
  /** In the order in which they came, and so in that of their times. Some may have gone: they are told by `isIn`. */
  waiting: Run[] = [];
  /** Those that came with the last event, where a transition asks something of the very next one. */
  fresh: Run[] = [];
  /** Those that wait, by a value, where the transition can find them by it. */
  readonly index: RunIndex | undefined;
  private readonly transition: Transition;
  /** When it has grown to so many, those that have gone are dropped. */
  private limit = 16;

  constructor({ transitions, correlations }: Automaton, id: number) {
    this.transition = transitions[id]!;
    const { index } = this.transition;
    this.index = index < 0 ? undefined : new RunIndex(correlations[index]!);
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.fresh.length === 0;
  }

  /** A run is to wait here. Throws what the user's function throws that an index asks; the run waits nevertheless. */
  add(run: Run): void {
    const { waiting, index } = this;
    if (waiting.length >= this.limit) {
      const isHere = (each: Run): boolean => isIn(this.transition, each);
      retain(waiting, isHere);
      index?.compact(isHere);
      this.limit = Math.max(16, 2 * waiting.length);
    }
    waiting.push(run);
    index?.add(run);
  }

  /** A run has waited here when a snapshot was taken. */
  restore(run: Run): void {
    try {
      this.add(run);
    } catch {
      // It failed then, too, and the event was rejected for it.
    }
  }

  /** The run that has been here for longest. */
  get first(): Run | undefined {
    return this.firstOf(this.waiting) ?? this.firstOf(this.fresh);
  }

  /** Takes out the runs that came up to a time. */
  takeUntil(time: number): Run[] {
    const taken: Run[] = [];
    for (const runs of [this.waiting, this.fresh]) {
      let count = 0;
      for (; count < runs.length && (runs[count]!.time <= time || !isIn(this.transition, runs[count]!)); count++) {
        if (isIn(this.transition, runs[count]!)) taken.push(runs[count]!);
      }
      runs.splice(0, count);
    }
    return taken;
  }

  private firstOf(runs: Run[]): Run | undefined {
    let at = 0;
    while (at < runs.length && !isIn(this.transition, runs[at]!)) at++;
    // Looked through once only.
    if (at > 0) runs.splice(0, at);
    return runs[0];
  }
}
