import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { detectAll, type Rule } from '../src/index.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from '../../core/bench/measure.ts';

interface Event {
  readonly key: string;
  readonly type: number;
  readonly amount: number;
  readonly at: number;
}

const TYPES = 100;

/** A hundred rules over a hundred types of events: three steps each, one of them with a comparison of its own, within 1,000 ms. */
const RULES: readonly Rule<Event>[] = Array.from({ length: 100 }, (_, i) => {
  const is = (type: number): object => ({ '==': [{ field: 'type' }, type % TYPES] });
  const large = { '>': [{ field: 'amount' }, 20 * (i % 10)] };
  return {
    rule: `rule-${i}`,
    version: 1,
    pattern: {
      version: 1,
      sequence: {
        within: 1000,
        steps: [
          { kind: 'event', link: 'begin', name: 'a', where: { expression: is(i) } },
          { kind: 'event', link: 'followedBy', name: 'b', where: { expression: { and: [is(i * 7 + 1), large] } } },
          { kind: 'event', link: 'followedBy', name: 'c', where: { expression: is(i * 13 + 2) } },
        ],
      },
    },
  };
});

function eventsOf(count: number): Event[] {
  let seed = 7;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  return Array.from({ length: count }, (_, i) => ({ key: `k${next(1000)}`, type: next(TYPES), amount: next(200), at: i }));
}

/** A hundred rules at once, against the same written by hand: per key and rule, how far it has come. */
export async function rules(quick: boolean): Promise<BenchResult[]> {
  const count = quick ? 200_000 : 1_000_000;
  return [await compare('cep/rules-100', 'M events/s', { rounds: 5, ours: side(count, run), baseline: side(count, byHand) })];
}

function side(count: number, body: (events: Event[], take: () => void) => void | Promise<void>): Side {
  return async () => {
    const events = eventsOf(count);
    collectGarbage();
    let matches = 0;
    const start = performance.now();
    await body(events, () => void matches++);
    const took = performance.now() - start;
    if (matches === 0) throw new Error('nothing was found');
    return rate(count, took);
  };
}

async function run(events: Event[], take: () => void): Promise<void> {
  const env = new StreamEnvironment();
  env
    .from(fromArray(events), { time: { timestamp: (event) => event.at } })
    .keyBy((event) => event.key)
    .pipe(detectAll<Event, string>(RULES, { uid: 'rules' }))
    .sinkTo(forEach(take));
  await env.execute('bench');
}

/** All hundred conditions for each event, and the starts of each rule in a list. */
function byHand(events: Event[], take: () => void): void {
  const state = new Map<string, { a: number[]; b: number[] }[]>();
  for (const { key, type, amount, at } of events) {
    let ofKey = state.get(key);
    if (ofKey === undefined) state.set(key, (ofKey = RULES.map(() => ({ a: [], b: [] }))));
    for (let i = 0; i < 100; i++) {
      const runs = ofKey[i]!;
      if (type === (i * 13 + 2) % TYPES) {
        for (const start of runs.b) if (at - start < 1000) take();
        runs.b = [];
      }
      if (type === (i * 7 + 1) % TYPES && amount > 20 * (i % 10)) {
        for (const start of runs.a) if (at - start < 1000) runs.b.push(start);
        runs.a = [];
      }
      if (type === i) runs.a.push(at);
    }
  }
}
