import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../src/node/spillDirectory.ts';
import { compareKeys, hashKey, type Key } from '../../src/state/key.ts';
import { ChainedCursor, MergedCursor, type RecordCursor } from '../../src/state/recordCursor.ts';
import { NO_KEY, type RecordOrder } from '../../src/state/recordPile.ts';
import { RecordSorter } from '../../src/state/recordSorter.ts';
import { type SpillSpace, Workspace } from '../../src/state/spill.ts';

interface Row {
  readonly id: number;
  readonly key: Key | null;
  readonly time: number;
}

/** Keys of which several have the same hash, tuples among them, and none. */
const key = fc.constantFrom<Key | null>('Aa', 'BB', 'AaAa', 'BBBB', 'AaBB', 7, -7, ['Aa', 1], ['BB', 1], true, 10n, null);
const rows = fc
  .array(fc.record({ key, time: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)) }), { maxLength: 60 })
  .map((drawn) => drawn.map((row, id): Row => ({ id, ...row })));

function select(row: Row): Key {
  if (row.key === null) throw new Error('no key');
  return row.key;
}

function sorterOf(by: RecordOrder, all: readonly Row[], workspace: Workspace = new Workspace(undefined, undefined)): RecordSorter {
  const sorter = new RecordSorter(by, select as (value: never) => Key, workspace);
  for (const row of all) sorter.add(row, row.time);
  return sorter;
}

function readAll(cursor: RecordCursor): Row[] {
  const read: Row[] = [];
  while (cursor.advance()) {
    const row = cursor.value as Row;
    if (cursor.time !== row.time) throw new Error(`row ${row.id} has the time ${cursor.time}`);
    read.push(row);
  }
  expect(cursor.advance()).toBe(false);
  return read;
}

function hashOf({ key: of }: Row): number {
  return of === null ? 0 : hashKey(of);
}

function timeOrder(a: Row, b: Row): number {
  return a.time === b.time ? 0 : a.time - b.time;
}

function keyOrder(a: Row, b: Row): number {
  if (hashOf(a) !== hashOf(b)) return hashOf(a) - hashOf(b);
  if (a.key === null || b.key === null) return (a.key === null ? 0 : 1) - (b.key === null ? 0 : 1) || timeOrder(a, b);
  return compareKeys(a.key, b.key) || timeOrder(a, b);
}

const ORDERS = { key: keyOrder, time: timeOrder, none: () => 0 };
const orders = [['key', 'key'] as const, ['time', 'time'] as const, ['none', null] as const];

describe('records', () => {
  test('that are keyed alike have the same hash, so that the tests tell anything', () => {
    expect(hashKey('Aa')).toBe(hashKey('BB'));
    expect(hashKey(['Aa', 1])).toBe(hashKey(['BB', 1]));
  });

  test.each(orders)('come by %s, equal ones in order of arrival', (name, by) => {
    fc.assert(
      fc.property(rows, (all) => {
        expect(readAll(sorterOf(by, all).read(0))).toEqual([...all].sort(ORDERS[name]));
      }),
    );
  });

  test('of several inputs are merged, those of an earlier one first among equals', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 4 }), (inputs) => {
        const cursor = new MergedCursor(inputs.map((all, input) => sorterOf('key', all).read(input)));
        const read: (readonly [number, Row])[] = [];
        while (cursor.advance()) read.push([cursor.input, cursor.value as Row]);
        const expected = inputs.flatMap((all, input) => all.map((row) => [input, row] as const)).sort(([, a], [, b]) => keyOrder(a, b));
        expect(read).toEqual(expected);
      }),
    );
  });

  test('of several inputs one after the other', () => {
    const cursors = [[1, 2], [], [3]].map((ids, input) => sorterOf(null, ids.map((id) => ({ id, key: 'k', time: 0 }))).read(input)); // prettier-ignore
    expect(readAll(new ChainedCursor(cursors)).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('without a key say so', () => {
    const cursor = sorterOf('key', [{ id: 0, key: null, time: 0 }]).read(0);
    cursor.advance();
    expect(cursor.key).toBe(NO_KEY);
  });
});

/** Files that are counted. */
function countingSpace(): { readonly space: SpillSpace; readonly open: () => number; readonly created: () => number } {
  const inner = temporaryDirectory();
  let created = 0;
  let open = 0;
  const create: SpillSpace['create'] = () => {
    const file = inner.create();
    created++;
    open++;
    return {
      append: (bytes) => file.append(bytes),
      read: (offset, length) => file.read(offset, length),
      get length() {
        return file.length;
      },
      remove() {
        open--;
        file.remove();
      },
    };
  };
  return { space: { create }, open: () => open, created: () => created };
}

describe('records that do not fit into memory', () => {
  const all = Array.from({ length: 120_000 }, (_, id): Row => {
    const mixed = (id * 7919) % 10_007;
    return { id, key: mixed % 11 === 0 ? null : mixed % 3 === 0 ? `key ${mixed}` : [mixed % 100, 'ü'], time: mixed % 7 };
  });

  test.each(orders)('come by %s all the same, from several runs, and leave no file behind', (name, by) => {
    const { space, open, created } = countingSpace();
    const sorter = sorterOf(by, all, new Workspace(space, 1024));
    const ids = readAll(sorter.read(0)).map(({ id }) => id);
    expect(ids).toEqual([...all].sort(ORDERS[name]).map(({ id }) => id));
    expect(created()).toBeGreaterThan(1);
    sorter.dispose();
    expect(open()).toBe(0);
  });

  test.each([1024, 2 ** 30])('that are kept can be read again, with %i bytes of memory', (memory) => {
    const { space, open } = countingSpace();
    const workspace = new Workspace(space, memory);
    const sorter = new RecordSorter('key', select as (value: never) => Key, workspace, { isKept: true });
    for (const record of all) sorter.add(record, record.time);
    const once = readAll(sorter.read(0));
    const interrupted = sorter.read(0);
    for (let i = 0; i < 5000; i++) interrupted.advance();
    expect(readAll(sorter.read(0))).toEqual(once);
    expect(once.length).toBe(all.length);
    sorter.dispose();
    expect(open()).toBe(0);
  });

  test('but cannot be encoded are an error that says so, and no error where they fit', () => {
    class Opaque {
      readonly key = 'k';
    }
    const fill = (sorter: RecordSorter): void => {
      for (let i = 0; i < 50_000; i++) sorter.add(new Opaque(), i);
    };
    const roomy = new RecordSorter('key', () => 'k', new Workspace(undefined, undefined));
    fill(roomy);
    expect(roomy.read(0).advance()).toBe(true);
    const tight = new RecordSorter('key', () => 'k', new Workspace(countingSpace().space, 1024));
    expect(() => fill(tight)).toThrow(expect.objectContaining({ code: 'codec/unsupported' }));
  });

  test('give back what they were given as they are read', () => {
    const workspace = new Workspace(countingSpace().space, 2 ** 30);
    const sorter = sorterOf(null, all.slice(0, 20_000), workspace);
    const before = workspace.acquire(2 ** 28 - 2 ** 20);
    expect(before).toBe(false);
    readAll(sorter.read(0));
    expect(workspace.acquire(0)).toBe(true);
    sorter.dispose();
  });
});
