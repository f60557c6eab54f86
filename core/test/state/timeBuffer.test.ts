import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyedTable } from '../../src/state/keyedTable.ts';
import { entriesOf } from '../../src/state/storedState.ts';
import { MemoryTimeBuffers, TimeBuffer } from '../../src/state/timeBuffer.ts';

const contents = <V>(buffer: TimeBuffer<V>) =>
  Array.from({ length: buffer.end - buffer.start }, (_, i) => [buffer.timeAt(buffer.start + i), buffer.valueAt(buffer.start + i)]);

describe('time buffer', () => {
  test('against a sorted list, over random inserts and drops', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ insert: fc.integer({ min: 0, max: 30 }) }) },
      fc.record({ dropUntil: fc.integer({ min: 0, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), fc.boolean(), (steps, drift) => {
        const buffer = new TimeBuffer<number>();
        let naive: [number, number][] = [];
        for (const [i, s] of steps.entries()) {
          const base = drift ? i : 0;
          if ('insert' in s) {
            buffer.insert(base + s.insert, i);
            naive.push([base + s.insert, i]);
            naive.sort(([a, m], [b, n]) => a - b || m - n);
          } else {
            buffer.dropUntil(base + s.dropUntil - 40);
            naive = naive.filter(([at]) => at > base + s.dropUntil - 40);
          }
          expect(buffer.earliest).toBe(naive[0]?.[0] ?? Infinity);
        }
        expect(contents(buffer)).toEqual(naive);
        for (const at of [-50, 0, 10, 35, 400]) {
          expect(buffer.from(at) - buffer.start).toBe(naive.filter(([time]) => time < at).length);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('many in order with drops behind them keep little', () => {
    const buffer = new TimeBuffer<number>();
    for (let at = 0; at < 10_000; at++) {
      buffer.insert(at, at);
      buffer.dropUntil(at - 10);
      if (buffer.end - buffer.start !== Math.min(at + 1, 10) || buffer.valueAt(buffer.start) !== buffer.earliest) expect.fail(`at ${at}`);
    }
    expect(contents(buffer)).toEqual(Array.from({ length: 10 }, (_, i) => [9_990 + i, 9_990 + i]));
    expect(buffer.end).toBeLessThan(100);
  });

  test('a key without elements holds no slot, and a buffer comes back from its entry', () => {
    const table = new KeyedTable();
    const buffers = new MemoryTimeBuffers<string>('b', table);
    table.enter('x');
    expect(buffers.find()).toBeUndefined();
    expect(buffers.dropUntil(5)).toBe(Infinity);
    for (const [at, value] of [
      [3, 'c'],
      [1, 'a'],
      [3, 'd'],
    ] as const)
      buffers.claim().insert(at, value);
    const [entry] = entriesOf(buffers, table.find());
    expect(buffers.dropUntil(1)).toBe(3);
    expect(table.index.size).toBe(1);
    expect(buffers.dropUntil(3)).toBe(Infinity);
    expect(table.index.size).toBe(0);
    table.enter('y');
    buffers.restore({ key: 'y', ...entry! });
    expect(contents(buffers.find()!)).toEqual([
      [1, 'a'],
      [3, 'c'],
      [3, 'd'],
    ]);
    buffers.clear();
    expect(table.index.size).toBe(0);
  });
});
