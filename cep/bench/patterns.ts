import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { type Complete, detect, type DetectOptions, type Matched, pattern } from '../src/index.ts';
import { anyThree, followedThree, nextThree, sumLoop } from './byHand.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from '../../core/bench/measure.ts';
import { freshTicks, type Tick } from './ticks.ts';

const is =
  (type: number) =>
  (tick: Tick): boolean =>
    tick.type === type;

/** Patterns through the keyed operator, each beside the state machine that one would write by hand. */
export async function patterns(quick: boolean): Promise<BenchResult[]> {
  const many = quick ? 300_000 : 2_000_000;
  const some = quick ? 100_000 : 400_000;
  const next3 = pattern<Tick>().begin('a').where(is(0)).next('b').where(is(1)).next('c').where(is(2));
  const followedBy3 = pattern<Tick>()
    .begin('a')
    .where(is(0))
    .followedBy('b')
    .where(is(1))
    .followedBy('c')
    .where(is(2))
    .within({ milliseconds: 100 });
  const any3 = (within: number) =>
    pattern<Tick>()
      .begin('a')
      .where(is(0))
      .followedByAny('b')
      .where(is(1))
      .followedByAny('c')
      .where(is(2))
      .within({ milliseconds: within });
  const iterative = pattern<Tick>()
    .begin('loop')
    .where((tick) => tick.price < 40)
    .where((tick, { loop }) => sum(loop) + tick.price < 200)
    .oneOrMore()
    .followedBy('end')
    .where((tick) => tick.price > 90)
    .where((_, { loop }) => sum(loop) > 100)
    .within({ seconds: 50 })
    .afterMatch('pastLast');
  // Two keys; each has hundreds of accounts that wait for their second tick.
  const second = () => pattern<Tick>().begin('a').where(is(0)).followedBy('b').where(is(1));
  const found = second().whereEqual('key', 'a').within({ seconds: 20 });
  const asked = second()
    .where((b, { a }) => b.key === a![0].key)
    .within({ seconds: 20 });
  const exists = { emit: 'exists' } as const;
  return [
    await compare('cep/next3', 'M events/s', {
      rounds: 5,
      ours: detected(next3, many, 10, 1_000),
      baseline: byHand(nextThree, many, 10, 1_000),
    }),
    await compare('cep/followedBy3', 'M events/s', {
      rounds: 5,
      ours: detected(followedBy3, many, 10, 1),
      baseline: byHand(followedThree(100), many, 10, 1),
    }),
    await compare('cep/any3-exists-100', 'M events/s', {
      rounds: 3,
      ours: detected(any3(100), many, 10, 1, exists),
      baseline: byHand(anyThree(100), many, 10, 1),
    }),
    await compare('cep/any3-exists-1000', 'M events/s', {
      rounds: 3,
      ours: detected(any3(1_000), many, 10, 1, exists),
      baseline: byHand(anyThree(1_000), many, 10, 1),
    }),
    await compare('cep/any3-exists-10000', 'M events/s', {
      rounds: 3,
      ours: detected(any3(10_000), many, 10, 1, exists),
      baseline: byHand(anyThree(10_000), many, 10, 1),
    }),
    await compare('cep/any3-all', 'M matches/s', { rounds: 3, ours: enumerated(any3(100), some), baseline: byHandMatches(100, some) }),
    await compare('cep/iterative', 'M events/s', {
      rounds: 3,
      ours: detected(iterative, some, 10, 1_000),
      baseline: byHand(sumLoop, some, 10, 1_000),
    }),
    await compare('cep/where-equal', 'M events/s', { rounds: 3, ours: correlated(found, some), baseline: correlated(asked, some) }),
  ];
}

function sum(ticks: readonly Tick[] | undefined): number {
  let total = 0;
  for (const { price } of ticks ?? []) total += price;
  return total;
}

function detected<M extends Matched>(
  looked: Complete<Tick, M>,
  count: number,
  types: number,
  keys: number,
  options: DetectOptions<Tick, M> = {},
): Side {
  return async () => {
    const ticks = freshTicks(count, types, keys);
    collectGarbage();
    const start = performance.now();
    await run(looked, ticks, options);
    return rate(count, performance.now() - start);
  };
}

/** How many matches a second are written out. */
function enumerated<M extends Matched>(looked: Complete<Tick, M>, count: number): Side {
  return async () => {
    const ticks = freshTicks(count, 10, 1);
    collectGarbage();
    const start = performance.now();
    const matches = await run(looked, ticks, {});
    return rate(matches, performance.now() - start);
  };
}

/** Over two keys, in each of which a thousand accounts come together. */
function correlated<M extends Matched>(looked: Complete<Tick, M>, count: number): Side {
  return async () => {
    const ticks = freshTicks(count, 10, 2_000);
    collectGarbage();
    const start = performance.now();
    await run(looked, ticks, {}, (tick) => (tick.price % 2 === 0 ? 'even' : 'odd'));
    return rate(count, performance.now() - start);
  };
}

async function run<M extends Matched>(
  looked: Complete<Tick, M>,
  ticks: Tick[],
  options: DetectOptions<Tick, M>,
  keyOf: (tick: Tick) => string = (tick) => tick.key,
): Promise<number> {
  let matches = 0;
  const env = new StreamEnvironment();
  env
    .from(fromArray(ticks), { time: { timestamp: (tick) => tick.at } })
    .keyBy(keyOf)
    .pipe(detect(looked, (match) => match, options))
    .sinkTo(forEach(() => void matches++));
  await env.execute('bench');
  if (matches === 0) throw new Error('nothing was found');
  return matches;
}

function byHand(
  machine: (ticks: readonly Tick[], take: (found: unknown) => void) => void,
  count: number,
  types: number,
  keys: number,
): Side {
  return () => {
    const ticks = freshTicks(count, types, keys);
    collectGarbage();
    let matches = 0;
    const start = performance.now();
    machine(ticks, () => void matches++);
    const took = performance.now() - start;
    if (matches === 0) throw new Error('nothing was found');
    return rate(count, took);
  };
}

function byHandMatches(within: number, count: number): Side {
  return () => {
    const ticks = freshTicks(count, 10, 1);
    collectGarbage();
    let matches = 0;
    const start = performance.now();
    everyThree(within, ticks, () => void matches++);
    return rate(matches, performance.now() - start);
  };
}

function everyThree(within: number, ticks: readonly Tick[], take: (match: { a: Tick[]; b: Tick[]; c: Tick[] }) => void): void {
  const pairs: { a: Tick; b: Tick }[] = [];
  const firsts: Tick[] = [];
  for (const tick of ticks) {
    while (firsts.length > 0 && tick.at - firsts[0]!.at >= within) firsts.shift();
    if (tick.type === 0) firsts.push(tick);
    else if (tick.type === 1) for (const a of firsts) pairs.push({ a, b: tick });
    else if (tick.type === 2) {
      let kept = 0;
      for (const pair of pairs) {
        if (tick.at - pair.a.at >= within) continue;
        pairs[kept++] = pair;
        take({ a: [pair.a], b: [pair.b], c: [tick] });
      }
      pairs.length = kept;
    }
  }
}
