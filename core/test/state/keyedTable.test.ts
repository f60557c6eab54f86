import { describe, expect, test } from 'vitest';
import { NumberColumn, ObjectColumn, PAGE_SIZE } from '../../src/state/column.ts';
import { KeyedTable } from '../../src/state/keyedTable.ts';

describe('keyed table', () => {
  test('a key is held as long as something refers to it', () => {
    const table = new KeyedTable();
    table.enter('a');
    expect(table.find()).toBe(-1);
    expect(table.index.size).toBe(0);
    const slot = table.claim();
    table.retain(slot);
    table.retain(slot);
    table.release(slot);
    expect(table.find()).toBe(slot);
    table.release(slot);
    expect(table.find()).toBe(-1);
    expect(table.index.size).toBe(0);
  });

  test('the slot of the current key follows a release and a new claim by another', () => {
    const table = new KeyedTable();
    table.enter('a');
    const a = table.claim();
    table.retain(a);
    table.enter('b');
    const b = table.claim();
    table.retain(b);
    table.enterSlot(a);
    expect([table.key, table.find()]).toEqual(['a', a]);
    table.release(a);
    expect(table.find()).toBe(-1);
    table.enter('c');
    expect(table.claim()).toBe(a);
    table.enter('a');
    expect(table.find()).toBe(-1);
  });

  test('columns have room for every slot, also those attached late', () => {
    const table = new KeyedTable();
    const early = table.attach(new NumberColumn(-1));
    const n = 3 * PAGE_SIZE + 5;
    for (let i = 0; i < n; i++) {
      table.enter(i);
      const slot = table.claim();
      table.retain(slot);
      early.set(slot, i);
    }
    const late = table.attach(new ObjectColumn<string>());
    const lateNumbers = table.attach(new NumberColumn(7));
    for (let i = 0; i < n; i += 500) {
      table.enter(i);
      late.set(table.find(), `v${i}`);
    }
    for (let i = 0; i < n; i++) {
      table.enter(i);
      const slot = table.find();
      if (early.get(slot) !== i || late.get(slot) !== (i % 500 === 0 ? `v${i}` : undefined) || lateNumbers.get(slot) !== 7)
        expect.fail(`${i}`);
    }
  });
});

describe('columns', () => {
  test('numbers: the empty value everywhere, kept over growth, in pages that stay where they are once full-sized', () => {
    const column = new NumberColumn(-Infinity);
    column.reserve(3);
    column.set(2, 5);
    column.reserve(10);
    expect([column.get(1), column.get(2), column.get(9)]).toEqual([-Infinity, 5, -Infinity]);
    expect(column.pages[0]).toHaveLength(10);
    column.reserve(PAGE_SIZE + 1);
    const [first] = column.pages;
    column.add(2, 1.5);
    column.set(PAGE_SIZE, 8);
    column.reserve(5 * PAGE_SIZE);
    expect(column.pages[0]).toBe(first);
    expect(column.pages).toHaveLength(5);
    expect([column.get(2), column.get(PAGE_SIZE), column.get(5 * PAGE_SIZE - 1)]).toEqual([6.5, 8, -Infinity]);
    column.reset(2);
    expect(column.get(2)).toBe(-Infinity);
    column.reserve(1);
    expect(column.get(PAGE_SIZE)).toBe(8);
  });

  test('objects: sparse writes leave no holes', () => {
    const column = new ObjectColumn<string>();
    column.reserve(2 * PAGE_SIZE);
    column.set(PAGE_SIZE + 3, 'x');
    column.set(1, 'y');
    expect([column.get(0), column.get(1), column.get(PAGE_SIZE + 3), column.get(PAGE_SIZE + 4)]).toEqual([undefined, 'y', 'x', undefined]);
    expect(Object.keys(column.pages[1]!)).toHaveLength(4);
    column.reset(1);
    expect(column.get(1)).toBeUndefined();
  });
});
