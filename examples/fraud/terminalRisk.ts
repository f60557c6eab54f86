import { type DataStream, type ListState, listState } from '@millrace/core';
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

/**
 * The features of terminals. A payment at time t sees the outcomes of those from t − 7 days and before: what came later is remembered, but
 * its label has not arrived. For the same reason it does not matter if payments come a little out of order.
 */
export const terminalRisk = (payments: DataStream<WithSpending>): DataStream<WithFeatures> =>
  payments
    .keyBy(({ payment }) => payment.terminal)
    .process({
      uid: 'terminal-risk',
      // The times of the payments that turned out one way or the other.
      state: { genuine: listState<number>(), frauds: listState<number>() },
      onElement(spending, { state, watermark }) {
        const { at, scenario } = spending.payment;
        const known = at - LABEL_DELAY;
        const genuine = countUntil(known, state.genuine.get());
        const frauds = countUntil(known, state.frauds.get());
        forget(state.genuine, watermark - MEMORY);
        forget(state.frauds, watermark - MEMORY);
        (scenario > 0 ? state.frauds : state.genuine).add(at);
        return [
          {
            spending,
            day: risk(frauds.day, genuine.day),
            week: risk(frauds.week, genuine.week),
            month: risk(frauds.month, genuine.month),
          },
        ];
      },
    });

/** How many of some times lie in the last 1, 7 and 30 days until `end`, both ends included. */
function countUntil(end: number, times: Iterable<number>): { readonly day: number; readonly week: number; readonly month: number } {
  let day = 0;
  let week = 0;
  let month = 0;
  for (const time of times) {
    if (time > end) continue;
    if (time >= end - DAY) day++;
    if (time >= end - 7 * DAY) week++;
    if (time >= end - 30 * DAY) month++;
  }
  return { day, week, month };
}

function risk(frauds: number, genuine: number): Risk {
  const count = frauds + genuine;
  return { count, share: count === 0 ? 0 : frauds / count };
}

/** Removes times before `start`; not one by one, which would cost more than it saves. */
function forget(times: ListState<number>, start: number): void {
  for (const oldest of times.get()) {
    if (oldest < start - DAY) times.update([...times.get()].filter((time) => time >= start));
    break;
  }
}
