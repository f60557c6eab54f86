import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  type DataStream,
  fromArray,
  type KeyedStream,
  listState,
  mapState,
  output,
  reducingState,
  StreamEnvironment,
  valueState,
} from '../../src/index.ts';
import { everyCheckpoint, type Harness, harness } from '../../src/testing.ts';
import { errorCode } from '../time/errorCode.ts';
import { storedState } from './steps.ts';

interface Payment {
  readonly card: string;
  readonly cents: number;
}
interface Limit {
  readonly country: string;
  readonly cents: number | null;
}

/** Alerts when a card's sum goes over the limit in force; a new limit looks at every card at once. */
const alerts = (i: { payments: DataStream<Payment>; limits: DataStream<Limit> }) => {
  const out = i.payments
    .keyBy(({ card }) => card)
    .connectBroadcast(i.limits)
    .process({
      uid: 'alerts',
      broadcast: { limits: mapState<string, number>(), changes: valueState({ initial: 0 }) },
      state: { spent: valueState({ initial: 0 }) },
      timers: { forget: 'eventTime' },
      outputs: { over: output<string>() },
      onElement({ cents }, { key, state, timers, broadcast }) {
        state.spent.update(state.spent.value() + cents);
        timers.set('forget', 100);
        const limit = broadcast.limits.get('ch') ?? Infinity;
        return state.spent.value() > limit ? [`${key} ${state.spent.value()} > ${limit} (${broadcast.changes.value()})`] : [];
      },
      onBroadcast({ country, cents }, { broadcast, forEachKey, output: emit }) {
        broadcast.changes.update(broadcast.changes.value() + 1);
        if (cents === null) broadcast.limits.remove(country);
        else broadcast.limits.put(country, cents);
        forEachKey(({ key, state }) => {
          if (cents !== null && state.spent.value() > cents) emit('over', `${key} ${state.spent.value()}`);
        });
        return [`${country} ${cents}`];
      },
      onTimer(_timer, { key, state, broadcast }) {
        state.spent.clear();
        return [`forget ${key} under ${[...broadcast.limits.entries()].join()}`];
      },
    });
  return { out, over: out.side('over') };
};

