import { z } from 'zod';

/** A payment by card at a terminal, and what it turned out to be. */
export interface Payment {
  readonly id: number;
  /** In ms. */
  readonly at: number;
  readonly customer: number;
  readonly terminal: number;
  readonly amount: number;
  /**
   * 0 for a genuine payment, else how it is a fraud: see {@link SCENARIOS}. In life this is known a week later; what decides about a
   * payment must not look at it before.
   */
  readonly scenario: number;
}

/** The kinds of fraud, by number. */
export const SCENARIOS: readonly string[] = ['genuine', 'large amount', 'terminal compromised', 'card details stolen'];

/** A payment as a row of a CSV file with the columns `id,at,customer,terminal,amount,scenario`; `at` in ISO 8601. */
export const PaymentRow = z.object({
  id: z.coerce.number(),
  at: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  customer: z.coerce.number(),
  terminal: z.coerce.number(),
  amount: z.coerce.number(),
  scenario: z.coerce.number().int().min(0).max(3),
});
