import { avg, count, type DataStream } from '@millrace/core';
import type { Payment } from './payment.ts';

/** What a customer paid lately, the payment itself included. */
export interface Spending {
  readonly count: number;
  readonly mean: number;
}

/** A payment with what its customer paid in the 1, 7 and 30 days up to it. */
export interface WithSpending {
  readonly payment: Payment;
  readonly day: Spending;
  readonly week: Spending;
  readonly month: Spending;
}

/** The features of customers. */
export const customerSpending = (payments: DataStream<Payment>): DataStream<WithSpending> =>
  payments
    .keyBy((payment) => payment.customer)
    .over({ last: { days: 1 } }, { count: count(), mean: avg((payment) => payment.amount) }, { uid: 'spending-day' })
    .map(({ value: payment, over: day }) => ({ payment, day }))
    .keyBy(({ payment }) => payment.customer)
    .over({ last: { days: 7 } }, { count: count(), mean: avg(({ payment }) => payment.amount) }, { uid: 'spending-week' })
    .map(({ value: { payment, day }, over: week }) => ({ payment, day, week }))
    .keyBy(({ payment }) => payment.customer)
    .over({ last: { days: 30 } }, { count: count(), mean: avg(({ payment }) => payment.amount) }, { uid: 'spending-month' })
    .map(({ value: { payment, day, week }, over: month }) => ({ payment, day, week, month }));