describe('keyed stream and broadcast state', () => {
  test.each([true, false])('every element meets the rules in force, through every checkpoint; generated code: %s', (generateCode) => {
    const script = <O>(h: Harness<{ payments: Payment; limits: Limit }, O>): unknown =>
      h
        .push('payments', { card: 'a', cents: 60 }, 1)
        .push('limits', { country: 'ch', cents: 50 }, 2)
        .push('payments', { card: 'a', cents: 1 }, 3)
        .push('payments', { card: 'b', cents: 50 }, 4)
        .push('limits', { country: 'at', cents: 40 }, 5)
        .push('payments', { card: 'b', cents: 1 }, 6)
        .push('limits', { country: 'ch', cents: null }, 7)
        .push('payments', { card: 'b', cents: 1 }, 8)
        .end();
    const { out, over } = everyCheckpoint(alerts, script, { run: { generateCode } });
    expect(out).toEqual(['ch 50', 'a 61 > 50 (1)', 'at 40', 'b 51 > 50 (2)', 'ch null', 'forget a under at,40', 'forget b under at,40']);
    expect(over).toEqual(['a 60', 'a 61', 'b 50']);
  });

  test('results of a rule have its time', () => {
    const h = harness(alerts);
    h.push('payments', { card: 'a', cents: 60 }, 1).push('limits', { country: 'ch', cents: 50 }, 9);
    expect(h.drainTimed('out')).toEqual([{ value: 'ch 50', timestamp: 9 }]);
    expect(h.drainTimed('over')).toEqual([{ value: 'a 60', timestamp: 9 }]);
  });

  test('it is operator state that every subtask holds whole, and nothing when it is empty', () => {
    const h = harness(alerts, { run: { parallelism: 2 } });
    expect(storedState(h.snapshot(), 'alerts').operator).toEqual([]);
    h.push('limits', { country: 'ch', cents: 50 });
    const stored = storedState(h.snapshot(), 'alerts').operator;
    expect(stored.map(({ state, mode }) => [state.replace('(own) ', ''), mode])).toEqual(
      ['limits', 'changes', 'limits', 'changes'].map((name) => [name, 'broadcast']),
    );
    expect(stored[0]).toEqual(stored[2]);
  });

  test('every subtask sees each rule, once', async () => {
    const env = new StreamEnvironment({ parallelism: 3 });
    const rules = env.from(fromArray([1, 2])).map((n) => n, { parallelism: 1 });
    const out = env
      .from(fromArray(Array.from({ length: 30 }, (_, i) => i)))
      .keyBy((n) => n)
      .connectBroadcast(rules)
      .process({
        broadcast: { seen: listState<number>() },
        onElement: () => [],
        onBroadcast: (rule, { broadcast }) => (broadcast.seen.add(rule), [[...broadcast.seen.get()].join()]),
      });
    expect((await out.collect()).sort()).toEqual(['1', '1', '1', '1,2', '1,2', '1,2']);
  });

  test('in batch mode the rules are there before the first element', async () => {
    for (const parallelism of [1, 3]) {
      const env = new StreamEnvironment({ mode: 'batch', parallelism });
      const payments = env.from(fromArray(Array.from({ length: 9 }, (_, i) => ({ card: `c${i % 3}`, cents: 10 }))), {
        time: { timestamp: () => 1 },
      });
      const limits = env.from(
        fromArray([
          { country: 'ch', cents: 25 },
          { country: 'ch', cents: 15 },
        ]),
        { time: { timestamp: () => 0 } },
      );
      const out = await alerts({ payments, limits })
        .out.filter((line) => line.includes('>'))
        .collect();
      expect(out.sort()).toEqual(['c0', 'c1', 'c2'].flatMap((card) => [`${card} 20 > 15 (2)`, `${card} 30 > 15 (2)`]));
    }
  });

  test('visiting keys may change and free their state', () => {
    const pipeline = (i: { in: DataStream<string>; rules: DataStream<string> }) => ({
      out: i.in
        .keyBy((key) => key)
        .connectBroadcast(i.rules)
        .process({
          uid: 'visit',
          broadcast: {},
          state: { n: valueState({ initial: 0 }) },
          timers: { due: 'eventTime' },
          onElement: (_value, { state }) => state.n.update(state.n.value() + 1),
          onBroadcast(rule, { forEachKey }) {
            const seen: string[] = [];
            forEachKey(({ key, state, timers }) => {
              seen.push(`${key} ${state.n.value()}`);
              if (rule === 'clear') state.n.clear();
              else if (rule === 'double') state.n.update(state.n.value() * 2);
              else timers.set('due', { after: { milliseconds: 5 } });
            });
            return [seen.toSorted().join()];
          },
          onTimer: ({ at }, { key }) => [`${key} due ${at}`],
        }),
    });
    const { out } = everyCheckpoint(pipeline, (h) =>
      h
        .push('in', 'a')
        .push('in', 'b')
        .push('in', 'b')
        .push('rules', 'double')
        .push('in', 'c')
        .push('rules', 'time', 10)
        .push('rules', 'clear')
        .push('rules', 'again', 20)
        .end(),
    );
    expect(out).toEqual([
      'a 1,b 2',
      'a 2,b 4,c 1',
      'a 2,b 4,c 1',
      'a 0,b 0,c 0',
      ...['a', 'b', 'c'].map((key) => `${key} due 15`),
      ...['a', 'b', 'c'].map((key) => `${key} due 25`),
    ]);
  });

  test('an element cannot write it: not by its types, and not at run time', () => {
    const writes = {
      map: (b: Record<string, never>) =>
        (b as unknown as { rules: Map<string, number> & { put(k: string, n: number): void } }).rules.put('x', 1),
      value: (b: Record<string, never>) => (b as unknown as { one: { update(n: number): void } }).one.update(1),
      list: (b: Record<string, never>) => (b as unknown as { all: { add(n: number): void } }).all.add(1),
      reducing: (b: Record<string, never>) => (b as unknown as { sum: { clear(): void } }).sum.clear(),
    };
    for (const write of Object.values(writes)) {
      const h = harness((i: { in: DataStream<number>; rules: DataStream<number> }) => ({
        out: i.in
          .keyBy((n) => n)
          .connectBroadcast(i.rules)
          .process({
            broadcast: {
              rules: mapState<string, number>(),
              one: valueState<number>(),
              all: listState<number>(),
              sum: reducingState<number>({ reduce: (a, b) => a + b }),
            },
            onElement(_n, { broadcast }) {
              expectTypeOf(broadcast.rules).not.toHaveProperty('put');
              expectTypeOf(broadcast.one.value()).toEqualTypeOf<number | undefined>();
              expect([[...broadcast.rules.entries()], broadcast.one.value(), [...broadcast.all.get()], broadcast.sum.get()]).toEqual([
                [],
                undefined,
                [],
                undefined,
              ]);
              write(broadcast as never);
            },
            onBroadcast: () => undefined,
          }),
      }));
      expect(errorCode(() => h.push('in', 1))).toBe('state/wrong-context');
    }
  });

  test('what a rule’s handler throws names the operator', () => {
    const h = harness((i: { in: DataStream<number>; rules: DataStream<number> }) => ({
      out: i.in
        .keyBy((n) => n)
        .connectBroadcast(i.rules)
        .process({
          uid: 'broken',
          broadcast: {},
          onElement: () => undefined,
          onBroadcast() {
            throw new Error('no');
          },
        }),
    }));
    expect(() => h.push('rules', 1)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'broken' }));
  });

  test('state that expires cannot be the same everywhere, and is refused', () => {
    const env = new StreamEnvironment();
    const numbers = env.from(fromArray([1]));
    const behaviour = {
      broadcast: { old: valueState<number>({ ttl: { days: 1 } }) },
      onElement: () => undefined,
      onBroadcast: () => undefined,
    };
    expect(errorCode(() => numbers.connectBroadcast(numbers).process(behaviour))).toBe('graph/option');
  });
});

