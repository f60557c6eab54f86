import { type DataStream, fromArray, type IntervalJoinDefinition, StreamEnvironment, tumbling } from '../src/index.ts';
import { type Emission, type Harness, harness } from '../src/testing.ts';
import { type Kind, multiset, type Outcome } from './outcome.ts';
import { storedState } from './storedState.ts';
import type { Case, Config, Step } from './table.ts';
import { elementTimeOf, ms, sameTime, timeOf, writeTime } from './times.ts';

/** An element is its own time, as the table writes it. */
interface Sides {
  readonly left: unknown;
  readonly right: unknown;
}

type Pair = readonly [left: unknown, right: unknown];

interface JoinOutputs {
  readonly pairs: Pair;
  readonly lateLeft: unknown;
  readonly lateRight: unknown;
}

interface IntervalCase extends Case {
  readonly input: { readonly left: readonly unknown[]; readonly right: readonly unknown[] };
}

function intervalJoin({ lower, upper, lowerInclusive = true, upperInclusive = true }: Config): Harness<Sides, JoinOutputs> {
  const definition: IntervalJoinDefinition<unknown, unknown, Pair> = {
    uid: 'join',
    between: [ms(lower), ms(upper)],
    lowerInclusive: lowerInclusive === true,
    upperInclusive: upperInclusive === true,
    select: (left, right) => [left, right],
  };
  return harness((inputs: { left: DataStream<unknown>; right: DataStream<unknown> }) => {
    const pairs = inputs.left
      .keyBy(() => 'key')
      .intervalJoin(
        inputs.right.keyBy(() => 'key'),
        definition,
      );
    return { pairs, lateLeft: pairs.side('lateLeft'), lateRight: pairs.side('lateRight') };
  });
}

type Side = keyof Sides;

function feed(h: Harness<Sides, JoinOutputs>, side: Side, times: readonly unknown[]): void {
  for (const time of times) h.push(side, time, elementTimeOf(time));
}

/** Pairs with their times, as the table has them. */
function pairsOf(emissions: readonly Emission<Pair>[]): readonly unknown[] {
  return multiset(emissions.map(({ value: [left, right], timestamp }) => [sameTime(left), sameTime(right), writeTime(timestamp)]));
}

function expectedPairs(pairs: readonly Pair[]): readonly unknown[] {
  return multiset(pairs.map(([left, right]) => [sameTime(left), sameTime(right), writeTime(Math.max(timeOf(left), timeOf(right)))]));
}

/** `intervalJoin`: one side after the other, in both orders. */
export const interval: Kind<IntervalCase & { readonly expect: { readonly pairs: readonly Pair[] } }> = ({ config, input, expect }) => {
  const run = (...order: readonly [Side, Side]): Outcome => {
    const h = intervalJoin(config);
    for (const side of order) feed(h, side, input[side]);
    return { variant: `${order[0]} first`, expected: expectedPairs(expect.pairs), actual: pairsOf(h.drainTimed('pairs')) };
  };
  return [run('left', 'right'), run('right', 'left')];
};

interface HeldTimes {
  readonly wm: unknown;
  readonly left: readonly unknown[];
  readonly right: readonly unknown[];
}

/** `intervalJoinState`: what either side still holds after each watermark. */
export const intervalState: Kind<IntervalCase & { readonly expect: readonly HeldTimes[] }> = ({ config, input, expect }) => {
  const h = intervalJoin(config);
  feed(h, 'left', input.left);
  feed(h, 'right', input.right);
  const actual = expect.map(({ wm }) => {
    const entries = storedState(h.watermark(timeOf(wm)).snapshot(), 'join');
    const held = (side: Side): readonly unknown[] =>
      entries.flatMap(({ state, value }) => (state === side ? (value as { readonly times: readonly number[] }).times.map(writeTime) : []));
    return { wm: sameTime(wm), left: multiset(held('left')), right: multiset(held('right')) };
  });
  const written = (times: readonly unknown[]): readonly unknown[] => multiset(times.map(sameTime));
  return { actual, expected: expect.map(({ wm, left, right }) => ({ wm: sameTime(wm), left: written(left), right: written(right) })) };
};

interface StepsCase extends Case {
  readonly input: readonly Step[];
  readonly expect: { readonly pairs: readonly Pair[]; readonly lateLeft?: readonly unknown[]; readonly lateRight?: readonly unknown[] };
}

/** `intervalJoinSteps`: elements of both sides and watermarks, with what comes too late. */
export const intervalSteps: Kind<StepsCase> = ({ config, input, expect }) => {
  const h = intervalJoin(config);
  for (const [step, time] of input) {
    if (step === 'l') feed(h, 'left', [time]);
    else if (step === 'r') feed(h, 'right', [time]);
    else if (step === 'wm') h.watermark(timeOf(time));
    else throw new Error(`There is no step "${step}".`);
  }
  const late = (times: readonly unknown[]): readonly unknown[] => multiset(times.map(sameTime));
  return {
    expected: { pairs: expectedPairs(expect.pairs), lateLeft: late(expect.lateLeft ?? []), lateRight: late(expect.lateRight ?? []) },
    actual: { pairs: pairsOf(h.drainTimed('pairs')), lateLeft: late(h.drain('lateLeft')), lateRight: late(h.drain('lateRight')) },
  };
};

