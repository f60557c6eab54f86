import { count, type DataStream, sum } from '@millrace/core';
import type { Checked } from './alert.ts';
import type { Rule } from './rules.ts';

/** What became of the payments of a scenario; for each rule, how many it was broken by. */
export interface Outcome extends Readonly<Record<Rule, number>> {
  readonly payments: number;
  readonly alerts: number;
}

const brokenBy = (rule: Rule) => sum(({ rules }: Checked) => (rules.includes(rule) ? 1 : 0));

/** Outcomes by scenario, as they stand after each payment; at the end of a batch. This is hindsight: it looks at the labels. */
export const outcomes = (checked: DataStream<Checked>): DataStream<{ readonly key: number; readonly value: Outcome }> =>
  checked
    .keyBy(({ features }) => features.spending.payment.scenario)
    .aggregate(
      {
        payments: count(),
        alerts: sum(({ rules }) => (rules.length > 0 ? 1 : 0)),
        large: brokenBy('large'),
        unusual: brokenBy('unusual'),
        terminal: brokenBy('terminal'),
      },
      { uid: 'outcomes' },
    );
