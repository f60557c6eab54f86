import { defineSource, type Source } from '@millrace/core';
import type { Payment } from './payment.ts';
import { Simulator } from './simulator.ts';

/** The place after a payment: a day, and how many of its payments were given out. */
interface Position {
  readonly day: number;
  readonly taken: number;
}

/** Payments per batch. */
const BATCH = 1024;

/** The payments of so many simulated days, in order of their time. The same seed gives the same ones, from any position. */
export function simulatedPayments({ days, seed }: { readonly days: number; readonly seed: number }): Source<Payment> {
  return defineSource<Payment, Position>({
    name: `simulated payments of ${days} days`,
    bounded: true,
    open: () => {
      const simulator = new Simulator(seed);
      return {
        splits: async () => ['payments'],
        // For the progress shown; what a day has is known when it is made.
        count: async () => simulator.expected(days),
        async *read(_split, from = { day: 0, taken: 0 }, { signal }) {
          for (let { day, taken } = from; day < days; day++, taken = 0) {
            const payments = simulator.day(day);
            for (; taken < payments.length; taken += BATCH) {
              if (signal.aborted) return;
              yield { values: payments.slice(taken, taken + BATCH), position: { day, taken: taken + BATCH } };
            }
          }
        },
      };
    },
  });
}
