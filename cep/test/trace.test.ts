import { type DataStream, fromArray, StreamEnvironment } from '@millrace/core';
import { harness } from '@millrace/core/testing';
import { describe, expect, test } from 'vitest';
import { detect, pattern, type TraceOptions } from '../src/index.ts';
import { trace } from '../src/testing.ts';

/** Conditions by whose names traces tell of them. */
const isA = (event: string): boolean => event === 'a';
const isB = (event: string): boolean => event === 'b';
const isC = (event: string): boolean => event === 'c';
const isX = (event: string): boolean => event === 'x';

const start = () => pattern<string>().begin('a').where(isA);
const followed = () => start().followedBy('b').where(isB);

const texts = (steps: readonly { readonly text: string }[]): string[] => steps.map(({ text }) => text);

describe('trace', () => {
  test('tells of matches', () => {
    const steps = trace(followed(), ['a', 'b']);
    expect(texts(steps)).toEqual(['0 a@0: takes a', '1 a@0 b@1: takes b', '1 a@0 b@1: matches']);
    expect(steps[2]).toEqual({ at: 1, what: 'matched', match: { a: ['a'], b: ['b'] }, text: '1 a@0 b@1: matches' });
  });

  test('contiguity: the very next event is another', () => {
    expect(trace(start().next('b').where(isB), ['a', 'c', 'b']).at(-1)).toEqual({
      at: 1,
      what: 'died',
      why: 'contiguity',
      match: { a: ['a'] },
      text: '1 a@0: dies (contiguity): the next event is not "isB"',
    });
  });

  test('condition: what must not happen has happened', () => {
    const never = start().notFollowedBy('x').where(isX).followedBy('b').where(isB);
    expect(texts(trace(never, ['a', 'c', 'x', 'b']))).toEqual([
      '0 a@0: takes a',
      '2 a@0: dies (condition): an event came that is "isX", which must not come before b',
    ]);
    const notNext = start().notNext('x').where(isX).followedBy('b').where(isB);
    expect(texts(trace(notNext, ['a', 'x'])).at(-1)).toBe('1 a@0: dies (condition): the next event is "isX", which must not come next');
    const loop = start().oneOrMore().until(isX).followedBy('c').where(isC).within({ milliseconds: 9 });
    expect(texts(trace(loop, ['a', 'x', 'a', 'c']))).toContain('3 a@0 c@3: takes c');
  });

  test('window: of the pattern, of a step, of a loop', () => {
    const time = (at: string): number => Number(at.slice(1));
    const starts = (name: string) => (event: string) => event.startsWith(name);
    const first = () => pattern<string>().begin('a').where(starts('a'));
    const within = first().followedBy('b').where(starts('b')).within({ milliseconds: 5 });
    expect(texts(trace(within, ['a0', 'b5'], { time })).at(-1)).toBe('5 a@0: dies (window): no b came within 5ms of the first event');
    const gap = first().followedBy('b').where(starts('b')).withinPrevious({ milliseconds: 3 });
    expect(texts(trace(gap, ['a0', 'b3'], { time })).at(-1)).toBe('3 a@0: dies (window): no b came within 3ms of the event before');
    const loop = first().times(2, { within: { milliseconds: 2 } });
    expect(texts(trace(loop, ['a0', 'a5'], { time })).filter((text) => text.includes('dies'))).toEqual([
      '2 a@0: dies (window): no a[2] came within 2ms of the event before',
      '7 a@5: dies (window): no a[2] came within 2ms of the event before',
    ]);
    // Without an end of time, nothing ends what nothing ends.
    expect(texts(trace(followed(), ['a']))).toEqual(['0 a@0: takes a']);
  });

  test('skip: a match that was given out drops it', () => {
    const steps = trace(followed().afterMatch('pastLast'), ['a', 'a', 'b']);
    expect(texts(steps)).toEqual([
      '0 a@0: takes a',
      '1 a@1: takes a',
      '2 a@0 b@2: takes b',
      '2 a@1 b@2: takes b',
      '2 a@1 b@2: dies (skip): complete, but a match that was given out drops it',
      '2 a@0 b@2: matches',
    ]);
    const open = start().followedByAny('b').where(isB).followedByAny('c').where(isC).afterMatch('toNext');
    expect(texts(trace(open, ['a', 'b', 'b', 'c'])).filter((text) => text.includes('(skip)'))).toContain(
      '3 a@0 b@2 c@3: dies (skip): complete, but a match that was given out drops it',
    );
    expect(texts(trace(open, ['a', 'b', 'b', 'c']))).toContain('3 a@0: dies (skip): it began too early for the match that was given out');
  });

  test('cap: there were too many', () => {
    const cap = 'dies (cap): there were more partial matches than maxPartials allows';
    const dropNewest = trace(followed(), ['a', 'a', 'b'], { maxPartials: { limit: 1, policy: 'dropNewest' } });
    expect(texts(dropNewest)).toContain(`1 a@1: ${cap}`);
    const dropOldest = trace(followed(), ['a', 'a', 'b'], { maxPartials: { limit: 1, policy: 'dropOldest' } });
    expect(texts(dropOldest)).toContain(`1 a@0: ${cap}`);
  });

  test('tells of absences', () => {
    const quiet = start().notFollowedBy('x').where(isX).absentFor({ milliseconds: 2 }).followedBy('b').where(isB);
    expect(texts(trace(quiet, ['a', 'c', 'c', 'b']))).toEqual([
      '0 a@0: takes a',
      '2 a@0: absence of x',
      '3 a@0 b@3: takes b',
      '3 a@0 b@3: matches',
    ]);
    expect(texts(trace(quiet, ['a', 'x'])).at(-1)).toMatch(/dies \(condition\)/);
  });
});

