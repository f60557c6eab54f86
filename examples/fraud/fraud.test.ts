import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DataStream, type Mode, type Source, StreamEnvironment } from '@millrace/core';
import { csvFile, csvSink } from '@millrace/core/node';
import { everyCheckpoint, testJob, testSource } from '@millrace/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from './alert.ts';
import { customerSpending } from './customerSpending.ts';
import job from './job.ts';
import type { Outcome } from './outcome.ts';
import { type Payment, PaymentRow } from './payment.ts';
import { simulatedPayments } from './simulatedPayments.ts';
import { summaryText } from './summary.ts';
import { terminalRisk, type WithFeatures } from './terminalRisk.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const DAY = 86_400_000;
const CONFIG = { days: 1, seed: 0, alerts: 'unused' };

const features = (payments: DataStream<Payment>): DataStream<WithFeatures> => payments.pipe(customerSpending).pipe(terminalRisk);

async function featuresOf(payments: readonly Payment[], mode: Mode): Promise<WithFeatures[]> {
  const env = new StreamEnvironment({ mode });
  const time = { timestamp: ({ at }: Payment) => at, outOfOrder: { days: 1 } };
  const found = await env
    .from(testSource(payments, { batchSize: 1 }), { time })
    .pipe(features)
    .collect();
  return found.toSorted((a, b) => a.spending.payment.id - b.spending.payment.id);
}

/** The features by definition, each payment looking at all others. */
function expectedFeatures(payments: readonly Payment[]): unknown[] {
  return payments.map((payment) => {
    const spending = (days: number): unknown => {
      const own = payments.filter(({ customer, at }) => customer === payment.customer && at >= payment.at - days * DAY && at <= payment.at);
      const mean = own.reduce((total, { amount }) => total + amount, 0) / own.length;
      return { count: own.length, mean: expect.closeTo(mean, 9) as number };
    };
    const risk = (days: number): unknown => {
      const known = payment.at - 7 * DAY;
      const own = payments.filter(({ terminal, at }) => terminal === payment.terminal && at >= known - days * DAY && at <= known);
      return { count: own.length, share: own.length === 0 ? 0 : own.filter(({ scenario }) => scenario > 0).length / own.length };
    };
    return {
      spending: { payment, day: spending(1), week: spending(7), month: spending(30) },
      day: risk(1),
      week: risk(7),
      month: risk(30),
    };
  });
}

/** Payments of two customers at two terminals within some weeks, out of order by up to a day. */
const randomPayments = fc
  .array(
    fc.record({
      // Often whole days apart, where frames end.
      at: fc.oneof(
        fc.integer({ max: 80, min: 0 }).map((days) => days * DAY),
        fc.nat(80 * DAY),
      ),
      delay: fc.nat(DAY),
      customer: fc.nat(1),
      terminal: fc.nat(1),
      amount: fc.nat(300),
      scenario: fc.nat(3),
    }),
    { maxLength: 60 },
  )
  .map((some) =>
    some
      .toSorted((a, b) => a.at + a.delay - (b.at + b.delay))
      .map(({ at, customer, terminal, amount, scenario }, id): Payment => ({ id, at, customer, terminal, amount, scenario })),
  );

test('the features of random payments are what the definition says, in either mode', async () => {
  const property = fc.asyncProperty(randomPayments, async (payments) => {
    const expected = expectedFeatures(payments);
    expect(await featuresOf(payments, 'streaming')).toEqual(expected);
    expect(await featuresOf(payments, 'batch')).toEqual(expected);
  });
  await fc.assert(property, { numRuns: 30 });
});

test('no label is seen before it has arrived', async () => {
  const property = fc.asyncProperty(randomPayments, fc.nat(80 * DAY), async (payments, now) => {
    const relabelled = payments.map((payment) =>
      payment.at > now - 7 * DAY ? { ...payment, scenario: (payment.scenario + 1) % 4 } : payment,
    );
    const seen = async (some: readonly Payment[]): Promise<unknown[]> => {
      const found = (await featuresOf(some, 'streaming')).filter(({ spending }) => spending.payment.at <= now);
      return found.map(check).map(({ features: { day, week, month }, rules }) => ({ day, week, month, rules }));
    };
    expect(await seen(relabelled)).toEqual(await seen(payments));
  });
  await fc.assert(property, { numRuns: 30 });
});

