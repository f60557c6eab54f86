import type { DataStream } from '@millrace/core';
import { everyCheckpoint } from '@millrace/core/testing';
import fc from 'fast-check';
import { assign, type AnyActor, type AnyStateMachine, cancel, createActor, createMachine, emit, raise, sendTo } from 'xstate';
import { expect, it, vi } from 'vitest';
import { statechart } from '../../src/statechart.ts';
import { LiveClock } from './liveClock.ts';

interface Element {
  readonly key: string;
  readonly type: string;
  readonly at: number;
}

/** What a random machine does on its way; `n` counts the actions that say something, so that order shows. */
type Act = 'say' | 'count' | 'raise' | 'later' | 'cancel' | 'mail' | 'log';

interface Context {
  readonly key: string;
  readonly n: number;
}

const counted = assign({ n: ({ context }: { context: Context }) => context.n + 1 });
const ACTIONS: Readonly<Record<Act, readonly unknown[]>> = {
  say: [counted, emit(({ context }: { context: Context }) => ({ type: 'said', ...context }))],
  count: [counted],
  raise: [raise({ type: 'B' } as never)],
  later: [raise({ type: 'D' } as never, { id: 'later', delay: 30 })],
  cancel: [cancel('later')],
  mail: [sendTo(({ self }) => self, { type: 'MAIL' })],
  log: [({ self }: { self: { getSnapshot: () => unknown } }) => void self.getSnapshot()],
};

const acts = fc.array(fc.constantFrom<Act>('say', 'count', 'later', 'cancel', 'log'), { maxLength: 3 });
const moves = fc.array(fc.oneof(fc.constantFrom<Act>('say', 'count', 'later', 'cancel', 'mail'), fc.constant<Act>('raise')), {
  maxLength: 3,
});

interface Move {
  readonly target: number;
  readonly reenter: boolean;
  readonly guard: number | undefined;
  readonly actions: readonly Act[];
}

const move = fc.record<Move>({
  target: fc.integer({ min: -1, max: 3 }),
  reenter: fc.boolean(),
  guard: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  actions: moves,
});

const state = fc.record({
  entry: acts,
  exit: acts,
  A: fc.array(move, { maxLength: 2 }),
  B: fc.array(
    move.map((m) => ({ ...m, actions: m.actions.filter((act) => act !== 'raise') })),
    { maxLength: 1 },
  ),
  C: fc.array(move, { maxLength: 1 }),
  // Delays of one id are not each other's successors: a machine that answers one by two of them would soon do nothing else.
  D: fc.array(
    move.map((m) => ({ ...m, target: -1, actions: m.actions.filter((act) => act === 'say' || act === 'count' || act === 'cancel') })),
    { maxLength: 1 },
  ),
  MAIL: fc.array(
    move.map((m) => ({ ...m, actions: m.actions.filter((act) => act === 'say' || act === 'count') })),
    { maxLength: 1 },
  ),
  after: fc.array(fc.tuple(fc.constantFrom(5, 20, 70), move), { maxLength: 2 }),
});

const region = fc.array(state, { minLength: 4, maxLength: 4 });
const shape = fc.record({
  kind: fc.constantFrom('flat', 'nested', 'parallel'),
  first: region,
  second: region,
  ends: fc.boolean(),
  entry: acts,
});
type Shape = typeof shape extends fc.Arbitrary<infer S> ? S : never;

const resolved = (list: readonly Act[]): unknown[] => list.flatMap((act) => ACTIONS[act]);

function transition({ target, reenter, guard, actions }: Move): object {
  return {
    ...(target >= 0 && { target: `s${target}`, reenter }),
    ...(guard !== undefined && { guard: ({ context }: { context: Context }) => context.n % guard === 0 }),
    actions: resolved(actions),
  };
}

function compound(states: readonly (typeof state extends fc.Arbitrary<infer S> ? S : never)[], ends: boolean, inner?: object): object {
  const entries = states.map(({ entry, exit, after, ...on }, i) => {
    if (ends && i === 3) return [`s${i}`, { type: 'final', entry: resolved(entry) }];
    const node = {
      entry: resolved(entry),
      exit: resolved(exit),
      on: Object.fromEntries(Object.entries(on).map(([event, list]) => [event, list.map(transition)])),
      after: Object.fromEntries(after.map(([delay, m]) => [delay, transition(m)])),
    };
    return [`s${i}`, i === 1 && inner !== undefined ? { ...node, ...inner } : node];
  });
  return { initial: 's0', states: Object.fromEntries(entries) as object };
}

