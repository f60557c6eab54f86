import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Aggregate,
  aggregate,
  avg,
  count,
  distinct,
  first,
  last,
  list,
  max,
  maxBy,
  min,
  minBy,
  sum,
  topK,
} from '../../src/state/aggregate.ts';
import { entriesOf } from '../../src/state/storedState.ts';
import { AggregateTable } from '../../src/state/aggregateTable.ts';
import { KeyedTable } from '../../src/state/keyedTable.ts';
import { errorCode } from '../time/errorCode.ts';

interface Item {
  readonly id: number;
  readonly n: number;
}

const n = ({ n: value }: Item): number => value;

/** Each aggregate with what it is by definition. `exact` where floating-point sums are not involved. */
const AGGREGATES: Readonly<Record<string, { readonly of: Aggregate<Item, unknown>; readonly naive: (items: readonly Item[]) => unknown }>> =
  {
    count: { of: count(), naive: (items) => items.length },
    sum: { of: sum(n), naive: (items) => items.reduce((total, item) => total + item.n, 0) },
    avg: { of: avg(n), naive: (items) => items.reduce((total, item) => total + item.n, 0) / items.length },
    min: { of: min(n), naive: (items) => Math.min(...items.map(n)) + 0 },
    max: { of: max(n), naive: (items) => Math.max(...items.map(n)) },
    minBy: { of: minBy(n), naive: (items) => items.find((item) => item.n === Math.min(...items.map(n))) },
    maxBy: { of: maxBy(n), naive: (items) => items.find((item) => item.n === Math.max(...items.map(n))) },
    first: { of: first<Item>(), naive: (items) => items[0] },
    last: { of: last<Item>(), naive: (items) => items.at(-1) },
    list: { of: list<Item>(), naive: (items) => [...items] },
    distinct: { of: distinct(n), naive: (items) => new Set(items.map(n)).size },
    topK: { of: topK(3, n), naive: (items) => items.toSorted((a, b) => b.n - a.n).slice(0, 3) },
    own: {
      of: aggregate({
        create: () => ({ ids: [] as number[] }),
        add(acc, { id }: Item) {
          acc.ids.push(id);
          return acc;
        },
        merge: (a, b) => ({ ids: [...a.ids, ...b.ids] }),
        result: ({ ids }) => ids.join(),
        copy: ({ ids }) => ({ ids: [...ids] }),
      }),
      naive: (items) => items.map(({ id }) => id).join(),
    },
  };

/** Whole numbers, so that no order of adding changes a sum. */
const items = fc
  .array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 12 })
  .map((numbers) => numbers.map((value, id): Item => ({ id, n: value })));

describe.each(Object.entries(AGGREGATES))('%s', (_, { of: { definition, cells, of }, naive }) => {
  const folded = (values: readonly Item[]): unknown =>
    values.reduce<unknown>((acc, value) => definition.add(acc, value as never), definition.create());
  const input = (value: Item): unknown => (of === undefined ? value : of(value as never));

  test('definition, columns and the plain meaning agree, also over merges and snapshots', () => {
    fc.assert(
      fc.property(items, fc.nat(), fc.nat(), (values, cut, slots) => {
        const at = cut % (values.length + 1);
        const [before, after] = [values.slice(0, at), values.slice(at)];
        const expected = naive(values);
        expect(definition.result(folded(values))).toEqual(expected);
        expect(definition.result(definition.merge(folded(before), folded(after)))).toEqual(expected);

        const [a, b, c] = [slots % 5, (slots % 5) + 1, (slots % 5) + 7];
        const [table, other] = [cells(), cells()];
        for (const each of [table, other]) each.reserve(20);
        for (const slot of [a, b, c]) table.reset(slot);
        other.reset(c);
        for (const value of before) table.add(a, input(value));
        for (const value of after) other.add(c, input(value));
        table.merge(a, other, c);
        expect(table.result(a)).toEqual(expected);
        table.write(b, structuredClone(table.read(a)));
        table.add(b, input(values[0]!));
        expect(table.result(b)).toEqual(naive([...values, values[0]!]));
        expect(table.result(a)).toEqual(expected);
        table.reset(a);
        table.add(a, input(values[0]!));
        expect(table.result(a)).toEqual(naive([values[0]!]));
      }),
      { numRuns: 60 },
    );
  });

  test('merging is associative, and leaves what it merges as it was', () => {
    fc.assert(
      fc.property(items, items, items, (x, y, z) => {
        const merge = (a: unknown, b: unknown): unknown => definition.merge(a, b);
        const result = (acc: unknown): unknown => definition.result(acc);
        const copy = (acc: unknown): unknown => (definition.copy === undefined ? acc : definition.copy(acc));
        const parts = [x, y, z].map(folded);
        const [a, b, c] = parts;
        const left = result(merge(merge(copy(a), copy(b)), copy(c)));
        expect(left).toEqual(result(merge(copy(a), merge(copy(b), copy(c)))));
        expect(parts.map(result)).toEqual([x, y, z].map(naive));
      }),
      { numRuns: 40 },
    );
  });

  test('results are the caller’s own: changing one changes nothing', () => {
    const table = cells();
    table.reserve(1);
    table.reset(0);
    for (const id of [1, 2]) table.add(0, input({ id, n: id }));
    const result = table.result(0);
    if (Array.isArray(result)) result.length = 0;
    expect(table.result(0)).toEqual(
      naive([
        { id: 1, n: 1 },
        { id: 2, n: 2 },
      ]),
    );
  });
});

