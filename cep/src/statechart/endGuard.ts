import type { OperatorContext } from '@millrace/core';
import type { Chart } from './chart.ts';
import type { Interpreter } from './interpreter.ts';

/** How many delays of a machine come after the end of its input, whatever it does. */
const MOST_AFTER_END = 1000;

/**
 * After the end of the input time goes on to its end, and with it delays that start delays in turn. A machine that only goes round
 * would do so for ever: once a delay brings it back to a state and context in which it was since the end, it starts no further ones.
 */
export class EndGuard {
  private readonly context: OperatorContext;
  private readonly machine: string;
  /** Where each machine has been since the end. */
  private readonly seen = new WeakMap<Chart, Set<string>>();
  private told = false;

  constructor(context: OperatorContext, machine: string) {
    this.context = context;
    this.machine = machine;
  }

  /** A delay of `chart` was fired, and the interpreter holds what came of it. */
  check(chart: Chart, interpreter: Interpreter): void {
    const seen = this.seen.get(chart) ?? new Set([placeOf(chart)]);
    this.seen.set(chart, seen);
    const place = placeOf(interpreter as Chart);
    if (!seen.has(place) && seen.size < MOST_AFTER_END) {
      seen.add(place);
      return;
    }
    const dropped = interpreter.dropNewDelays();
    if (dropped === 0) return;
    const { metrics, subtask } = this.context;
    metrics.dropped += dropped;
    if (this.told) return;
    this.told = true;
    subtask.logger.warn(
      `uid "${subtask.uid}": the input has ended, and delays of machine "${this.machine}" that would go on for ever were dropped.`,
    );
  }
}

function placeOf({ snapshot }: Pick<Chart, 'snapshot'>): string {
  return JSON.stringify([snapshot.value, snapshot.context]);
}
