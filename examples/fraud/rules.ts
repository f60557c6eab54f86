import type { WithFeatures } from './terminalRisk.ts';

/**
 * What makes a payment suspicious. The rules see its features and its amount, never what it turned out to be; a terminal's frauds reach
 * them with the 7 days' delay that is in its features. The thresholds were chosen by trying some on a simulated half-year.
 */
export const RULES = {
  /** More than anybody here spends: the limit that the first scenario is defined by, so that a simulation finds all of it. */
  large: ({ spending: { payment } }: WithFeatures) => payment.amount > 220,
  /** Far from what the customer usually spends. A normal distribution with half its mean as deviation is above this once in 4,000 times. */
  unusual: ({ spending: { payment, month } }: WithFeatures) => month.count >= 5 && payment.amount >= 2.75 * month.mean,
  /** At least half of what was paid at the terminal in a week was fraud, and it was more than one payment. */
  terminal: ({ week }: WithFeatures) => week.count >= 2 && week.share >= 0.5,
} as const;

export type Rule = keyof typeof RULES;

/** The names of the rules, in the order in which they are told. */
export const RULE_NAMES = Object.keys(RULES) as Rule[];

/** The rules that a payment breaks. */
export function brokenRules(features: WithFeatures): readonly Rule[] {
  return RULE_NAMES.filter((rule) => RULES[rule](features));
}
