import { describe, expect, test } from 'vitest';
import { defineSource, type ReadContext, type SourceBatch, type SourceReader } from '../../src/index.ts';
import { checkSource, type SourceCheck } from '../../src/testing.ts';
import { brokenRule, patience } from './brokenRule.ts';

describe('sources that break a rule are found', () => {
  const values = [1, 2, 3, 4, 5, 6];
  type Reader = SourceReader<number, unknown>;
  type Batches = AsyncGenerator<SourceBatch<number, unknown>, void, undefined>;

  const good: Reader = {
    splits: async () => ['a', 'b'],
    async *read(split, from = 0, { signal }) {
      for (let at = from as number; at < 6 && !signal.aborted; at += 2)
        yield { values: values.slice(at, at + 2), position: at + 2, bytes: 2 };
    },
    size: async () => 6,
  };
  const twice = [...values, ...values];

  function check(changes: Partial<Reader>, options: SourceCheck<number> = {}): Promise<string | undefined> {
    const source = defineSource<number, unknown>({ name: 'tested', bounded: true, open: () => ({ ...good, ...changes }) });
    return brokenRule(checkSource(source, { expected: twice, patience, ...options }));
  }

  test('and the one that breaks none is not', async () => {
    expect(await check({})).toBeUndefined();
    expect(await check({}, { limit: 3, expected: [1, 2, 3, 1, 2, 3] })).toBeUndefined();
  });

  let reads = 0;
  const shared: number[] = [];
  const moving = { at: 0 };
  let lastRead = 'none';
  let isAcknowledged = false;
  let forgotten: unknown = 'nothing';

  test.each<[rule: string, what: string, changes: Partial<Reader>, options?: SourceCheck<number>]>([
    ['open', 'cannot be opened', {}, {}],
    ['splits', 'splits that are no names', { splits: async () => [1, 2] as unknown as string[] }],
    ['splits', 'splits that fail', { splits: () => Promise.reject(new Error('no list')) }],
    ['splits', 'other splits each time', { splits: async () => ['a', `b${reads++}`] }],
    [
      'answer',
      'splits that never end',
      {
        async *splits() {
          yield ['a', 'b'];
          await new Promise(() => undefined);
        },
      },
    ],
    [
      'answer',
      'reading that never ends',
      {
        async *read() {
          yield { values: twice, position: 1 };
          await new Promise(() => undefined);
        },
      },
    ],
    [
      'batch',
      'no values',
      {
        async *read() {
          yield { position: 1 } as unknown as SourceBatch<number, unknown>;
        },
      },
    ],
    [
      'batch',
      'no position',
      {
        async *read() {
          yield { values, position: undefined };
        },
      },
    ],
    [
      'batch/progress',
      'an empty batch',
      {
        async *read() {
          yield { values, position: 6 };
          yield { values: [], position: 6 };
        },
      },
    ],
    [
      'batch/owned',
      'one array for all',
      {
        async *read(_split, from = 0) {
          for (let at = from as number; at < 6; at++) {
            shared.splice(0, shared.length, values[at]!);
            yield { values: shared, position: at + 1 };
          }
        },
      },
    ],
    [
      'position/plain',
      'a function for a position',
      {
        async *read() {
          yield { values, position: () => 6 };
        },
      },
    ],
    [
      'position/plain',
      'one position that moves',
      {
        async *read() {
          for (const value of values) {
            moving.at++;
            yield { values: [value], position: moving };
          }
        },
      },
    ],
    [
      'complete',
      'an element missing',
      {
        async *read() {
          yield { values: values.slice(1), position: 6 };
        },
      },
    ],
    [
      'complete',
      'an element twice',
      {
        async *read() {
          yield { values: [...values, 6], position: 6 };
        },
      },
    ],
    [
      'complete',
      'another order',
      {
        splits: async () => ['a'],
        async *read() {
          yield { values: [2, 1], position: 2 };
        },
      },
      { expected: [1, 2] },
    ],
    [
      'complete',
      'reading that fails',
      {
        async *read() {
          yield { values, position: 6 };
          throw new Error('cut');
        },
      },
    ],
    [
      'repeat',
      'other elements each time',
      {
        async *read() {
          yield { values: [reads++], position: 1 };
        },
      },
      { expected: undefined as never },
    ],
    [
      'repeat',
      'one split at a time',
      {
        async *read(split) {
          lastRead = split;
          await new Promise(setImmediate);
          yield { values: split === lastRead ? values : [], position: 6 };
        },
      },
    ],
    ['resume', 'begins anew', { read: (split, _from, context) => good.read(split, undefined, context) }],
    [
      'resume',
      'begins one too late',
      { read: (split, from, context) => good.read(split, from === undefined || from === 6 ? from : (from as number) + 1, context) },
    ],
    ['resume', 'needs its own splits', needsSplits()],
    [
      'abort',
      'does not hear',
      {
        async *read(_split, from = 0) {
          for (let at = from as number; at < 6; at++) yield { values: [values[at]!], position: at + 1 };
        },
      },
    ],
    ['answer', 'does not hear while it waits', { splits: async () => ['a'], read: waitsForever }, { limit: 2, expected: [1, 2] }],
    [
      'committed',
      'is told of its ends once only',
      {
        committed: async (_positions, ended) => {
          if (ended.size > 0 && isAcknowledged) throw new Error('no such message');
          isAcknowledged ||= ended.size > 0;
        },
      },
    ],
    [
      'committed',
      'forgets what was told',
      {
        read: (split, from, context) => good.read(split, from === forgotten ? 4 : from, context),
        committed: async (positions) => void (forgotten = positions.get('a')),
      },
    ],
    ['size', 'no size', { size: async () => -1 }],
    ['size', 'more bytes than there are', { size: async () => 5 }],
    ['close', 'cannot be closed', { close: () => Promise.reject(new Error('stuck')) }],
    ['answer', 'is never closed', { close: () => new Promise(() => undefined) }],
  ])('%s: %s', async (rule, what, changes, options = {}) => {
    if (what === 'cannot be opened') {
      const source = defineSource<number, number>({ name: 'shut', bounded: true, open: () => Promise.reject(new Error('shut')) });
      return expect(await brokenRule(checkSource(source, { patience }))).toBe(rule);
    }
    expect(await check(changes, options)).toBe(rule);
  });

  function needsSplits(): Partial<Reader> {
    let asked = false;
    return {
      splits: async () => ((asked = true), ['a', 'b']),
      async *read(split, from, context): Batches {
        if (asked || from === undefined) yield* good.read(split, from, context) as Batches;
        asked = false;
      },
    };
  }

  async function* waitsForever(_split: string, from: unknown, _context: ReadContext): Batches {
    if (from === undefined) yield { values: [1, 2], position: 2 };
    await new Promise(() => undefined);
  }
});