function machineOf({ kind, first, second, ends, entry }: Shape): AnyStateMachine {
  const common = {
    id: 'random',
    context: ({ input }: { input: string }) => ({ key: input, n: 0 }),
    output: ({ context }: { context: Context }) => context.n,
    entry: resolved(entry),
  };
  const outer = compound(first, ends, kind === 'nested' ? compound(second, false) : undefined);
  if (kind !== 'parallel') return createMachine({ ...common, ...outer } as never);
  return createMachine({ ...common, type: 'parallel', states: { left: outer, right: compound(second, ends) } } as never);
}

const elements = fc.array(
  fc.record({ key: fc.constantFrom('x', 'y'), type: fc.constantFrom('A', 'A', 'B', 'C', 'D'), at: fc.integer({ min: 0, max: 200 }) }),
  { minLength: 1, maxLength: 12 },
);

/** One live actor after the other for a key, driven by a clock of its own. */
function live(
  machine: AnyStateMachine,
  list: readonly Element[],
  until: number,
): { said: unknown[]; done: unknown[]; unhandled: unknown[] } {
  const clock = new LiveClock();
  const said: unknown[] = [];
  const done: unknown[] = [];
  const unhandled: unknown[] = [];
  let actor: AnyActor | undefined;
  const finish = (): void => {
    if (actor?.getSnapshot().status !== 'done') return;
    done.push(actor.getSnapshot().output);
    actor = undefined;
  };
  for (const element of list.toSorted((a, b) => a.at - b.at)) {
    clock.advance(element.at - 1, finish);
    clock.time = element.at;
    if (actor === undefined) {
      actor = createActor(machine, { clock, input: element.key });
      actor.on('*', (event) => void said.push(event));
      actor.start();
    }
    const before = actor.getSnapshot();
    if (before.status !== 'active' || !before.can({ type: element.type })) unhandled.push(element);
    if (before.status === 'active') actor.send({ type: element.type });
    finish();
  }
  clock.advance(until, finish);
  return { said, done, unhandled };
}

/** Elements out of order, with watermarks that hold none of them for late. */
function script(list: readonly Element[], slack: number, until: number) {
  return (h: { push(input: 'elements', value: Element, at: number): unknown; watermark(at: number): unknown }): void => {
    const latest = list.map((_, i) => Math.min(...list.slice(i + 1).map(({ at }) => at)) - 1);
    list.forEach((element, i) => {
      h.push('elements', element, element.at);
      if (i % slack === 0 && latest[i]! < until) h.watermark(latest[i]!);
    });
    h.watermark(until);
  };
}

const runs = process.env['MILLRACE_LONG'] === undefined ? 20 : 400;

it('does what live actors do', () => {
  // Of events to actors that have come to their end.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const until = 400;
  fc.assert(
    fc.property(shape, elements, fc.integer({ min: 1, max: 3 }), (given, list, slack) => {
      const machine = machineOf(given);
      const pipeline = ({ elements: stream }: { elements: DataStream<Element> }) => {
        const charts = statechart(machine, {
          uid: 'charts',
          version: 1,
          event: ({ type }: Element) => ({ type }) as never,
          input: (_, key) => key,
        });
        const said = stream.keyBy(({ key }) => key).pipe(charts);
        return { said: said.map((event) => event as { key: string }), done: said.side('done'), unhandled: said.side('unhandled') };
      };
      const outputs = everyCheckpoint(pipeline, script(list, slack, until));
      for (const key of ['x', 'y']) {
        const isOwn = (of: { readonly key: unknown }): boolean => of.key === key;
        const expected = live(machine, list.filter(isOwn), until);
        expect(outputs.said.filter(isOwn)).toEqual(expected.said);
        expect(outputs.done.filter(isOwn)).toEqual(expected.done.map((output) => ({ key, output })));
        expect(outputs.unhandled.filter(isOwn)).toEqual(expected.unhandled);
      }
    }),
    { numRuns: runs },
  );
});
