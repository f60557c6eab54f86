import { describe, expect, test } from 'vitest';
import { count, type DataStream, fromArray, StreamEnvironment, sum } from '../../src/index.ts';
import { everyCheckpoint, harness } from '../../src/testing.ts';
import { storedState } from './steps.ts';

interface Item {
  readonly key: string;
  readonly n: number;
}

const careful = ({ n }: Item): number => {
  if (n < 0) throw new Error('negative');
  return n;
};
const totals = (i: { in: DataStream<Item> }) => ({
  out: i.in
    .keyBy(({ key }) => key)
    .aggregate({ n: count(), total: sum(careful) }, { uid: 'totals' })
    .map(({ key, value: { n, total } }) => `${key} ${n} ${total}`),
});
const item = (key: string, n: number): Item => ({ key, n });

describe('rolling aggregates', () => {
  test.each([true, false])('with every element, per key, through every checkpoint; generated code: %s', (generateCode) => {
    const { out } = everyCheckpoint(totals, (h) => h.push('in', item('a', 1)).push('in', item('b', 5)).push('in', item('a', 2)).end(), {
      run: { generateCode },
    });
    expect(out).toEqual(['a 1 1', 'b 1 5', 'a 2 3']);
  });

  test.each([true, false])('an element for which one of them throws is in none; generated code: %s', (generateCode) => {
    const h = harness(totals, { run: { onError: 'skip', generateCode } });
    for (const n of [-1, 2, -3, 4]) h.push('in', item('a', n));
    h.push('in', item('b', -1));
    expect(h.drain('out')).toEqual(['a 1 2', 'a 2 6']);
    expect(storedState(h.snapshot(), 'totals').keyed.map(({ key }) => key)).toEqual(['a']);
    expect(() => harness(totals, { run: { generateCode } }).push('in', item('a', -1))).toThrow(expect.objectContaining({ uid: 'totals' }));
  });

  test('in batch mode once per key, and not for a key whose elements were all rejected', async () => {
    const env = new StreamEnvironment({ mode: 'batch', onError: 'skip', logger: { debug: noop, info: noop, warn: noop, error: noop } });
    const { out } = totals({ in: env.from(fromArray([item('a', 1), item('b', -1), item('a', -2), item('c', 3), item('a', 4)])) });
    expect((await out.collect()).sort()).toEqual(['a 2 5', 'c 1 3']);
  });
});

function noop(): void {}
