import { describe, expect, expectTypeOf, test } from 'vitest';
import { type DataStream, fromArray, mapState, output, StreamEnvironment, valueState } from '../../src/index.ts';
import { everyCheckpoint, type Harness, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { storedState } from './steps.ts';

interface Payment {
  readonly id: string;
  readonly customer: string;
}
interface Customer {
  readonly id: string;
  readonly tier: 'basic' | 'gold';
}

/** Payments wait up to five minutes for their customer. */
const tiers = (i: { payments: DataStream<Payment>; customers: DataStream<Customer> }) => {
  const matched = i.payments
    .keyBy((p) => p.customer)
    .connect(i.customers.keyBy((c) => c.id))
    .process({
      uid: 'tiers',
      state: { customer: valueState<Customer>(), waiting: mapState<string, Payment>() },
      timers: { giveUp: 'eventTime' },
      outputs: { orphan: output<Payment>() },
      *onLeft(p, { state, timers }) {
        const customer = state.customer.value();
        if (customer) yield { ...p, tier: customer.tier };
        else {
          state.waiting.put(p.id, p);
          timers.set('giveUp', { after: { minutes: 5 } });
        }
      },
      *onRight(customer, { state }) {
        state.customer.update(customer);
        for (const [, p] of state.waiting.entries()) yield { ...p, tier: customer.tier };
        state.waiting.clear();
      },
      onTimer(_timer, { state, output: emit }) {
        for (const [, p] of state.waiting.entries()) emit('orphan', p);
        state.waiting.clear();
      },
    });
  expectTypeOf(matched.map(({ tier }) => tier)).toEqualTypeOf<DataStream<'basic' | 'gold'>>();
  expectTypeOf(matched.side('orphan')).toEqualTypeOf<DataStream<Payment>>();
  return { out: matched, orphans: matched.side('orphan') };
};

const MINUTE = 60_000;

describe('connected keyed streams', () => {
  test.each([true, false])('share the state and the timers of a key, through every checkpoint; generated code: %s', (generateCode) => {
    const script = <O>(h: Harness<{ payments: Payment; customers: Customer }, O>): unknown =>
      h
        .push('payments', { id: 'p1', customer: 'ann' }, 1)
        .push('payments', { id: 'p2', customer: 'bob' }, 2)
        .push('customers', { id: 'ann', tier: 'gold' }, 3)
        .push('payments', { id: 'p3', customer: 'ann' }, 4)
        .watermark(5 * MINUTE + 2)
        .push('customers', { id: 'bob', tier: 'basic' }, 5 * MINUTE + 2)
        .push('payments', { id: 'p4', customer: 'bob' }, 5 * MINUTE + 3)
        .watermark(5 * MINUTE + 10)
        .push('payments', { id: 'p5', customer: 'eve' }, 6 * MINUTE)
        .end();
    const { out, orphans } = everyCheckpoint(tiers, script, { run: { generateCode } });
    expect(out.map(({ id, tier }) => `${id} ${tier}`)).toEqual(['p1 gold', 'p3 gold', 'p4 basic']);
    expect(orphans.map(({ id }) => id)).toEqual(['p2', 'p5']);
  });

  test('a result has the time of what it was made for', () => {
    const h = harness(tiers);
    h.push('payments', { id: 'p1', customer: 'ann' }, 1)
      .push('customers', { id: 'ann', tier: 'gold' }, 7)
      .push('payments', { id: 'p2', customer: 'ann' }, 4);
    expect(h.drainTimed('out').map(({ timestamp }) => timestamp)).toEqual([7, 4]);
    h.push('payments', { id: 'p3', customer: 'bob' }, 10).end();
    expect(h.drainTimed('orphans').map(({ timestamp }) => timestamp)).toEqual([10 + 5 * MINUTE]);
  });

  test('the watermark is the lower of the two inputs’', () => {
    const h = harness(tiers);
    h.push('payments', { id: 'p', customer: 'ann' }, 0).watermark(10 * MINUTE, 'payments');
    expect(h.drain('orphans')).toEqual([]);
    h.watermark(5 * MINUTE, 'customers');
    expect(h.drain('orphans')).toHaveLength(1);
    h.push('payments', { id: 'q', customer: 'ann' }, 7 * MINUTE).end('customers');
    expect(h.drain('orphans')).toEqual([]);
    h.end('payments');
    expect(h.drain('orphans')).toHaveLength(1);
  });

  test('a key that holds nothing costs nothing', () => {
    const h = harness(tiers);
    h.push('payments', { id: 'p', customer: 'ann' }, 0).watermark(5 * MINUTE);
    expect(storedState(h.snapshot(), 'tiers').keyed).toEqual([]);
  });

  test('both modes and any parallelism give the same where arrival does not matter', async () => {
    const payments = Array.from({ length: 60 }, (_, i) => ({ id: `p${i}`, customer: `c${i % 7}`, at: i }));
    const customers = Array.from({ length: 7 }, (_, i): Customer & { at: number } => ({
      id: `c${i}`,
      tier: i % 2 === 0 ? 'gold' : 'basic',
      at: i * 9,
    }));
    const run = async (mode: 'streaming' | 'batch', parallelism: number): Promise<string[]> => {
      const env = new StreamEnvironment({ mode, parallelism });
      const time = { timestamp: ({ at }: { at: number }) => at };
      const { out } = tiers({ payments: env.from(fromArray(payments), { time }), customers: env.from(fromArray(customers), { time }) });
      return (await out.collect()).map(({ id, tier }) => `${id} ${tier}`).sort();
    };
    const expected = payments.map(({ id, customer }) => `${id} ${Number(customer.slice(1)) % 2 === 0 ? 'gold' : 'basic'}`).sort();
    for (const mode of ['streaming', 'batch'] as const)
      for (const parallelism of [1, 3]) expect(await run(mode, parallelism)).toEqual(expected);
  });

  test('one stream with itself: each element comes to both handlers', () => {
    const { out } = everyCheckpoint(
      (i: { in: DataStream<number> }) => {
        const keyed = i.in.keyBy((n) => n % 2);
        return { out: keyed.connect(keyed).process({ onLeft: (n) => [`left ${n}`], onRight: (n, { key }) => [`right ${n} of ${key}`] }) };
      },
      (h) => h.push('in', 1).push('in', 2).end(),
    );
    expect([...out].sort()).toEqual(['left 1', 'left 2', 'right 1 of 1', 'right 2 of 0']);
  });

  test('handlers keep their behaviour as `this`', () => {
    const h = harness((i: { a: DataStream<number>; b: DataStream<number> }) => ({
      out: i.a
        .keyBy(() => 0)
        .connect(i.b.keyBy(() => 0))
        .process({
          name: 'named',
          onLeft(n) {
            return [`${this.name} ${n}`];
          },
          onRight(n) {
            return [`${this.name} ${-n}`];
          },
        }),
    }));
    h.push('a', 1).push('b', 1);
    expect(h.drain('out')).toEqual(['named 1', 'named -1']);
  });

  test('a side without a key, or of another job, is refused', () => {
    const env = new StreamEnvironment();
    const numbers = env.from(fromArray([1]));
    const keyed = numbers.keyBy((n) => n);
    // @ts-expect-error the other side has no key
    expect(errorCode(() => keyed.connect(numbers))).toBe('graph/option');
    // @ts-expect-error the keys have different types
    keyed.connect(numbers.keyBy(String));
    const other = new StreamEnvironment().from(fromArray([1])).keyBy((n) => n);
    expect(errorCode(() => keyed.connect(other).process({ onLeft: () => [], onRight: () => [] }))).toBe('graph/option');
  });
});

describe('connected streams without a key', () => {
  const two = (i: { words: DataStream<string>; numbers: DataStream<number> }) => i.words.connect(i.numbers);

  test('map: a function per side', () => {
    const pipeline = (i: Parameters<typeof two>[0]) => {
      const out = two(i).map({ left: (word) => word.length, right: (n) => -n, uid: 'lengths' });
      expectTypeOf(out).toEqualTypeOf<DataStream<number>>();
      return { out };
    };
    const h = harness(pipeline);
    h.push('words', 'abc', 5).push('numbers', 7, 6);
    expect(h.drainTimed('out')).toEqual([
      { value: 3, timestamp: 5 },
      { value: -7, timestamp: 6 },
    ]);
  });

  test('flatMap: any number per side, arrays and generators', () => {
    const h = harness((i: Parameters<typeof two>[0]) => ({
      out: two(i).flatMap({
        left: (word) => word.split(''),
        *right(n: number) {
          for (let k = 0; k < n; k++) yield k;
        },
      }),
    }));
    h.push('words', 'ab', 1).push('numbers', 3).push('words', '').push('numbers', 0);
    expect(h.drain('out')).toEqual(['a', 'b', 0, 1, 2]);
  });

  test('process: clocks, counters and side outputs, no state', () => {
    const pipeline = (i: Parameters<typeof two>[0]) => {
      const out = two(i).process({
        uid: 'split',
        outputs: { long: output<string>() },
        onLeft(word, { output: emit, timestamp, watermark }) {
          if (word.length > 3) emit('long', word);
          else return [`${word} ${timestamp} ${watermark}`];
          return undefined;
        },
        onRight: (n) => [n],
      });
      expectTypeOf(out).toExtend<DataStream<string | number>>();
      return { out, long: out.side('long') };
    };
    const { out, long } = everyCheckpoint(pipeline, (h) =>
      h.push('words', 'a', 5).watermark(3).push('words', 'long', 6).push('words', 'b').push('numbers', 1).end(),
    );
    expect(out).toEqual([`a 5 ${Number.MIN_SAFE_INTEGER}`, 'b undefined 3', 1]);
    expect(long).toEqual(['long']);
    const env = new StreamEnvironment();
    env
      .input<string>('s')
      .connect(env.input<number>('n'))
      .process({
        // @ts-expect-error there is no key, and so no state
        onLeft: (word, { state }) => [word, state],
        onRight: (n) => [n],
      });
  });

  test('keyed streams that lose their key travel like others, alone and in a union', async () => {
    for (const mode of ['streaming', 'batch'] as const) {
      const env = new StreamEnvironment({ parallelism: 3, mode });
      const numbers = env.from(fromArray([1, 2, 3, 4, 5]));
      const keyed = numbers.keyBy((n) => n);
      const met = numbers.connect(keyed as DataStream<number>).map({ left: (n) => n, right: (n) => n * 10 });
      expect(
        (
          await met
            .union(
              keyed,
              keyed.filter((n) => n > 3),
            )
            .collect()
        ).toSorted((a, b) => a - b),
      ).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 10, 20, 30, 40, 50]);
    }
  });

  test('both sides are read in batch mode', async () => {
    const env = new StreamEnvironment({ mode: 'batch' });
    const out = env
      .from(fromArray([1, 2]))
      .connect(env.from(fromArray(['a', 'b'])))
      .map({ left: String, right: (word) => word });
    expect((await out.collect()).sort()).toEqual(['1', '2', 'a', 'b']);
  });
});
