import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, type MillraceError, output } from '../../src/index.ts';
import { harness } from '../../src/testing.ts';

interface Item {
  readonly key: string;
  readonly n: number;
}

/** Steps that a random chain is made of. `boom` throws for some elements, in different places of an operator's work. */
const STEPS = {
  map: (s: DataStream<Item>, i: number) => s.map(({ key, n }) => ({ key, n: n + i })),
  filter: (s: DataStream<Item>, i: number) => s.filter(({ n }) => n % (i + 2) !== 0),
  flatMapArray: (s: DataStream<Item>) => s.flatMap((item) => [item, { ...item, n: -item.n }]),
  flatMapGenerator: (s: DataStream<Item>, i: number) =>
    s.flatMap(function* (item) {
      yield item;
      if (item.n % (i + 3) === 0) throw new Error('late in a generator');
      yield { ...item, n: item.n * 2 };
    }),
  boom: (s: DataStream<Item>, i: number) =>
    s.map((item) => {
      if (item.n % (i + 3) === 1) throw new Error('boom');
      return item;
    }),
  reduce: (s: DataStream<Item>) => s.keyBy(({ key }) => key).reduce((a, b) => ({ key: a.key, n: a.n + b.n })),
  side: (s: DataStream<Item>) => {
    const split = s
      .keyBy(({ key }) => key)
      .process({
        outputs: { odd: output<Item>() },
        onElement(item, { output: emit }) {
          if (item.n % 2 === 0) return [item];
          emit('odd', item);
          return undefined;
        },
      });
    return split.union(split.side('odd').map((item) => ({ ...item, n: item.n + 1000 })));
  },
} satisfies Record<string, (s: DataStream<Item>, i: number) => DataStream<Item>>;

const chain = fc.array(fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[])), { minLength: 1, maxLength: 30 });
const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: 0, max: 50 }) }), { maxLength: 30 });

function run(steps: readonly (keyof typeof STEPS)[], input: readonly Item[], generateCode: boolean, onError: 'fail' | 'skip'): unknown {
  const h = harness(
    (i: { in: DataStream<Item> }) => ({ out: steps.reduce((stream: DataStream<Item>, step, at) => STEPS[step](stream, at), i.in) }),
    { run: { generateCode, onError } },
  );
  const trace: unknown[] = [];
  for (const item of input) {
    try {
      h.push('in', item, item.n);
    } catch (error) {
      trace.push(...h.drainTimed('out'), [(error as MillraceError).code, (error as MillraceError).uid]);
      return trace;
    }
  }
  return [...trace, ...h.drainTimed('out')];
}

describe('a generated driver does what plain calls do', () => {
  test.each(['fail', 'skip'] as const)('under onError %s', (onError) => {
    fc.assert(
      fc.property(chain, items, (steps, input) => {
        expect(run(steps, input, true, onError)).toEqual(run(steps, input, false, onError));
      }),
      { numRuns: 150 },
    );
  });
});

describe.each([true, false])('errors (generated: %s)', (generateCode) => {
  const failing = (onError?: 'skip') => (i: { in: DataStream<number> }) => ({
    out: i.in
      .map((n) => n, { uid: 'before' })
      .map(
        (n) => {
          if (n === 2) throw new Error('two');
          return n * 10;
        },
        { uid: 'culprit', ...(onError !== undefined && { onError }) },
      )
      .map((n) => n + 1, { uid: 'after' }),
  });

  test('name the operator that threw', () => {
    const h = harness(failing(), { run: { generateCode } });
    h.push('in', 1);
    expect(() => h.push('in', 2)).toThrow(expect.objectContaining({ code: 'operator/failed', uid: 'culprit' }));
  });

  test('an operator may skip what the job would fail for', () => {
    const h = harness(failing('skip'), { run: { generateCode } });
    h.push('in', 1).push('in', 2).push('in', 3);
    expect(h.drain('out')).toEqual([11, 31]);
  });

  test('an invalid key names the operator behind the keyBy', () => {
    const h = harness(
      (i: { in: DataStream<{ k: unknown }> }) => ({ out: i.in.keyBy(({ k }) => k as string).reduce((a) => a, { uid: 'keyed' }) }),
      {
        run: { generateCode },
      },
    );
    expect(() => h.push('in', { k: Number.NaN })).toThrow(expect.objectContaining({ code: 'key/invalid', uid: 'keyed' }));
    const h2 = harness(
      (i: { in: DataStream<{ k: unknown }> }) => ({ out: i.in.keyBy(({ k }) => k as string).reduce((a) => a, { uid: 'keyed' }) }),
      {
        run: { generateCode, onError: 'skip' },
      },
    );
    h2.push('in', { k: undefined }).push('in', { k: null }).push('in', { k: {} }).push('in', { k: 'fine' });
    expect(h2.drain('out')).toEqual([{ k: 'fine' }]);
  });
});
