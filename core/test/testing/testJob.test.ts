import { describe, expect, test } from 'vitest';
import { count, defineJob, defineSource, discard, fromIterable, sum, tumbling } from '../../src/index.ts';
import { fault, testJob, testSource } from '../../src/testing.ts';
import { silent } from '../connectors/reading.ts';

interface Payment {
  readonly shop: string;
  readonly cents: number;
  readonly at: number;
}

/** Reads from where a test must not. */
const network = defineSource<Payment, number>({
  name: 'network',
  bounded: false,
  open: () => {
    throw new Error('a test reads from the network');
  },
});

const job = defineJob<{ readonly least: number }>({
  name: 'revenue',
  build(env, { least }) {
    const payments = env.from(network, { uid: 'payments', time: { timestamp: (payment) => payment.at, outOfOrder: { seconds: 5 } } });
    const refunds = env.from(fromIterable<Payment>([], { bounded: false }), { uid: 'refunds', time: { timestamp: (refund) => refund.at } });
    payments
      .map((payment) => {
        if (payment.cents < 0) throw new RangeError('negative');
        return payment;
      })
      .keyBy((payment) => payment.shop)
      .window(tumbling({ minutes: 1 }))
      .aggregate({ n: count(), total: sum((payment) => payment.cents) }, { uid: 'revenue' })
      .filter((result) => result.value.n >= least)
      .map(({ key, window, value }) => `${key} ${window.start} ${value.n} ${value.total}`)
      .sinkTo(discard(), { uid: 'report' });
    refunds.map((refund) => refund.cents).sinkTo(discard(), { uid: 'refunded' });
  },
});

const pay = (shop: string, cents: number, at: number): Payment => ({ shop, cents, at });
const payments = [pay('a', 10, 1_000), pay('b', 5, 2_000), pay('a', 20, 59_000), pay('a', 1, 61_000)];

const sorted = (values: readonly unknown[] | undefined): string[] => [...(values as string[])].sort();

describe('testJob', () => {
  test.each(['streaming', 'batch', 'automatic'] as const)('runs the whole job on values, mode %s', async (mode) => {
    const { outputs, metrics } = await testJob(job, { config: { least: 1 }, inputs: { payments, refunds: [pay('a', 3, 1)] }, mode });
    expect(Object.keys(outputs).sort()).toEqual(['refunded', 'report']);
    expect(sorted(outputs['report'])).toEqual(['a 0 2 30', 'a 60000 1 1', 'b 0 1 5']);
    expect(outputs['refunded']).toEqual([3]);
    expect(metrics.operators.find(({ uid }) => uid === 'payments')!.recordsOut).toBe(4);
  });

  test('the configuration is the job’s', async () => {
    const { outputs } = await testJob(job, { config: { least: 2 }, inputs: { payments, refunds: [] } });
    expect(outputs['report']).toEqual(['a 0 2 30']);
  });

  test('time is taken from the elements as in production: what is late or has no time comes out at the side', async () => {
    const late = pay('a', 7, 3_000);
    const timeless = pay('a', 7, Number.NaN);
    // One element a batch, so that each one's watermark is out before the next.
    const input = testSource([...payments, pay('c', 1, 200_000), late, timeless], { batchSize: 1 });
    const { outputs, sides } = await testJob(job, { config: { least: 1 }, inputs: { payments: input, refunds: [] } });
    expect(sides['revenue']!['late']).toEqual([late]);
    expect(sides['payments']!['rejected']).toMatchObject([{ code: 'timestamp/invalid', value: timeless }]);
    expect(sides['refunds']).toEqual({ rejected: [] });
    expect(outputs['report']).toContain('a 0 2 30');
  });

  test('dead letters are gathered', async () => {
    const bad = pay('a', -1, 5);
    const { outputs, deadLetters } = await testJob(job, {
      config: { least: 1 },
      inputs: { payments: [...payments, bad], refunds: [] },
      onError: 'deadLetter',
      logger: silent,
    });
    expect(deadLetters).toMatchObject([{ value: bad, reason: 'negative' }]);
    expect(outputs['report']).toHaveLength(3);
  });

  test('fails as the job does', async () => {
    const failed = testJob(job, {
      config: { least: 1 },
      inputs: { payments: testSource([payments[0]!, fault('cut')]), refunds: [] },
      logger: silent,
    });
    expect(await failed.catch((error: unknown) => error)).toMatchObject({ code: 'source/failed', uid: 'payments' });
  });

  test('every source needs an input, every input a source, and the error lists them', async () => {
    const config = { least: 1 };
    const missing = await testJob(job, { config, inputs: { payments } }).catch((error: unknown) => error);
    expect(missing).toMatchObject({ code: 'testing/contract', uid: 'refunds' });
    const unknown = await testJob(job, { config, inputs: { payments, refunds: [], orders: [] } }).catch((error: unknown) => error);
    expect(unknown).toMatchObject({ code: 'testing/contract' });
    for (const error of [missing, unknown]) expect(String(error)).toMatch(/payments, refunds/);
  });

  test('with several subtasks each sink still has one output', async () => {
    const { outputs } = await testJob(job, { config: { least: 1 }, inputs: { payments, refunds: [] }, parallelism: 3 });
    expect(sorted(outputs['report'])).toEqual(['a 0 2 30', 'a 60000 1 1', 'b 0 1 5']);
  });

  test('the job itself stays as it is', async () => {
    await testJob(job, { config: { least: 1 }, inputs: { payments, refunds: [] } });
    const started = job.run({ least: 1 }, { logger: silent }).catch((error: unknown) => error);
    expect(await started).toMatchObject({ uid: 'payments', cause: { message: 'a test reads from the network' } });
  });
});
