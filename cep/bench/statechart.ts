import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { type AnyActor, assign, createActor, emit, setup } from 'xstate';
import { statechart } from '../src/statechart.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from '../../core/bench/measure.ts';

interface Step {
  readonly order: number;
  readonly type: 'place' | 'pay' | 'ship';
  readonly at: number;
}

/** Orders that go round, each event a transition, a third of them with a delay that is cancelled by the next. */
const machine = setup({
  types: { context: {} as { rounds: number }, events: {} as { type: Step['type'] }, emitted: {} as { type: 'shipped'; rounds: number } },
}).createMachine({
  id: 'order',
  context: { rounds: 0 },
  initial: 'idle',
  states: {
    idle: { on: { place: 'placed' } },
    placed: { on: { pay: 'paid' }, after: { 3_600_000: 'idle' } },
    paid: {
      on: {
        ship: {
          target: 'idle',
          actions: [
            assign({ rounds: ({ context }) => context.rounds + 1 }),
            emit(({ context }) => ({ type: 'shipped' as const, rounds: context.rounds })),
          ],
        },
      },
    },
  },
});

const TYPES: readonly Step['type'][] = ['place', 'pay', 'ship'];

function stepsOf(count: number, keys: number): Step[] {
  return Array.from({ length: count }, (_, i) => ({ order: i % keys, type: TYPES[Math.floor(i / keys) % 3]!, at: i }));
}

/** A durable machine per key against a live actor per key. */
export async function statecharts(quick: boolean): Promise<BenchResult[]> {
  const count = quick ? 60_000 : 300_000;
  const baseline = side(count, actors);
  return [
    await compare('cep/statechart', 'M events/s', {
      rounds: 5,
      ours: side(count, (steps, take) => run(steps, take, 'processingTime')),
      baseline,
    }),
    await compare('cep/statechart-event-time', 'M events/s', {
      rounds: 5,
      ours: side(count, (steps, take) => run(steps, take, 'eventTime')),
      baseline,
    }),
  ];
}

function side(count: number, body: (steps: Step[], take: (event: { readonly rounds: number }) => void) => void | Promise<void>): Side {
  return async () => {
    const steps = stepsOf(count, 1000);
    collectGarbage();
    let shipped = 0;
    const start = performance.now();
    await body(steps, () => void shipped++);
    const took = performance.now() - start;
    if (shipped !== count / 3) throw new Error(`${shipped} orders were shipped`);
    return rate(count, took);
  };
}

async function run(
  steps: Step[],
  take: (event: { readonly rounds: number }) => void,
  delays: 'eventTime' | 'processingTime',
): Promise<void> {
  const env = new StreamEnvironment();
  env
    .from(fromArray(steps), { time: { timestamp: (step) => step.at } })
    .keyBy((step) => step.order)
    .pipe(statechart(machine, { uid: 'orders', version: 1, event: ({ type }) => ({ type }), delays }))
    .sinkTo(forEach(take));
  await env.execute('bench');
}

function actors(steps: Step[], take: (event: { readonly rounds: number }) => void): void {
  const live = new Map<number, AnyActor>();
  for (const { order, type } of steps) {
    let actor = live.get(order);
    if (actor === undefined) {
      actor = createActor(machine);
      actor.on('shipped', (event) => take(event as unknown as { readonly rounds: number }));
      live.set(order, actor.start());
    }
    actor.send({ type });
  }
  for (const actor of live.values()) actor.stop();
}
