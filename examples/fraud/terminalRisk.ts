import { type DataStream, listState } from '@millrace/core';
import type { WithSpending } from './customerSpending.ts';

/** Payments at a terminal whose outcome is known, and the share of frauds among them; 0 where there are none. */
export interface Risk {
  readonly count: number;
  readonly share: number;
}

/** A payment with all of its features. */
export interface WithFeatures {
  readonly spending: WithSpending;
  /** The terminal's risk over 1, 7 and 30 days, which end when the youngest label was known. */
  readonly day: Risk;
  readonly week: Risk;
  readonly month: Risk;
}

const DAY = 86_400_000;
/** It takes so long until it is known whether a payment was a fraud. */
export const LABEL_DELAY = 7 * DAY;
/** Older payments count for nothing any more. */
const MEMORY = LABEL_DELAY + 30 * DAY;

/** A payment as its terminal remembers it. */
interface Outcome {
  readonly at: number;
  readonly fraud: boolean;
}

/**
 * The features of terminals. A payment at time t sees the outcomes of those from t − 7 days and before: what came later is remembered, but
 * its label has not arrived. For the same reason it does not matter if payments come a little out of order.
 */
export const terminalRisk = (payments: DataStream<WithSpending>): DataStream<WithFeatures> =>
  payments
    .keyBy(({ payment }) => payment.terminal)
    .process({
      uid: 'terminal-risk',
      state: { outcomes: listState<Outcome>() },
      onElement(spending, { state, watermark }) {
        const { at, scenario } = spending.payment;
        const known = at - LABEL_DELAY;
        const day = new RiskCount(known - DAY);
        const week = new RiskCount(known - 7 * DAY);
        const month = new RiskCount(known - 30 * DAY);
        let oldest = Infinity;
        for (const outcome of state.outcomes.get()) {
          oldest = Math.min(oldest, outcome.at);
          if (outcome.at > known) continue;
          month.add(outcome);
          week.add(outcome);
          day.add(outcome);
        }
        // Once a day is often enough.
        const forgotten = watermark - MEMORY;
        if (oldest < forgotten - DAY) state.outcomes.update([...state.outcomes.get()].filter((one) => one.at >= forgotten));
        state.outcomes.add({ at, fraud: scenario > 0 });
        return [{ spending, day: day.risk(), week: week.risk(), month: month.risk() }];
      },
    });

/** Counts outcomes from a time on. */
class RiskCount {
  private readonly from: number;
  private count = 0;
  private frauds = 0;

  constructor(from: number) {
    this.from = from;
  }

  add({ at, fraud }: Outcome): void {
    if (at < this.from) return;
    this.count++;
    if (fraud) this.frauds++;
  }

  risk(): Risk {
    return { count: this.count, share: this.count === 0 ? 0 : this.frauds / this.count };
  }
}