test('a crash between any two payments changes nothing', () => {
  const payment = (id: number, days: number, scenario: number): Payment => ({
    id,
    at: days * DAY,
    customer: 1,
    terminal: 1,
    amount: 10 * id,
    scenario,
  });
  const payments = [payment(1, 0, 2), payment(2, 1, 0), payment(3, 0.5, 1), payment(4, 8, 0), payment(5, 60, 0), payment(6, 61, 0)];
  const out = everyCheckpoint(
    ({ paid }: { paid: DataStream<Payment> }) => ({ out: features(paid) }),
    (h) => {
      for (const one of payments) h.push('paid', one, one.at).watermark(one.at - DAY);
      h.end();
    },
  );
  expect(out.out.toSorted((a, b) => a.spending.payment.id - b.spending.payment.id)).toEqual(expectedFeatures(payments));
});

test('some days: the rules find what they can, and a batch gives the same', async () => {
  const run = async (mode: Mode) => {
    const { outputs } = await testJob(job, { config: CONFIG, mode, inputs: { payments: simulatedPayments({ days: 15, seed: 3 }) } });
    const latest = new Map((outputs['summary'] as { key: number; value: Outcome }[]).map(({ key, value }) => [key, value]));
    return { latest, alerts: outputs['alerts']!.map((alert) => JSON.stringify(alert)).toSorted() };
  };
  const streamed = await run('streaming');
  const batched = await run('batch');
  expect(batched.alerts).toEqual(streamed.alerts);
  expect(batched.latest).toEqual(streamed.latest);

  const [genuine, ...frauds] = [0, 1, 2, 3].map((scenario) => streamed.latest.get(scenario)!);
  const recall = frauds.map(({ alerts, payments }) => alerts / payments);
  // Labels come after a week, so that of the frauds at terminals few are found at first.
  expect(recall[0]).toBe(1);
  expect(recall[1]).toBeGreaterThan(0.05);
  expect(recall[2]).toBeGreaterThan(0.6);
  const right = frauds.reduce((total, { alerts }) => total + alerts, 0);
  expect(streamed.alerts.length).toBe(right + genuine!.alerts);
  expect(right / streamed.alerts.length).toBeGreaterThan(0.8);
  expect(streamed.alerts[0]).not.toContain('scenario');
}, 120_000);

test('payments from a file give the alerts that they would give at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fraud-'));
  try {
    const csv = join(folder, 'payments.csv.gz');
    const env = new StreamEnvironment();
    const rows = env
      .from(simulatedPayments({ days: 2, seed: 0 }))
      .map((payment) => ({ ...payment, at: new Date(payment.at).toISOString() }));
    rows.sinkTo(csvSink(csv, { columns: ['id', 'at', 'customer', 'terminal', 'amount', 'scenario'] }));
    await env.execute('export');
    const alertsOf = async (source: Source<Payment>): Promise<unknown> =>
      (await testJob(job, { config: { ...CONFIG, input: csv }, inputs: { payments: source } })).outputs['alerts'];
    expect(await alertsOf(csvFile(csv, PaymentRow))).toEqual(await alertsOf(simulatedPayments({ days: 2, seed: 0 })));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the summary', () => {
  const outcome = (payments: number, alerts: number, large: number, unusual: number, terminal: number): Outcome => ({
    payments,
    alerts,
    large,
    unusual,
    terminal,
  });
  const outcomes = new Map([
    [0, outcome(1000, 10, 0, 4, 6)],
    [1, outcome(10, 10, 10, 0, 0)],
    [3, outcome(30, 20, 5, 18, 0)],
  ]);
  expect(summaryText('A feed.', outcomes, 2)).toMatchInlineSnapshot(`
    "A feed.

    1,040 payments in 2.0 s (520 a second), 40 of them frauds (3.8%).

    scenario                  frauds     found    recall
    large amount                  10        10    100.0%
    terminal compromised           0         0         –
    card details stolen           30        20     66.7%
    all                           40        30     75.0%

    rule                      alerts     right precision
    large                         15        15    100.0%
    unusual                       22        18     81.8%
    terminal                       6         0      0.0%
    any                           40        30     75.0%"
  `);
});

test('the command says that it simulates', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-fraud-'));
  try {
    const flags = ['run', 'examples/fraud', '--', '--days', '2', '--alerts', join(folder, 'alerts.jsonl')];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['core/bin/millrace.js', ...flags], { cwd: root });
    expect(stdout).toContain('SIMULATED');
    expect(stdout).toMatch(/\d\d,\d{3} payments in [\d.]+ s \([\d,]+ a second\), \d+ of them frauds/);
    expect(stderr).toContain('"fraud" finished');
    const [alert] = (await readFile(join(folder, 'alerts.jsonl'), 'utf8')).split('\n');
    expect(JSON.parse(alert!)).toMatchObject({
      rules: ['large'],
      spending: { month: { count: 1 } },
      risk: { week: { count: 0, share: 0 } },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
