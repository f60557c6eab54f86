import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keptDirectory, ResultDirectory } from '../../src/node/keptDirectory.ts';
import { processIdentity } from '../../src/node/processIdentity.ts';
import { temporaryDirectory } from '../../src/node/spillDirectory.ts';
import type { RecordCursor } from '../../src/state/recordCursor.ts';
import type { RecordOrder } from '../../src/state/recordPile.ts';
import { RecordSorter, type StoredRecords } from '../../src/state/recordSorter.ts';
import { type KeptSpace, Workspace } from '../../src/state/spill.ts';

let root: string;
let results: ResultDirectory;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'millrace-kept-'))));
beforeEach(async () => (results = await ResultDirectory.make(root)));
afterAll(async () => rm(root, { recursive: true, force: true }));

interface Row {
  readonly key: string;
  readonly value?: unknown;
}

const select = ({ key }: Row): string => key;

function sorter(by: RecordOrder, memory: number, space: KeptSpace): RecordSorter {
  return new RecordSorter(by, select as (value: never) => string, new Workspace(temporaryDirectory(), memory), { isKept: true, space });
}

function contents(cursor: RecordCursor): (readonly [unknown, number])[] {
  const records: (readonly [unknown, number])[] = [];
  while (cursor.advance()) records.push([cursor.value, cursor.time]);
  return records;
}

function stored(space: KeptSpace, rows: readonly Row[]): StoredRecords {
  const records = sorter('key', 2 ** 30, space);
  for (const row of rows) records.add(row, 0);
  const files = records.store(space);
  records.dispose();
  return files;
}

const rows = fc.array(
  fc.record(
    {
      key: fc.constantFrom('a', 'b', 'ü'),
      value: fc.oneof(fc.integer(), fc.string(), fc.double({ noNaN: true }), fc.date({ noInvalidDate: true })),
    },
    { requiredKeys: ['key'] },
  ),
);
const times = fc.constantFrom(-Infinity, 0, 5, 7.5);

describe('records in a directory of results', () => {
  test.each(['key', 'time', null] as const)('are read elsewhere as they are where they were gathered, by %s', (by) => {
    const space = keptDirectory(results.path);
    fc.assert(
      fc.property(fc.array(fc.tuple(rows, times), { maxLength: 5 }), (batches) => {
        const here = sorter(by, 2 ** 30, space);
        for (const [batch, time] of batches) for (const row of batch) here.add(row, time);
        const before = contents(here.read(0));
        const records = JSON.parse(JSON.stringify(here.store(space))) as StoredRecords;
        expect(contents(here.read(0))).toEqual(before);
        here.dispose();
        const there = sorter(by, 2 ** 30, keptDirectory(results.path));
        there.restore(records, space);
        expect(contents(there.read(0))).toEqual(before);
        expect(contents(there.read(0))).toEqual(before);
        there.dispose();
      }),
      { numRuns: 40 },
    );
  });

  test('of several runs, some of which had to go there early, come in one order', () => {
    const space = keptDirectory(results.path);
    const all = Array.from({ length: 120_000 }, (_, i): Row => ({ key: `key ${(i * 7919) % 1009}`, value: i }));
    const here = sorter('key', 1024, space);
    for (const row of all) here.add(row, 0);
    const records = here.store(space);
    expect(records.files.length).toBeGreaterThan(1);
    const there = sorter('key', 1024, space);
    there.restore(records, space);
    const read = contents(there.read(0)).map(([row]) => row as Row);
    expect(read.length).toBe(all.length);
    // Those of a key stand together, in the order in which they came.
    const places = new Map<string, number>();
    for (const [at, { key, value }] of read.entries()) {
      const before = places.get(key);
      if (before !== undefined) expect(read[before]!.value).toBeLessThan(value as number);
      if (before !== undefined) expect(before).toBe(at - 1);
      places.set(key, at);
    }
    here.dispose();
    there.dispose();
  });

  test('are whole, or not', async () => {
    const space = keptDirectory(results.path);
    const damages: readonly ((path: string, bytes: Uint8Array) => Promise<void>)[] = [
      async (path, bytes) => writeFile(path, bytes.subarray(0, -1)),
      async (path, bytes) => writeFile(path, bytes.with(bytes.length - 3, bytes.at(-3)! ^ 1)),
      async (path, bytes) => writeFile(path, new Uint8Array([...bytes, 0])),
      async (path) => rm(path),
    ];
    for (const damage of damages) {
      const records = stored(space, [{ key: 'a', value: 'some text' }, { key: 'b' }]);
      expect(await results.isWhole(records)).toBe(true);
      const path = join(results.path, records.files[0]!.name);
      await damage(path, new Uint8Array(await readFile(path)));
      expect(await results.isWhole(records)).toBe(false);
    }
  });

  test('go when they are dropped, and all that nobody knows of when the others are retained', async () => {
    const space = keptDirectory(results.path);
    const [one, two, three] = [stored(space, [{ key: 'a' }]), stored(space, [{ key: 'b' }]), stored(space, [{ key: 'c' }])];
    await results.retain([one, two]);
    expect((await readdir(results.path)).sort()).toEqual([one, two].map(({ files }) => files[0]!.name).sort());
    expect(await results.isWhole(three)).toBe(false);
    await results.retain([]);
    expect(await readdir(results.path)).toEqual([]);
    await results.remove();
    await results.remove();
  });

  test('of processes that are gone go with the next job, and those of others stay', async () => {
    const own = await readdir(root);
    const gone = processIdentity.own.split('|').with(1, '999999').join('|');
    const other = join(root, `millrace-results-${Buffer.from(gone).toString('base64url')}.abcdef`);
    await mkdir(other);
    await writeFile(join(other, 'file'), 'x');
    await ResultDirectory.make(root);
    const names = await readdir(root);
    for (const name of own) expect(names).toContain(name);
    expect(names.some((name) => other.endsWith(name))).toBe(false);
  });
});