test.each([0, -1, 1.5, NaN])('topK of %s is refused', (k) => {
  expect(errorCode(() => topK(k, n))).toBe('aggregate/invalid');
});

describe('aggregate table', () => {
  const shape = { n: count(), total: sum(n), top: topK(2, n) };

  test('rows per key, present only while there is something', () => {
    const table = new KeyedTable();
    const aggregates = new AggregateTable('a', shape as never, table);
    table.enter('x');
    expect(aggregates.result()).toBeUndefined();
    aggregates.add({ id: 1, n: 5 });
    aggregates.add({ id: 2, n: 7 });
    table.enter('y');
    aggregates.add({ id: 3, n: 1 });
    table.enter('x');
    expect(aggregates.result()).toEqual({
      n: 2,
      total: 12,
      top: [
        { id: 2, n: 7 },
        { id: 1, n: 5 },
      ],
    });
    aggregates.clear();
    aggregates.clear();
    expect([aggregates.result(), table.index.size]).toEqual([undefined, 1]);
    table.enter('z');
    aggregates.add({ id: 4, n: 0 });
    expect(aggregates.result()).toEqual({ n: 1, total: 0, top: [{ id: 4, n: 0 }] });
  });

  test('an element for which a field throws is in none, and makes no row', () => {
    const table = new KeyedTable();
    const careful = sum((value: number) => {
      if (value < 0) throw new Error('negative');
      return value;
    });
    const aggregates = new AggregateTable('a', { n: count(), total: careful } as never, table);
    table.enter('x');
    expect(() => aggregates.add(-1)).toThrow('negative');
    expect([aggregates.result(), table.index.size]).toEqual([undefined, 0]);
    aggregates.add(5);
    expect(() => aggregates.add(-1)).toThrow('negative');
    expect(aggregates.result()).toEqual({ n: 1, total: 5 });
  });

  test('from a snapshot, also of a shape with other fields', () => {
    const table = new KeyedTable();
    const aggregates = new AggregateTable('a', shape as never, table);
    table.enter('x');
    aggregates.add({ id: 1, n: 5 });
    const entries = entriesOf(aggregates, table.find()).map((entry) => structuredClone({ key: 'x', ...entry }));
    expect(entriesOf(aggregates, table.find() + 1)).toEqual([]);
    const next = new KeyedTable();
    const grown = new AggregateTable('a', { total: sum(n), most: max(n) } as never, next);
    next.enter('x');
    for (const entry of entries) grown.restore(entry);
    expect(grown.result()).toEqual({ total: 5, most: -Infinity });
    grown.add({ id: 2, n: 3 });
    expect(grown.result()).toEqual({ total: 8, most: 3 });
  });
});