/** `throws`: an interval join refuses elements without a time, on either side. */
export const refusals: Kind<Case & { readonly expect: { readonly throws: boolean } }> = ({ config, input, expect }) => {
  if (!/without timestamp/.test(String(input))) throw new Error(`There is no program for "${String(input)}".`);
  const sides = (['left', 'right'] as const).filter((side) => /either/.test(String(input)) || String(input).includes(side));
  return sides.map((side) => {
    const attempt = (): string => {
      try {
        feed(intervalJoin(config), side, [null]);
        return 'accepted';
      } catch (error) {
        return (error as { readonly code?: string }).code ?? String(error);
      }
    };
    return { variant: side, expected: expect.throws ? 'timestamp/invalid' : 'accepted', actual: attempt() };
  });
};

type KeyedTime = readonly [key: string, time: unknown];

/** The elements of two streams, and what becomes of them. */
interface Meeting {
  readonly left: readonly KeyedTime[];
  readonly right: readonly KeyedTime[];
  readonly meet: (sides: { readonly left: DataStream<KeyedTime>; readonly right: DataStream<KeyedTime> }) => DataStream<unknown>;
}

/** Runs it element by element, and as a job in batch mode; both see times in order. */
async function bothWays({
  left,
  right,
  meet,
}: Meeting): Promise<readonly { readonly variant: string; readonly emissions: readonly Emission<unknown>[] }[]> {
  const h = harness((inputs: { left: DataStream<KeyedTime>; right: DataStream<KeyedTime> }) => ({ results: meet(inputs) }));
  for (const element of left) h.push('left', element, elementTimeOf(element[1]));
  for (const element of right) h.push('right', element, elementTimeOf(element[1]));
  const streamed = h.end().drainTimed('results');
  const env = new StreamEnvironment({ mode: 'batch' });
  const source = (elements: readonly KeyedTime[]): DataStream<KeyedTime> =>
    env.from(fromArray(elements), { time: { timestamp: ([, time]) => timeOf(time) } });
  const timed = meet({ left: source(left), right: source(right) }).transform<Emission<unknown>>({
    create: (context) => ({ inputs: [(value: unknown) => context.emit({ value, timestamp: context.timestamp }, context.time)] }),
  });
  return [
    { variant: 'streaming', emissions: streamed },
    { variant: 'batch', emissions: await timed.collect() },
  ];
}

const keyOf = ([key]: KeyedTime): string => key;

interface CoGroupCase extends Case {
  readonly input: { readonly first: readonly KeyedTime[]; readonly second: readonly KeyedTime[] };
  readonly expect: readonly { readonly key: string; readonly first: readonly unknown[]; readonly second: readonly unknown[] }[];
}

/** `coGroup`: both sides of each key and tumbling window, also where one is empty. */
export const coGroup: Kind<CoGroupCase> = async ({ config, input, expect }) => {
  const times = (elements: readonly KeyedTime[]): readonly unknown[] => multiset(elements.map(([, time]) => sameTime(time)));
  const meet: Meeting['meet'] = ({ left, right }) =>
    left.keyBy(keyOf).coGroup(right.keyBy(keyOf), {
      window: tumbling(ms(config['size'])),
      select: (first, second, { key }) => [{ key, first: times(first), second: times(second) }],
    });
  const expected = multiset(
    expect.map(({ key, first, second }) => ({ key, first: multiset(first.map(sameTime)), second: multiset(second.map(sameTime)) })),
  );
  const ways = await bothWays({ left: input.first, right: input.second, meet });
  return ways.map(({ variant, emissions }) => ({ variant, expected, actual: multiset(emissions.map(({ value }) => value)) }));
};

function windowJoinOf(size: number, start = 0): Meeting['meet'] {
  const window = tumbling(ms(size), { offset: ms(start % size) });
  return ({ left, right }) =>
    left.keyBy(keyOf).join(right.keyBy(keyOf), {
      window,
      select: ([, first], [, second]) => [sameTime(first), sameTime(second)],
    });
}

interface WindowJoinCase extends Case {
  readonly input: { readonly first: readonly KeyedTime[]; readonly second: readonly KeyedTime[] };
  readonly expect: readonly Pair[];
}

/** `windowJoin`: all pairs of each key and tumbling window. */
export const windowJoin: Kind<WindowJoinCase> = async ({ config, input, expect }) => {
  const expected = multiset(expect.map((pair) => pair.map(sameTime)));
  const ways = await bothWays({ left: input.first, right: input.second, meet: windowJoinOf(Number(config['size'])) });
  return ways.map(({ variant, emissions }) => ({ variant, expected, actual: multiset(emissions.map(({ value }) => value)) }));
};

interface ResultTimeCase extends Case {
  readonly input: { readonly left: readonly KeyedTime[]; readonly right: readonly KeyedTime[] };
  readonly expect: { readonly resultTs: unknown };
}

/** `windowJoinTs`: the time of a pair that met in a window. */
export const windowJoinTime: Kind<ResultTimeCase> = async ({ config, input, expect }) => {
  const start = Number(config['windowStart']);
  const ways = await bothWays({ ...input, meet: windowJoinOf(Number(config['windowEnd']) - start, start) });
  const expected = [sameTime(expect.resultTs)];
  return ways.map(({ variant, emissions }) => ({
    variant,
    expected,
    actual: [...new Set(emissions.map(({ timestamp }) => writeTime(timestamp)))],
  }));
};
