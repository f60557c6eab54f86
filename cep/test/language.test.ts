import type { DataStream } from '@millrace/core';
import { MillraceError } from '@millrace/core';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { all, detect, either, explain, type MatchOf, pattern, patternDot, patternMermaid } from '../src/index.ts';
import { matches, trial } from '../src/testing.ts';

interface Small {
  readonly kind: 'small';
  readonly cents: number;
}
interface Large {
  readonly kind: 'large';
  readonly cents: number;
  readonly merchant: string;
}
type Payment = Small | Large;

const start = () => pattern<string>().begin('a').where(is('a'));
const is =
  (wanted: string) =>
  (letter: string): boolean =>
    letter === wanted;

function codeOf(build: () => { readonly node: unknown }): string {
  try {
    void build().node;
  } catch (error) {
    if (error instanceof MillraceError) return `${error.code} ${error.remedy === '' ? '' : 'with remedy'}`;
    throw error;
  }
  return 'accepted';
}

describe('what cannot work is refused with its step and a remedy', () => {
  const refused: Readonly<Record<string, () => { readonly node: unknown }>> = {
    'cep/duplicate-name': () => (start() as unknown as { next(name: string): { node: unknown } }).next('a'),
    'cep/quantifier': () => start().oneOrMore().times(2),
    'cep/optional': () => start().optional().optional(),
    'cep/until': () => start().until(is('b')),
    'cep/greedy': () => start().greedy(),
    'cep/not-step': () => start().optional().notNext('b'),
    'cep/trailing-not': () => start().notFollowedBy('b'),
    'cep/skip-target': () => start().afterMatch({ toFirst: 'z' as 'a' }),
    'cep/empty-loop': () => pattern<string>().begin(pattern<string>().begin('b').optional()).oneOrMore(),
    'cep/window': () => start().next('b').withinPrevious({ seconds: 5 }).within({ seconds: 1 }),
    'cep/too-large': () => all(...(Array.from({ length: 9 }, (_, i) => pattern<string>().begin(`s${i}`)) as never)),
    'cep/condition': () =>
      (pattern<string>().begin(start()) as unknown as { where(test: () => boolean): { node: unknown } }).where(() => true),
  };

  test.each(Object.entries(refused))('%s', (code, build) => {
    expect(codeOf(build)).toBe(`${code} with remedy`);
  });

  test('an error names the step', () => {
    expect(() => start().next('b').oneOrMore().oneOrMore()).toThrow(/Step "b"/);
  });
});

describe('matches are typed by their steps', () => {
  test('quantifiers, options and guards', () => {
    const probing = pattern<Payment>()
      .begin('small')
      .where((p): p is Small => p.kind === 'small')
      .oneOrMore()
      .followedBy('large')
      .where((p): p is Large => p.kind === 'large')
      .followedBy('more')
      .optional();
    expectTypeOf<MatchOf<typeof probing>>().toEqualTypeOf<{
      readonly small: readonly [Small, ...Small[]];
      readonly large: readonly [Large];
      readonly more: readonly [] | readonly [Payment];
    }>();
    const found = matches(probing, [
      { kind: 'small', cents: 1 },
      { kind: 'large', cents: 9, merchant: 'm' },
    ]);
    expect(found.map(({ large: [large] }) => large.merchant)).toEqual(['m']);
  });

  test('the key comes through, and so do the side outputs', () => {
    const run = (payments: DataStream<Payment>) => {
      const hits = payments
        .keyBy((p) => p.cents)
        .pipe(detect(pattern<Payment>().begin('one').next('two'), ({ two: [two] }, { key }) => ({ key, cents: two.cents })));
      expectTypeOf(hits.map((hit) => hit.key)).toEqualTypeOf<DataStream<number>>();
      expectTypeOf(hits.side('late')).toEqualTypeOf<DataStream<Payment>>();
      return payments.keyBy((p) => p.cents).pipe(detect(pattern<Payment>().begin('one'), (event) => event.cents, { emit: 'exists' }));
    };
    expectTypeOf<ReturnType<typeof run>['map']>().toBeFunction();
    const wrong = () => {
      const two = pattern<Payment>().begin('one').next('two');
      // @ts-expect-error there is no such step
      two.where((_, { three }) => three !== undefined);
      // @ts-expect-error the name is taken
      pattern<Payment>().begin('one').next('one');
      // @ts-expect-error an absence is not taken several times
      pattern<Payment>().begin('one').notNext('two').oneOrMore();
    };
    expect(wrong).toThrow();
  });
});