describe('detect with a trace', () => {
  interface Event {
    readonly key: string;
    readonly is: string;
    readonly at: number;
  }
  const looked = pattern<Event>()
    .begin('a')
    .where((e) => e.is === 'a')
    .followedByAny('b')
    .where((e) => e.is === 'b')
    .within({ milliseconds: 10 });
  const events: readonly Event[] = [
    { key: 'one', is: 'a', at: 0 },
    { key: 'two', is: 'a', at: 1 },
    { key: 'one', is: 'b', at: 5 },
    { key: 'two', is: 'b', at: 11 },
  ];
  const traced = (lines: string[]) =>
    detect(looked, ({ a: [a] }) => a.key, {
      uid: 'pairs',
      trace: { keys: ['two'], log: ({ text }, key) => void lines.push(`${String(key)}: ${text}`) },
    });
  const expected = ['two: 1 a@1: takes a', 'two: 11 a@1: dies (window): no b came within 10ms of the first event'];

  test.each(['streaming', 'batch'] as const)('tells of its keys alone, and changes nothing (%s)', async (mode) => {
    const lines: string[] = [];
    const env = new StreamEnvironment({ mode });
    const stream = env.from(fromArray(events), { time: { timestamp: (e) => e.at } });
    expect(
      await stream
        .keyBy((e) => e.key)
        .pipe(traced(lines))
        .collect(),
    ).toEqual(['one']);
    expect(lines).toEqual(expected);
  });

  test('tells of what time decides when the watermark comes', () => {
    const lines: string[] = [];
    const h = harness(({ input }: { readonly input: DataStream<Event> }) => ({ found: input.keyBy((e) => e.key).pipe(traced(lines)) }));
    h.push('input', events[1]!, 1).watermark(1);
    expect(lines).toEqual(expected.slice(0, 1));
    h.watermark(10);
    expect(lines).toEqual(expected.slice(0, 1));
    h.watermark(11);
    expect(lines).toEqual(expected);
  });

  test('knows keys of several parts', () => {
    const lines: string[] = [];
    const trace = { keys: [[2, 'two']], log: ({ text }: { readonly text: string }) => void lines.push(text) };
    const h = harness(({ input }: { readonly input: DataStream<Event> }) => ({
      found: input.keyBy((e) => [e.at, e.key] as const).pipe(detect(looked, () => 'found', { uid: 'parts', trace })),
    }));
    for (const [at, key] of [
      [2, 'two'],
      [2, 'one'],
      [1, 'two'],
    ] as const)
      h.push('input', { key, is: 'a', at }, at);
    h.end();
    expect(lines[0]).toBe('2 a@2: takes a');
    expect(lines).toHaveLength(2);
  });

  test('a condition that fails is told of by the operator, not by the trace', () => {
    const lines: string[] = [];
    const log: TraceOptions<unknown>['log'] = ({ text }) => void lines.push(text);
    const failing = pattern<Event>()
      .begin('a')
      .where((e) => e.is === 'a')
      .followedBy('b')
      .where((_, { a }) => {
        throw new Error(`no ${a?.[0].is}`);
      });
    const h = harness(({ input }: { readonly input: DataStream<Event> }) => {
      const found = input
        .keyBy((e) => e.key)
        .pipe(detect(failing, () => 'found', { uid: 'failing', onError: 'deadLetter', trace: { keys: ['one'], log } }));
      return { found };
    });
    h.push('input', events[0]!, 0).push('input', events[2]!, 5).watermark(5);
    expect(lines).toEqual(['0 a@0: takes a']);
  });
});
