import { type DataStream, fromArray, MillraceError, StreamEnvironment } from '@millrace/core';
import { everyCheckpoint, harness } from '@millrace/core/testing';
import { assign, createMachine, emit, fromPromise, raise, sendTo, setup, spawnChild } from 'xstate';
import { describe, expect, it } from 'vitest';
import { statechart } from '../../src/statechart.ts';

interface Order {
  readonly id: string;
  readonly type: 'place' | 'pay' | 'cancel';
  readonly cents?: number;
}

type OrderEvent = { type: 'place'; cents: number } | { type: 'pay'; cents: number } | { type: 'cancel' };
type Said = { type: 'reminded'; owed: number } | { type: 'settled' };

/** An order is reminded once, a minute after it was placed, and given up a minute later. */
const order = setup({
  types: { context: {} as { owed: number }, events: {} as OrderEvent, emitted: {} as Said, output: {} as { owed: number } },
}).createMachine({
  id: 'order',
  context: { owed: 0 },
  initial: 'new',
  output: ({ context }) => ({ owed: context.owed }),
  states: {
    new: { on: { place: { target: 'placed', actions: assign({ owed: ({ event }) => event.cents }) } } },
    placed: {
      after: { 60_000: { target: 'reminded', actions: emit(({ context }) => ({ type: 'reminded' as const, owed: context.owed })) } },
    },
    reminded: { after: { 60_000: 'over' } },
    over: { type: 'final' },
  },
  on: {
    pay: [
      {
        guard: ({ context, event }) => context.owed > 0 && event.cents >= context.owed,
        target: '.over',
        actions: [emit({ type: 'settled' }), assign({ owed: 0 })],
      },
      { guard: ({ context }) => context.owed > 0, actions: assign({ owed: ({ context, event }) => context.owed - event.cents }) },
    ],
  },
});

const toEvent = ({ type, cents = 0 }: Order): OrderEvent | undefined => (type === 'cancel' ? undefined : { type, cents });