describe('stream without a key and broadcast state', () => {
  const tagged = (i: { in: DataStream<number>; rules: DataStream<string> }) => {
    const out = i.in.connectBroadcast(i.rules).process({
      uid: 'tagged',
      broadcast: { tag: valueState({ initial: 'none' }) },
      outputs: { big: output<number>() },
      onElement(n, { broadcast, output: emit }) {
        if (n > 9) emit('big', n);
        return [`${n} ${broadcast.tag.value()}`];
      },
      onBroadcast: (tag, { broadcast }) => broadcast.tag.update(tag),
    });
    return { out, big: out.side('big') };
  };

  test('works the same, without state and timers', () => {
    const { out, big } = everyCheckpoint(tagged, (h) =>
      h.push('in', 1).push('rules', 'red').push('in', 2).push('rules', 'blue').push('in', 30).end(),
    );
    expect(out).toEqual(['1 none', '2 red', '30 blue']);
    expect(big).toEqual([30]);
    const env = new StreamEnvironment();
    env
      .input<number>('n')
      .connectBroadcast(env.input<string>('r'))
      .process({
        broadcast: {},
        // @ts-expect-error there is no key
        onElement: (_n, { key }) => [key],
        onBroadcast: () => undefined,
      });
  });

  test('in batch mode the rules are read first', async () => {
    const env = new StreamEnvironment({ mode: 'batch', parallelism: 2 });
    const { out } = tagged({ in: env.from(fromArray([1, 2, 3])).rebalance(), rules: env.from(fromArray(['red', 'blue'])) });
    expect((await out.collect()).sort()).toEqual(['1 blue', '2 blue', '3 blue']);
  });

  test('a keyed stream of rules is broadcast like any other', async () => {
    const env = new StreamEnvironment({ mode: 'batch', parallelism: 2 });
    const rules: KeyedStream<string, string> = env.from(fromArray(['red'])).keyBy((tag) => tag);
    const { out } = tagged({ in: env.from(fromArray([1, 2])).rebalance(), rules });
    expect((await out.collect()).sort()).toEqual(['1 red', '2 red']);
  });
});
