import { checkSource } from '@millrace/core/testing';
import { expect, test } from 'vitest';
import type { Payment } from './payment.ts';
import { Random } from './random.ts';
import { simulatedPayments } from './simulatedPayments.ts';
import { FRAUD, Simulator, WORLD } from './simulator.ts';

const DAY = 86_400_000;
const START = Date.UTC(2018, 3, 1);
const simulator = new Simulator(0);
/** Two months, in which all kinds of fraud come to their full number. */
const DAYS = 60;
const days = Array.from({ length: DAYS }, (_, day) => simulator.day(day));
const payments = days.flat();

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

/** Within a share of what is expected. */
function expectNear(value: number, expected: number, share: number): void {
  expect(Math.abs(value - expected) / expected, `${value}, not ${expected}`).toBeLessThan(share);
}

function grouped(some: readonly Payment[], by: (payment: Payment) => number): Map<number, Payment[]> {
  const groups = new Map<number, Payment[]>();
  for (const payment of some) {
    const group = groups.get(by(payment));
    if (group === undefined) groups.set(by(payment), [payment]);
    else group.push(payment);
  }
  return groups;
}

const of = (scenario: number): readonly Payment[] => payments.filter((payment) => payment.scenario === scenario);

test('random numbers are those of their seeds and have the distributions that they should', () => {
  const numbers = (...seeds: number[]): number[] => {
    const random = new Random(...seeds);
    return Array.from({ length: 3 }, () => random.next());
  };
  expect(numbers(1, 2)).toEqual(numbers(1, 2));
  expect(new Set([numbers(1, 2), numbers(2, 1), numbers(1), numbers(0), numbers(0, 0), numbers(2 ** 32)].map(String)).size).toBe(6);
  const random = new Random(5);
  const many = <T>(make: () => T): T[] => Array.from({ length: 50_000 }, make);
  expectNear(mean(many(() => random.next())), 0.5, 0.02);
  expectNear(mean(many(() => random.next() ** 2)), 1 / 3, 0.02);
  expectNear(mean(many(() => random.normal(10, 2))), 10, 0.01);
  expectNear(mean(many(() => (random.normal(10, 2) - 10) ** 2)), 4, 0.03);
  expectNear(mean(many(() => random.poisson(2.5))), 2.5, 0.02);
  expectNear(mean(many(() => (random.poisson(2.5) - 2.5) ** 2)), 2.5, 0.04);
});

test('a day depends on the seed and its number alone', () => {
  expect(new Simulator(0).day(40)).toEqual(days[40]);
  expect(new Simulator(1).day(40)).not.toEqual(days[40]);
});

test('the source keeps the contract of sources, and can be taken up anywhere', async () => {
  await checkSource(simulatedPayments({ days: 2, seed: 0 }), { expected: [...days[0]!, ...days[1]!], positions: 5 });
});

test('as many payments as expected, in order, at the times of day that are usual', () => {
  expectNear(payments.length, WORLD.customers * 2 * 0.9692 * DAYS, 0.03);
  expectNear(payments.length, simulator.expected(DAYS), 0.01);
  expect(new Set(payments.map(({ id }) => id)).size).toBe(payments.length);
  days.forEach((day, number) => {
    const times = day.map(({ at }) => (at - START) / DAY);
    expect(times.every((time, index) => index === 0 || time >= times[index - 1]!)).toBe(true);
    expect(times[0]).toBeGreaterThanOrEqual(number);
    expect(times.at(-1)).toBeLessThan(number + 1);
  });
  const seconds = payments.map(({ at }) => (at % DAY) / 1000);
  expectNear(mean(seconds), 43_200, 0.01);
  const early = seconds.filter((second) => second < 43_200 - WORLD.time.deviation).length / seconds.length;
  // 15.87% of a normal distribution is below one deviation; 1.54% are before the day and 3.08% are dropped.
  expectNear(early, (0.1587 - 0.0154) / 0.9692, 0.03);
});

test('customers pay amounts of their own at terminals near them', () => {
  expect(new Set(payments.map(({ customer }) => customer)).size).toBeGreaterThan(WORLD.customers * 0.97);
  expect(Math.min(...days.map((day) => Math.min(...day.map(({ amount }) => amount))))).toBeGreaterThanOrEqual(0);
  expectNear(mean(of(0).map(({ amount }) => amount)), 53.9, 0.05);
  const byCustomer = grouped(payments, ({ customer }) => customer);
  const busy = [...byCustomer.values()].filter((own) => own.length > 100);
  // Half of the mean, but for the 2.3% below zero, which are replaced by amounts between zero and twice the mean.
  const deviations = busy.map((own) => {
    const amounts = own.filter(({ scenario }) => scenario !== 3).map(({ amount }) => amount);
    const middle = mean(amounts);
    return Math.sqrt(mean(amounts.map((amount) => (amount - middle) ** 2))) / middle;
  });
  expectNear(mean(deviations), 0.461, 0.02);
  // In a circle of radius 5 there are 78.5 terminals, fewer at the edges.
  const terminals = new Set(busy[0]!.map(({ terminal }) => terminal)).size;
  expect(terminals).toBeLessThan(130);
});

test('large amounts are frauds', () => {
  const large = payments.filter(({ amount, scenario }) => amount > FRAUD.largeAmount && scenario < 2);
  expect(large).toEqual(of(1));
  // About 0.8% of what the biggest spenders pay, and hardly anything of others'.
  expectNear(of(1).length / payments.length, 0.0006, 0.3);
});

test('a compromised terminal turns all its payments into frauds, for 28 days', () => {
  const compromised = new Set(of(2).map(({ at, terminal }) => `${Math.floor((at - START) / DAY)} ${terminal}`));
  const there = payments.filter(({ at, terminal }) => compromised.has(`${Math.floor((at - START) / DAY)} ${terminal}`));
  expect(there.every(({ scenario }) => scenario >= 2)).toBe(true);
  // 28 days' terminals at a time, each with a payment a day.
  const late = of(2).filter(({ at }) => at >= START + 28 * DAY).length / (DAYS - 28);
  expectNear(late, FRAUD.terminals.perDay * 28 * (payments.length / DAYS / WORLD.terminals), 0.15);
  const spans = [...grouped(of(2), ({ terminal }) => terminal).values()].map((own) => own.at(-1)!.at - own[0]!.at);
  expect(spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 2)]).toBeLessThan(28 * DAY);
});

test('with stolen card details a third of the payments have five times their amount, for 14 days', () => {
  const late = of(3).filter(({ at }) => at >= START + 14 * DAY).length / (DAYS - 14);
  expectNear(late, (FRAUD.customers.perDay * 14 * (payments.length / DAYS / WORLD.customers)) / 3, 0.15);
  expectNear(mean(of(3).map(({ amount }) => amount)), 5 * 53.9, 0.15);
});

test('the share of frauds is what the scenarios make of it', () => {
  expectNear((payments.length - of(0).length) / payments.length, 0.008, 0.2);
});
