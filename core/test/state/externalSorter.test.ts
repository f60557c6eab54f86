import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../src/node/spillDirectory.ts';
import { ExternalSorter } from '../../src/state/externalSorter.ts';
import { Workspace } from '../../src/state/spill.ts';
import { ValueCodec } from '../../src/state/valueCodec.ts';

interface Row {
  readonly rank: number;
  readonly id: number;
  readonly text: string;
}

const codec = new ValueCodec();
const format = {
  write: (row: Row, writer: Parameters<typeof codec.write>[1]) => codec.write(row, writer),
  read: (reader: Parameters<typeof codec.read>[0]) => codec.read(reader) as Row,
};

function sortAll(rows: Iterable<Row>, workspace: Workspace): { sorted: Row[]; sorter: ExternalSorter<Row> } {
  const sorter = new ExternalSorter<Row>((a, b) => a.rank - b.rank, format, workspace);
  for (const row of rows) sorter.add(row);
  const cursor = sorter.sorted();
  const sorted: Row[] = [];
  for (let row = cursor.next(); row !== undefined; row = cursor.next()) sorted.push(row);
  return { sorted, sorter };
}

describe('ExternalSorter', () => {
  test('sorts in memory, equal rows in order of arrival, and gives the same again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 200 }), (ranks) => {
        const rows = ranks.map((rank, id) => ({ rank, id, text: `row ${id}` }));
        const { sorted, sorter } = sortAll(rows, new Workspace(undefined, undefined));
        expect(sorted).toEqual([...rows].sort((a, b) => a.rank - b.rank || a.id - b.id));
        expect(sorter.sorted().next()).toEqual(sorted[0]);
      }),
    );
  });

  test('spills when memory is short: many runs, the same order, and no file left behind', () => {
    // A limit that a few thousand rows exceed, so that runs are of the smallest size.
    const created: { length: number; removed: boolean }[] = [];
    const space = temporaryDirectory();
    const counting = {
      create() {
        const file = space.create();
        const seen = { length: 0, removed: false };
        created.push(seen);
        return {
          append(bytes: Uint8Array) {
            file.append(bytes);
            seen.length += bytes.length;
          },
          read: (offset: number, length: number) => file.read(offset, length),
          get length() {
            return file.length;
          },
          remove() {
            seen.removed = true;
            file.remove();
          },
        };
      },
    };
    const rows = Array.from({ length: 150_000 }, (_, id) => ({ rank: (id * 7919) % 1000, id, text: `row ${id} ü` }));
    const { sorted, sorter } = sortAll(rows, new Workspace(counting, 1024));
    expect(created.length).toBeGreaterThan(2);
    expect(sorted.length).toBe(rows.length);
    for (let i = 1; i < sorted.length; i++) {
      const [a, b] = [sorted[i - 1]!, sorted[i]!];
      if (a.rank > b.rank || (a.rank === b.rank && a.id >= b.id)) throw new Error(`out of order at ${i}`);
    }
    sorter.dispose();
    expect(created.every(({ removed }) => removed)).toBe(true);
  });
});
