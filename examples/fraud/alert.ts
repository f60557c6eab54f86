import { brokenRules, type Rule } from './rules.ts';
import type { WithFeatures } from './terminalRisk.ts';

/** A payment after the rules have seen it. */
export interface Checked {
  readonly features: WithFeatures;
  readonly rules: readonly Rule[];
}

/** Puts a payment before the rules. */
export function check(features: WithFeatures): Checked {
  return { features, rules: brokenRules(features) };
}

/** An alert as it is written down: everything that was known when the payment was made, and so not whether it is a fraud. */
export function alertOf({ features, rules }: Checked): object {
  const { spending, day, week, month } = features;
  const { id, at, customer, terminal, amount } = spending.payment;
  return {
    payment: id,
    at: new Date(at).toISOString(),
    customer,
    terminal,
    amount,
    rules,
    spending: { day: spending.day, week: spending.week, month: spending.month },
    risk: { day, week, month },
  };
}
