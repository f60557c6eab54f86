import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvFile } from '../../src/node/csvFile.ts';
import { csvSink } from '../../src/node/csvSink.ts';
import { directory, openSink, readAll, writeAll } from './files.ts';

const file = async (): Promise<string> => join(await directory(), 'a.csv');

describe('rows', () => {
  test('are read back as the same cells', async () => {
    const path = await file();
    const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'é', '😀', ' '), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ 'a,b': text, c: text }), { minLength: 1, maxLength: 10 }), async (rows) => {
        await writeAll(csvSink(path), rows);
        const { values, rejected } = await readAll(csvFile(path));
        expect(rejected).toEqual([]);
        expect(values).toEqual(rows);
      }),
      { numRuns: 50 },
    );
  });

  test('have one cell per column, whatever its type', async () => {
    const path = await file();
    const row = { t: 'x', n: 1.5, big: 10n, yes: true, none: null, no: undefined, at: new Date(0), list: [1, 'a'], wrong: new Date(NaN) };
    await writeAll(csvSink<object>(path), [row, { t: '' }]);
    expect(await readFile(path, 'utf8')).toBe(
      't,n,big,yes,none,no,at,list,wrong\nx,1.5,10,true,,,1970-01-01T00:00:00.000Z,"[1,""a""]","null"\n,,,,,,,,\n',
    );
  });

  test('of one empty cell are not blank lines', async () => {
    const path = await file();
    await writeAll(csvSink(path), [{ a: '' }, { a: 'x' }, { a: '' }]);
    expect(await readFile(path, 'utf8')).toBe('a\n""\nx\n""\n');
    expect((await readAll(csvFile(path))).values).toEqual([{ a: '' }, { a: 'x' }, { a: '' }]);
  });

  test('have the columns that were named, in their order', async () => {
    const path = await file();
    await writeAll(csvSink<{ a: number; b: number; c?: number }>(path, { columns: ['b', 'a'], header: false }), [
      { a: 1, b: 2 },
      { a: 3, b: 4, c: 5 },
    ]);
    expect(await readFile(path, 'utf8')).toBe('2,1\n4,3\n');
    // @ts-expect-error there is no such field
    csvSink<{ a: number }>(path, { columns: ['z'] });
  });

  test('continue a file without a second header', async () => {
    const path = await file();
    const options = { append: true, columns: ['a'] } as const;
    for (const a of [1, 2]) await writeAll(csvSink<{ a: number }>(path, options), [{ a }]);
    expect(await readFile(path, 'utf8')).toBe('a\n1\n2\n');
    const sink = csvSink<{ a?: number; b: number }>(path);
    await writeFile(path, 'old');
    await writeAll(sink, [{ a: 1, b: 2 }]);
    await writeAll(sink, [{ b: 4 }]);
    expect(await readFile(path, 'utf8')).toBe('a,b\n1,2\n,4\n');
  });
});

describe('what cannot be written', () => {
  test('is a field that has no column', async () => {
    const writer = await openSink(csvSink<object>(await file()));
    await writer.write([{ a: 1, b: 2 }, { a: 1 }]);
    expect(() => writer.write([{ a: 1, c: 4_111 }])).toThrow(
      expect.objectContaining({ code: 'sink/failed', message: expect.stringContaining('"c"') as string }),
    );
    await writer.close?.();
  });

  test('is an element without fields, or a list of columns without names', async () => {
    const writer = await openSink(csvSink<object>(await file()));
    expect(() => writer.write([{}])).toThrow(expect.objectContaining({ code: 'sink/failed' }));
    await writer.close?.();
    expect(() => csvSink('a.csv', { columns: [] })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
    expect(() => csvSink('a.csv', { append: true })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  test('is a bigint within an object', async () => {
    const writer = await openSink(csvSink<object>(await file()));
    expect(() => writer.write([{ a: { b: 1n } }])).toThrow(expect.objectContaining({ code: 'sink/failed' }));
    await writer.close?.();
  });
});
