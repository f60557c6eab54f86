import { describe, expect, test } from 'vitest';
import { aggregate, avg, count, max, min, sum } from '../../src/index.ts';
import { aggregateOf, reduceOf } from '../../src/operators/windowAggregate.ts';
import { WindowAccumulators } from '../../src/operators/windowAccumulators.ts';

const value = (n: number): number => n;
const numbers = { n: count(), total: sum(value), mean: avg(value), least: min(value), largest: max(value) };
const joined = aggregate({
  create: () => '',
  add: (text, n: number) => `${text}${n}`,
  merge: (a, b) => a + b,
  result: (text) => `<${text}>`,
});

function filled(accumulators: WindowAccumulators, ...values: number[]): number {
  const row = accumulators.allocate();
  for (const each of values) {
    accumulators.take(each);
    accumulators.addTaken(row);
  }
  return row;
}

describe('accumulators by row', () => {
  test('every kind of number, beside one that is none', () => {
    const accumulators = new WindowAccumulators(aggregateOf({ ...numbers, joined } as never));
    const row = filled(accumulators, 3, -1, 4);
    expect(accumulators.result(row)).toEqual({ n: 3, total: 6, mean: 2, least: -1, largest: 4, joined: '<3-14>' });
    accumulators.merge(row, filled(accumulators, 9));
    expect(accumulators.result(row)).toEqual({ n: 4, total: 15, mean: 3.75, least: -1, largest: 9, joined: '<3-149>' });
    accumulators.clear(row);
    expect(accumulators.result(row)).toMatchObject({ n: 0, total: 0, joined: '<>' });
  });

  test('as plain data and back, the same as the aggregates keep elsewhere', () => {
    const shape = { ...numbers, joined };
    const accumulators = new WindowAccumulators(aggregateOf(shape as never));
    const row = filled(accumulators, 3, -1, 4);
    const saved = accumulators.read(row);
    for (const [name, { cells, of }] of Object.entries(shape)) {
      const other = cells();
      other.reserve(1);
      other.reset(0);
      for (const n of [3, -1, 4]) other.add(0, of === undefined ? n : of(n as never));
      expect(saved[name]).toEqual(other.read(0));
    }
    const restored = new WindowAccumulators(aggregateOf(shape as never));
    const target = restored.allocate();
    restored.write(target, saved);
    expect(restored.result(target)).toEqual(accumulators.result(row));
  });

  test('a field that the shape gained starts empty, one that it lost is left out', () => {
    const accumulators = new WindowAccumulators(aggregateOf({ n: count(), total: sum(value) } as never));
    const row = accumulators.allocate();
    accumulators.write(row, { n: 3, gone: 7 });
    expect(accumulators.read(row)).toEqual({ n: 3, total: 0 });
  });

  test('rows grow in number without losing what they hold, and come back empty', () => {
    const accumulators = new WindowAccumulators(aggregateOf({ total: sum(value), joined } as never));
    const rows = Array.from({ length: 10_000 }, (_, i) => {
      const row = filled(accumulators, i);
      accumulators.setTag(row, -i);
      return row;
    });
    expect(rows.every((row, i) => accumulators.tag(row) === -i)).toBe(true);
    expect(rows.map((row) => accumulators.result(row))).toEqual(rows.map((_, i) => ({ total: i, joined: `<${i}>` })));
    for (const row of rows) accumulators.release(row);
    expect(accumulators.read(rows[5]!)['joined'], 'an object that is still referred to').toBeUndefined();
    const { capacity } = accumulators;
    expect(accumulators.result(filled(accumulators))).toEqual({ total: 0, joined: '<>' });
    expect(accumulators.capacity).toBe(capacity);
  });

  test('a reduce has one value, and none of no element', () => {
    const accumulators = new WindowAccumulators(reduceOf((a: number, b: number) => a * b));
    const row = filled(accumulators, 3, 4);
    expect(accumulators.result(row)).toBe(12);
    accumulators.merge(row, filled(accumulators, 2));
    accumulators.merge(row, filled(accumulators));
    expect(accumulators.result(row)).toBe(24);
  });
});