function orders(delays: 'eventTime' | 'processingTime') {
  return ({ orders: stream }: { orders: DataStream<Order> }) => {
    const said = stream.keyBy((o) => o.id).pipe(statechart(order, { uid: 'orders', version: 1, event: toEvent, delays }));
    return { said, done: said.side('done'), unhandled: said.side('unhandled'), late: said.side('late') };
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('statechart in event time', () => {
  it('takes elements and delays in the order of their times, whatever came first', () => {
    const outputs = everyCheckpoint(orders('eventTime'), (h) =>
      h
        .push('orders', { id: 'b', type: 'pay', cents: 100 }, 70_000)
        .push('orders', { id: 'a', type: 'place', cents: 500 }, 1_000)
        .push('orders', { id: 'b', type: 'place', cents: 300 }, 2_000)
        .push('orders', { id: 'a', type: 'pay', cents: 200 }, 30_000)
        .watermark(61_000)
        .push('orders', { id: 'a', type: 'pay', cents: 300 }, 90_000)
        .push('orders', { id: 'a', type: 'pay', cents: 1 }, 61_000)
        .watermark(200_000)
        .end(),
    );
    expect(outputs.said).toEqual([{ type: 'reminded', owed: 300 }, { type: 'reminded', owed: 300 }, { type: 'settled' }]);
    expect(outputs.done).toEqual([
      { key: 'a', output: { owed: 0 } },
      { key: 'b', output: { owed: 200 } },
    ]);
    expect(outputs.late).toEqual([{ id: 'a', type: 'pay', cents: 1 }]);
  });

  it('takes an element of the very moment at which a delay is over before it', () => {
    const h = harness(orders('eventTime'));
    h.push('orders', { id: 'a', type: 'place', cents: 5 }, 0).push('orders', { id: 'a', type: 'pay', cents: 5 }, 60_000).watermark(60_000);
    expect(h.drainTimed('said')).toEqual([{ value: { type: 'settled' }, timestamp: 60_000 }]);
  });

  it('gives what comes of a delay its time', () => {
    const h = harness(orders('eventTime')).push('orders', { id: 'a', type: 'place', cents: 5 }, 7).watermark(1_000_000);
    expect(h.drainTimed('said')).toEqual([{ value: { type: 'reminded', owed: 5 }, timestamp: 60_007 }]);
    expect(h.drainTimed('done')).toEqual([{ value: { key: 'a', output: { owed: 5 } }, timestamp: 120_007 }]);
  });

  it('says which elements the machine did nothing about, and forgets those that are no event', () => {
    const h = harness(orders('eventTime'));
    h.push('orders', { id: 'a', type: 'pay', cents: 5 }, 0).push('orders', { id: 'a', type: 'cancel' }, 1).watermark(10);
    expect(h.drain('unhandled')).toEqual([{ id: 'a', type: 'pay', cents: 5 }]);
  });

  it('gives the same results in batch mode', async () => {
    const events = [
      { id: 'b', type: 'pay', cents: 300, at: 30_000 },
      { id: 'a', type: 'place', cents: 500, at: 0 },
      { id: 'b', type: 'place', cents: 300, at: 5 },
      { id: 'a', type: 'pay', cents: 500, at: 59_000 },
      { id: 'c', type: 'place', cents: 1, at: 59_000 },
    ] as const;
    const results: unknown[] = [];
    for (const mode of ['streaming', 'batch'] as const) {
      const env = new StreamEnvironment({ mode });
      const stream = env.from(fromArray(events), { time: { timestamp: (e) => e.at, outOfOrder: { minutes: 10 } } });
      const said = await stream
        .keyBy((o) => o.id)
        .pipe(statechart(order, { uid: 'orders', version: 1, event: toEvent }))
        .map((event) => event.type)
        .collect();
      results.push(said.toSorted());
    }
    expect(results).toEqual([
      ['reminded', 'settled', 'settled'],
      ['reminded', 'settled', 'settled'],
    ]);
  });

  it('ends although a machine would go round for ever', () => {
    const clock = setup({ types: { events: {} as { type: 'wind' }, emitted: {} as { type: 'tick' | 'alarm' } } }).createMachine({
      type: 'parallel',
      states: {
        ticking: { initial: 'on', states: { on: { after: { 1_000: { target: 'on', reenter: true, actions: emit({ type: 'tick' }) } } } } },
        alarm: { initial: 'set', states: { set: { after: { 5_000: { target: 'rung', actions: emit({ type: 'alarm' }) } } }, rung: {} } },
      },
    });
    const pipeline = ({ winds }: { winds: DataStream<string> }) => ({
      heard: winds.keyBy((who) => who).pipe(statechart(clock, { uid: 'clocks', version: 1, event: () => ({ type: 'wind' }) })),
    });
    const h = harness(pipeline).push('winds', 'ann', 0).watermark(3_000);
    expect(h.drain('heard').map(({ type }) => type)).toEqual(['tick', 'tick', 'tick']);
    h.end();
    expect(h.drain('heard').map(({ type }) => type)).toEqual(['tick', 'alarm']);
  });
});

describe('statechart in processing time', () => {
  it('takes elements as they come, and counts delays by the clock', () => {
    const outputs = everyCheckpoint(orders('processingTime'), (h) =>
      h
        .push('orders', { id: 'a', type: 'place', cents: 500 })
        .push('orders', { id: 'b', type: 'place', cents: 300 })
        .processingTime(59_999)
        .push('orders', { id: 'a', type: 'pay', cents: 500 })
        .processingTime(60_000)
        .processingTime(120_000),
    );
    expect(outputs.said).toEqual([{ type: 'settled' }, { type: 'reminded', owed: 300 }]);
    expect(outputs.done).toEqual([
      { key: 'a', output: { owed: 0 } },
      { key: 'b', output: { owed: 300 } },
    ]);
  });
});

describe('a machine that throws', () => {
  const fragile = setup({
    types: { context: {} as { n: number }, events: {} as { type: 'add'; n: number }, emitted: {} as { type: 'n'; n: number } },
  }).createMachine({
    context: { n: 0 },
    on: {
      add: {
        actions: [
          assign({ n: ({ context, event }) => context.n + event.n }),
          emit(({ context }) => ({ type: 'n' as const, n: context.n })),
          ({ event }) => {
            if (event.n < 0) throw new Error('negative');
          },
        ],
      },
    },
  });
  const pipeline = ({ numbers }: { numbers: DataStream<number> }) => ({
    sums: numbers
      .keyBy(() => 'all')
      .pipe(statechart(fragile, { uid: 'sums', version: 1, event: (n) => ({ type: 'add', n }), onError: 'skip' })),
  });

  it('stays as it was before the element, which goes the way of the error policy', () => {
    const h = harness(pipeline).push('numbers', 1, 1).push('numbers', -5, 2).push('numbers', 2, 3).watermark(5);
    expect(h.drain('sums')).toEqual([
      { type: 'n', n: 1 },
      { type: 'n', n: 3 },
    ]);
  });
});

describe('a machine that sends to itself', () => {
  it('takes its own events before the next element', () => {
    const machine = setup({
      types: { events: {} as { type: 'go' } | { type: 'mine' } | { type: 'raised' } | { type: 'soon' }, emitted: {} as { type: string } },
    }).createMachine({
      initial: 'a',
      states: {
        a: {
          on: {
            go: {
              actions: [sendTo(({ self }) => self, { type: 'mine' }), raise({ type: 'raised' }), raise({ type: 'soon' }, { delay: 0 })],
            },
            raised: { actions: emit({ type: 'raised' }) },
            mine: { actions: emit({ type: 'mine' }) },
            soon: { actions: emit({ type: 'soon' }) },
          },
        },
      },
    });
    const pipeline = ({ go }: { go: DataStream<number> }) => ({
      said: go.keyBy(() => 'all').pipe(statechart(machine, { uid: 'own', version: 1, event: () => ({ type: 'go' }) })),
    });
    const outputs = everyCheckpoint(pipeline, (h) => h.push('go', 1, 1).push('go', 2, 1).watermark(1));
    expect(outputs.said.map(({ type }) => type)).toEqual(['raised', 'mine', 'raised', 'mine', 'soon', 'soon']);
  });
});

describe('what a statechart refuses', () => {
  const refused = (machine: Parameters<typeof statechart>[0]): string =>
    codeOf(() => statechart(machine, { uid: 'x', version: 1, event: () => undefined }));

  it('invoked and spawned actors, at construction', () => {
    expect(refused(createMachine({ initial: 'a', states: { a: { invoke: { src: fromPromise(async () => 1) } } } }))).toBe('cep/statechart');
    expect(refused(createMachine({ initial: 'a', states: { a: { entry: spawnChild(createMachine({})) } } }))).toBe('cep/statechart');
    expect(refused(setup({ actions: { hire: spawnChild(createMachine({})) } }).createMachine({ on: { go: { actions: ['hire'] } } }))).toBe(
      'cep/statechart',
    );
  });

  it('actors that are spawned where nobody could see it before', () => {
    const machine = setup({ types: { context: {} as { child: unknown }, events: {} as { type: 'go' } } }).createMachine({
      context: { child: undefined },
      on: { go: { actions: assign({ child: ({ spawn }) => spawn(createMachine({})) }) } },
    });
    const pipeline = ({ go }: { go: DataStream<number> }) => ({
      said: go
        .keyBy(() => 'all')
        .pipe(statechart(machine, { uid: 'own', version: 1, event: () => ({ type: 'go' }), delays: 'processingTime' })),
    });
    expect(codeOf(() => harness(pipeline).push('go', 1))).toBe('cep/statechart');
  });

  it('a context that JSON cannot hold', () => {
    const machine = setup({ types: { context: {} as { since: Date }, events: {} as { type: 'go' } } }).createMachine({
      context: { since: new Date(0) },
    });
    const pipeline = ({ go }: { go: DataStream<number> }) => ({
      said: go
        .keyBy(() => 'all')
        .pipe(statechart(machine, { uid: 'own', version: 1, event: () => ({ type: 'go' }), delays: 'processingTime' })),
    });
    expect(codeOf(() => harness(pipeline).push('go', 1).snapshot())).toBe('codec/unsupported');
  });
});
