import type { Payment } from './payment.ts';
import { Random } from './random.ts';

/** What is simulated: the figures of the Fraud Detection Handbook. */
export const WORLD = {
  customers: 5_000,
  terminals: 10_000,
  /** Customers and terminals lie in a square with sides of this length, and customers pay at terminals no further away than `reach`. */
  side: 100,
  reach: 5,
  /** A customer's mean amount; the standard deviation is half of it. */
  amount: { from: 5, to: 100 },
  paymentsPerDay: { from: 0, to: 4 },
  /** The time of day, in seconds. What falls outside of the day is dropped. */
  time: { mean: 43_200, deviation: 20_000 },
} as const;

/** The frauds. */
export const FRAUD = {
  largeAmount: 220,
  terminals: { perDay: 2, days: 28 },
  customers: { perDay: 3, days: 14, share: 1 / 3, factor: 5 },
} as const;

/** The first day. */
const START = Date.UTC(2018, 3, 1);
const DAY_SECONDS = 86_400;
/** The probability that a time of day falls into the day: what a normal distribution has within 2.16 deviations. */
const WITHIN_DAY = 0.9692;

interface Customer {
  readonly meanAmount: number;
  readonly paymentsPerDay: number;
  readonly terminals: readonly number[];
}

/** What is random about the simulation has numbers of its own for each purpose and day, so that a day can be made without those before. */
const PURPOSE = { world: 1, day: 2, terminals: 3, customers: 4 } as const;

/**
 * Simulates payments by card, some of them frauds, after the public description in the Fraud Detection Handbook (Le Borgne, Siblini,
 * Lebichot, Bontempi 2022). A day depends on the seed and its number alone.
 */
export class Simulator {
  private readonly seed: number;
  private readonly customers: readonly Customer[];

  constructor(seed: number) {
    this.seed = seed;
    this.customers = makeCustomers(new Random(seed, PURPOSE.world));
  }

  /** How many payments so many days will have, about. */
  expected(days: number): number {
    const perDay = this.customers.reduce((total, { paymentsPerDay }) => total + paymentsPerDay, 0);
    return Math.round(perDay * days * WITHIN_DAY);
  }

  /** The payments of a day, in order of their time. */
  day(day: number): readonly Payment[] {
    const { customers, seed } = this;
    const random = new Random(seed, PURPOSE.day, day);
    const badTerminals = drawn(day, FRAUD.terminals, (on) => new Random(seed, PURPOSE.terminals, on), WORLD.terminals);
    const badCustomers = drawn(day, FRAUD.customers, (on) => new Random(seed, PURPOSE.customers, on), WORLD.customers);
    const payments: Omit<Payment, 'id'>[] = [];
    customers.forEach((customer, number) => {
      for (let left = random.poisson(customer.paymentsPerDay); left > 0; left--) {
        const second = Math.floor(random.normal(WORLD.time.mean, WORLD.time.deviation));
        if (second < 0 || second >= DAY_SECONDS || customer.terminals.length === 0) continue;
        const amount = amountOf(customer, random);
        const terminal = customer.terminals[random.below(customer.terminals.length)]!;
        const stolen = badCustomers.has(number) && random.next() < FRAUD.customers.share;
        const scenario = stolen ? 3 : badTerminals.has(terminal) ? 2 : amount > FRAUD.largeAmount ? 1 : 0;
        payments.push({
          at: START + (day * DAY_SECONDS + second) * 1000,
          customer: number,
          terminal,
          amount: stolen ? cents(amount * FRAUD.customers.factor) : amount,
          scenario,
        });
      }
    });
    payments.sort((a, b) => a.at - b.at);
    return payments.map((payment, index) => ({ id: day * 1_000_000 + index, ...payment }));
  }
}

/** Those that were drawn on this day or on one of the days before that still count. */
function drawn(
  day: number,
  { perDay, days }: { readonly perDay: number; readonly days: number },
  randomOf: (day: number) => Random,
  below: number,
): ReadonlySet<number> {
  const found = new Set<number>();
  for (let on = Math.max(0, day - days + 1); on <= day; on++) {
    const random = randomOf(on);
    for (let left = perDay; left > 0; left--) found.add(random.below(below));
  }
  return found;
}

function amountOf({ meanAmount }: Customer, random: Random): number {
  const amount = random.normal(meanAmount, meanAmount / 2);
  return cents(amount < 0 ? random.uniform(0, 2 * meanAmount) : amount);
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

function makeCustomers(random: Random): readonly Customer[] {
  const { side, amount, paymentsPerDay } = WORLD;
  const place = (): Place => ({ x: random.uniform(0, side), y: random.uniform(0, side) });
  const terminals = Array.from({ length: WORLD.terminals }, place);
  return Array.from({ length: WORLD.customers }, () => ({
    terminals: within(WORLD.reach, place(), terminals),
    meanAmount: random.uniform(amount.from, amount.to),
    paymentsPerDay: random.uniform(paymentsPerDay.from, paymentsPerDay.to),
  }));
}

/** The numbers of the places that are near to one. */
function within(reach: number, { x, y }: Place, places: readonly Place[]): readonly number[] {
  const near: number[] = [];
  for (let number = 0; number < places.length; number++) {
    const place = places[number]!;
    if ((place.x - x) ** 2 + (place.y - y) ** 2 < reach ** 2) near.push(number);
  }
  return near;
}
