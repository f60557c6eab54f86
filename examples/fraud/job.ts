import { defineJob, type StreamEnvironment } from '@millrace/core';
import { csvFile, jsonLinesSink, rollingFiles } from '@millrace/core/node';
import { z } from 'zod';
import { alertOf, check } from './alert.ts';
import { customerSpending } from './customerSpending.ts';
import { outcomes } from './outcome.ts';
import { PaymentRow } from './payment.ts';
import { simulatedPayments } from './simulatedPayments.ts';
import { WORLD } from './simulator.ts';
import { summary } from './summary.ts';
import { terminalRisk } from './terminalRisk.ts';

const config = z.object({
  input: z
    .string()
    .optional()
    .describe('A CSV file with the columns id,at,customer,terminal,amount,scenario (0 where genuine) to read instead of simulating.'),
  days: z.int().min(1).max(3650).default(183).describe('How many days are simulated, of about 9,700 payments each.'),
  seed: z.int().min(0).default(0).describe('Begins another simulation.'),
  alerts: z.string().default('alerts.jsonl').describe('The file that alerts are written to, a JSON line each.'),
  output: z
    .string()
    .optional()
    .describe('Writes alerts to files in this directory instead: each exactly once, with --checkpoint also when it fails.'),
});
type Config = z.infer<typeof config>;

export default defineJob({
  name: 'fraud',
  module: import.meta,
  config,
  build(env, given) {
    const checked = payments(env, given).pipe(customerSpending).pipe(terminalRisk).map(check, { uid: 'rules' });
    checked
      .filter(({ rules }) => rules.length > 0)
      .map(alertOf)
      // By size alone: with files that end by the clock no two runs would write the same ones.
      .sinkTo(given.output === undefined ? jsonLinesSink(given.alerts) : rollingFiles(given.output, { roll: { size: 262_144 } }), {
        uid: 'alerts',
      });
    outcomes(checked).sinkTo(summary(`${feedOf(given)}\nAlerts are in ${given.output ?? given.alerts}.`), {
      uid: 'summary',
      parallelism: 1,
    });
  },
});

function payments(env: StreamEnvironment, { input, days, seed }: Config) {
  const source = input === undefined ? simulatedPayments({ days, seed }) : csvFile(input, PaymentRow);
  // The simulation is in order. Files may be out of order by a minute.
  const outOfOrder = { minutes: input === undefined ? 0 : 1 };
  return env.from(source, { uid: 'payments', time: { timestamp: ({ at }) => at, outOfOrder } });
}

function feedOf({ input, days, seed }: Config): string {
  if (input !== undefined) return `Payments from ${input}.`;
  const { customers, terminals } = WORLD;
  return (
    `These payments are SIMULATED: ${customers.toLocaleString('en')} customers, ${terminals.toLocaleString('en')} terminals, ` +
    `${days} days, seed ${seed}.\nReal fraud is harder to find: the figures say how the rules do in this simulation, no more.`
  );
}