describe('beyond Flink', () => {
  test('either gives the steps of one branch', () => {
    const entered = either(start(), pattern<string>().begin('b').where(is('b')).next('c').where(is('c')));
    expect(matches(entered.followedBy('d').where(is('d')), ['b', 'c', 'd'])).toEqual([{ a: [], b: ['b'], c: ['c'], d: ['d'] }]);
  });

  test('all takes each once, in any order', () => {
    const both = all(start(), pattern<string>().begin('b').where(is('b')));
    expect(matches(both, ['b', 'x', 'a'])).toEqual([{ a: ['a'], b: ['b'] }]);
  });

  test('an absence is decided when the events of its last moment are known', () => {
    const ignored = start().notFollowedBy('b').where(is('b')).absentFor({ milliseconds: 10 }).followedBy('c').where(is('c'));
    const run = (...events: readonly (readonly [string, number])[]) => {
      const tried = trial(ignored);
      for (const [event, at] of events) tried.event(event, at);
      return tried.takeMatches().length;
    };
    expect([run(['a', 0], ['c', 10], ['c', 11]), run(['a', 0], ['b', 10], ['c', 11]), run(['a', 0], ['b', 11], ['c', 12])]).toEqual([
      1, 0, 1,
    ]);
  });

  test('greedy groups, unless Flink is to be followed', () => {
    const group = pattern<string>().begin(start()).oneOrMore().greedy().followedBy('any');
    expect(explain(group).executor).toBe('runs');
    expect(() => explain(group, { compat: 'flink' })).toThrow(/cep\/greedy/);
  });
});

describe('what is given out', () => {
  const pairs = start().oneOrMore().followedByAny('b').where(is('b'));
  const letters = ['a', 'a', 'b'];

  test.each([undefined, 'toNext'] as const)('all, the best, some, or one (after a match: %s)', (afterMatch) => {
    const count = (emit: 'all' | 'first' | 'exists' | { limit: number }): number =>
      matches(pairs, letters, { emit, ...(afterMatch && { afterMatch }) }).length;
    expect([count('all'), count({ limit: 2 }), count('first'), count('exists')]).toEqual(
      afterMatch === undefined ? [3, 2, 1, 1] : [2, 2, 1, 1],
    );
  });

  test('the best is the longest, then that with the earliest events', () => {
    expect(matches(pairs, letters, { emit: 'first' })).toEqual([{ a: ['a', 'a'], b: ['b'] }]);
  });

  test.each([
    ['dropNewest', ['a1', 'a2']],
    ['dropOldest', ['a2', 'a3']],
  ] as const)('no more partial matches than allowed: %s', (policy, left) => {
    const first = pattern<string>()
      .begin('a')
      .where((e) => e.startsWith('a'))
      .followedByAny('b')
      .where(is('b'));
    const found = matches(first, ['a1', 'a2', 'a3', 'b'], { maxPartials: { limit: 2, policy } });
    expect(found.map(({ a: [a] }) => a)).toEqual(left);
    expect(() => matches(first, ['a1', 'a2', 'a3'], { maxPartials: { limit: 2, policy: 'fail' } })).toThrow(/cep\/too-many-partials/);
  });

  test('throwOnMiss tells of a match without the step to skip to', () => {
    const maybe = start().next('b').where(is('b')).optional();
    expect(() => matches(maybe, ['a'], { afterMatch: { toFirst: 'b', throwOnMiss: true } })).toThrow(/cep\/skip-missed/);
  });
});

describe('explain', () => {
  test('says which executor follows a pattern, and why', () => {
    const plain = start().next('b');
    expect(explain(plain).executor).toBe('compact');
    expect(explain(plain, { afterMatch: 'pastLast' })).toMatchObject({ executor: 'runs', reason: 'a match drops other runs' });
    expect(
      explain(
        start()
          .next('b')
          .where((letter, { a }) => letter === a![0]),
      ).reason,
    ).toMatch(/asks what was taken before/);
    expect(explain(start().oneOrMore()).warnings[0]).toMatch(/loops without end/);
  });

  test('asks each predicate once, wherever it stands', () => {
    const isA = is('a');
    expect(explain(pattern<string>().begin('a').where(isA).oneOrMore().greedy().next('b').where(isA)).predicates).toBe(1);
  });

  test('draws it', () => {
    const drawn = start().followedBy('b').where(is('b'));
    expect(patternMermaid(drawn).split('\n')).toContain('  s0 --> s1 : followedBy b');
    expect(patternDot(drawn)).toContain('s0 -> s1 [label="followedBy b"];');
  });
});
