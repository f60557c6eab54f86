import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  type AggregateShape,
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
import { FrameTable } from '../../src/state/frameTable.ts';
import { KeyedTable } from '../../src/state/keyedTable.ts';

interface Row {
  readonly id: number;
  readonly n: number;
}

/** Changes accumulators in place and gives the other one back where one is empty: all that the contract allows. */
const sharing = aggregate({
  create: () => new Set<number>(),
  add: (ids, { id }: Row) => ids.add(id),
  merge(a, b) {
    if (a.size === 0) return b;
    for (const id of b) a.add(id);
    return a;
  },
  result: (ids) => [...ids].sort((a, b) => a - b).join(),
  copy: (ids) => new Set(ids),
});

/** The same with sums, where what is counted twice shows. */
const tally = aggregate({
  create: () => ({ n: 0, total: 0 }),
  add(a, { n }: Row) {
    a.n++;
    a.total += n;
    return a;
  },
  merge(a, b) {
    if (a.n === 0) return b;
    a.n += b.n;
    a.total += b.total;
    return a;
  },
  result: ({ n, total }) => `${n}: ${total}`,
  copy: (a) => ({ ...a }),
});

const SHAPE = {
  n: count(),
  total: sum(({ n }: Row) => n),
  mean: avg(({ n }: Row) => n),
  least: min(({ n }: Row) => n),
  most: max(({ n }: Row) => n),
  low: minBy(({ n }: Row) => n),
  high: maxBy(({ n }: Row) => n),
  oldest: first<Row>(),
  newest: last<Row>(),
  all: list<Row>(),
  values: distinct(({ n }: Row) => n),
  top: topK(2, ({ n }: Row) => n),
  ids: sharing,
  tally,
} satisfies AggregateShape<Row>;

function folded(rows: readonly Row[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SHAPE).map(([name, { definition }]) => [
      name,
      definition.result(rows.reduce<unknown>((a, row) => definition.add(a, row as never), definition.create())),
    ]),
  );
}

const script = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        key: fc.constantFrom('a', 'b', 'c'),
        after: fc.integer({ min: 0, max: 4 }),
        n: fc.integer({ min: -3, max: 3 }),
      }),
    },
    fc.record({ clear: fc.constantFrom('a', 'b', 'c') }),
    fc.constant('restore' as const),
  ),
  { maxLength: 120, size: 'max' },
);

function open(): { readonly table: KeyedTable; readonly frames: FrameTable } {
  const table = new KeyedTable();
  return { table, frames: new FrameTable('f', SHAPE as AggregateShape<never>, table) };
}

function restored({ table, frames }: ReturnType<typeof open>): ReturnType<typeof open> {
  const fresh = open();
  for (const [slot, key] of table.index.entries()) {
    for (const entry of entriesOf(frames, slot)) {
      fresh.table.enter(key);
      fresh.frames.restore(structuredClone({ key, ...entry }));
    }
  }
  return fresh;
}

describe('frame table', () => {
  test('every aggregate is that of the rows in the frame, over random slides, clears and restores', () => {
    fc.assert(
      fc.property(script, fc.integer({ min: 0, max: 12 }), (steps, length) => {
        let held = open();
        const naive = new Map<string, { at: number; row: Row }[]>();
        let now = 0;
        for (const [id, step] of steps.entries()) {
          if (step === 'restore') held = restored(held);
          else if ('clear' in step) {
            held.table.enter(step.clear);
            held.frames.clear();
            naive.delete(step.clear);
          } else {
            now += step.after;
            const row = { id, n: step.n };
            const rows = [...(naive.get(step.key) ?? []), { at: now, row }].filter(({ at }) => at >= now - length);
            naive.set(step.key, rows);
            held.table.enter(step.key);
            held.frames.slide(now - length, now, row);
            expect(held.frames.result()).toEqual(folded(rows.map((r) => r.row)));
            expect(held.frames.latest()).toBe(now);
          }
          expect(held.table.index.size).toBe(naive.size);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('sums of fractions are the same to the last bit after any restore', () => {
    const shape: AggregateShape<never> = { total: sum((n: number) => n), mean: avg((n: number) => n) };
    const run = (restoreAt: number): unknown[] => {
      let table = new KeyedTable();
      let frames = new FrameTable('f', shape, table);
      const results: unknown[] = [];
      table.enter('k');
      for (let at = 0; at < 60; at++) {
        frames.slide(1_000 + at - 7 - (at % 5), 1_000 + at, at / 10 + 1 / (at + 1));
        results.push(frames.result());
        if (at !== restoreAt) continue;
        const [entry] = entriesOf(frames, table.find());
        table = new KeyedTable();
        frames = new FrameTable('f', shape, table);
        table.enter('k');
        frames.restore({ key: 'k', ...entry! });
      }
      return results;
    };
    const straight = run(-1);
    for (let at = 0; at < 60; at++) expect(run(at)).toEqual(straight);
  });

  test('rows are used again: a long run over a short frame holds a short frame', () => {
    const { table, frames } = open();
    for (let at = 0; at < 20_000; at++) {
      table.enter(`k${at % 7}`);
      frames.slide(at - 20, at, { id: at, n: at });
    }
    for (let key = 0; key < 7; key++) {
      table.enter(`k${key}`);
      frames.clear();
    }
    expect(Reflect.get(frames, 'used')).toBeLessThan(200);
    expect(new Set((Reflect.get(frames, 'values') as { pages: unknown[][] }).pages.flat())).toEqual(new Set([undefined]));
    expect(table.index.size).toBe(0);
    table.enter('nobody');
    expect(frames.latest()).toBe(-Infinity);
    frames.clear();
  });

  test('what a user function throws changes nothing', () => {
    const table = new KeyedTable();
    const shape: AggregateShape<never> = {
      n: count(),
      total: sum((n: number) => {
        if (n < 0) throw new Error('negative');
        return n;
      }),
    };
    const frames = new FrameTable('f', shape, table);
    table.enter('k');
    expect(() => frames.slide(0, 1, -1)).toThrow('negative');
    expect(table.index.size).toBe(0);
    frames.slide(0, 1, 5);
    for (let i = 0; i < 100; i++) expect(() => frames.slide(10, 20, -1)).toThrow('negative');
    expect(frames.result()).toEqual({ n: 1, total: 5 });
    frames.slide(0, 2, 6);
    expect(frames.result()).toEqual({ n: 2, total: 11 });
    expect(Reflect.get(frames, 'used')).toBeLessThan(6);
  });

  test('a shape that gained a field restores what it had', () => {
    const before = new KeyedTable();
    const old = new FrameTable('f', { n: count() } as AggregateShape<never>, before);
    before.enter('k');
    old.slide(0, 1, 3);
    old.slide(0, 2, 4);
    const [entry] = entriesOf(old, before.find());
    const after = new KeyedTable();
    const frames = new FrameTable('f', { n: count(), total: sum((n: number) => n) } as AggregateShape<never>, after);
    frames.restore({ key: 'k', ...(after.enter('k'), entry!) });
    expect(frames.latest()).toBe(2);
    frames.slide(2, 3, 5);
    expect(frames.result()).toEqual({ n: 2, total: 5 });
  });
});
