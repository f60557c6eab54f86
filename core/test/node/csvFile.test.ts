import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expectTypeOf } from 'expect-type';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { csvFile } from '../../src/node/csvFile.ts';
import type { Source } from '../../src/operators/connector.ts';
import { directory, openReader, readAll, readSplit } from './files.ts';

const Payment = z.object({ id: z.string(), cents: z.coerce.number().int() });

async function file(content: string | Buffer, name = 'a.csv'): Promise<string> {
  const path = join(await directory(), name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

describe('rows', () => {
  test('without a schema are text', async () => {
    const source = csvFile(await file('id,cents\na,1\n"b,""c""",2\n'));
    expectTypeOf(source).toEqualTypeOf<Source<Record<string, string>>>();
    expect((await readAll(source)).values).toEqual([
      { id: 'a', cents: '1' },
      { id: 'b,"c"', cents: '2' },
    ]);
  });

  test('with a schema are what it makes of them; what does not pass is put aside with its objections', async () => {
    const path = await file('id,cents\na,1\nb,much\nc,3\n');
    const source = csvFile(path, Payment);
    expectTypeOf(source).toEqualTypeOf<Source<{ id: string; cents: number }>>();
    const { values, rejected } = await readAll(source);
    expect(values).toEqual([
      { id: 'a', cents: 1 },
      { id: 'c', cents: 3 },
    ]);
    expect(rejected).toMatchObject([
      {
        place: `${path}:3`,
        code: 'schema/invalid',
        reason: expect.stringMatching(/^cents: /) as string,
        value: { id: 'b', cents: 'much' },
      },
    ]);
    expect(rejected[0]!.issues).toHaveLength(1);
  });

  test('may have no header line', async () => {
    expect((await readAll(csvFile(await file('a,1\n'), Payment, { header: ['id', 'cents'] }))).values).toEqual([{ id: 'a', cents: 1 }]);
    expect((await readAll(csvFile(await file('a;1\n'), { header: ['x', 'y'], delimiter: ';' }))).values).toEqual([{ x: 'a', y: '1' }]);
  });

  test('of a schema that takes numbers are a mistake that the compiler finds', () => {
    // @ts-expect-error cells are text
    csvFile('x.csv', z.object({ cents: z.number() }));
    csvFile('x.csv', z.record(z.string(), z.string()));
  });

  test('are resumed under their header, also from a packed file', async () => {
    const rows = Array.from({ length: 10_000 }, (_, index) => `k${index},${index}`);
    const text = `\uFEFFid,cents\r\n${rows.join('\r\n')}`;
    for (const path of [await file(text), await file(gzipSync(text))]) {
      const source = csvFile(path, Payment);
      const { batches, values } = await readAll(source);
      expect(values.map(({ id, cents }) => `${id},${cents}`)).toEqual(rows);
      let seen = 0;
      for (const { values: part, position } of batches) {
        seen += part.length;
        const rest = { values: [] as { id: string; cents: number }[], rejected: [], batches: [] };
        await readSplit(await openReader(source), path, position, rest);
        expect(rest.values).toEqual(values.slice(seen));
      }
    }
  });
});

describe('a schema that is asynchronous', () => {
  test('is waited for in peace: a rejection that comes early does no harm', async () => {
    const late = () => new Promise<never>((_, reject) => setTimeout(reject, 20, new Error('late')));
    const early = () => Promise.reject(new Error('early'));
    const validate = (row: unknown) => ((row as { id: string }).id === 'a' ? late() : early());
    const schema: StandardSchemaV1<Record<string, string>> = { '~standard': { version: 1, vendor: 'mine', validate } };
    const { rejected } = await readAll(csvFile(await file('id,cents\na,1\nb,2\n'), schema));
    expect(rejected.map(({ reason }) => reason)).toEqual([expect.stringContaining('late'), expect.stringContaining('early')]);
  });

  test('is refused on the first row, with the name of its library', async () => {
    const slow = Payment.refine(async (row) => Promise.resolve(row.cents > 0));
    await expect(readAll(csvFile(await file('id,cents\na,1\n'), slow))).rejects.toMatchObject({
      code: 'schema/async',
      message: expect.stringContaining('zod') as string,
    });
  });

  test('is told from one whose check throws: that is about the row', async () => {
    const throwing = Payment.transform((row) => {
      if (row.cents === 1) throw new RangeError('one is too few');
      return row;
    });
    const { values, rejected } = await readAll(csvFile(await file('id,cents\na,1\nb,2\n'), throwing));
    expect(values).toEqual([{ id: 'b', cents: 2 }]);
    expect(rejected).toMatchObject([
      { code: 'schema/invalid', reason: expect.stringContaining('one is too few') as string, value: { id: 'a', cents: '1' } },
    ]);
  });
});

test('all bytes of a file are counted, also of lines that are no rows', async () => {
  for (const content of ['id,n', `id,n\n1,2\n${'\n'.repeat(300_000)}`]) {
    const { batches } = await readAll(csvFile(await file(content)));
    expect(batches.reduce((sum, { bytes }) => sum + bytes!, 0)).toBe(content.length);
  }
});

test.each([
  { delimiter: ';;' },
  { delimiter: 'é' },
  { delimiter: '\n' },
  { quote: ',' },
  { header: [] },
  { header: ['a', 'a'] },
  { comment: '"' },
])('options %j are refused', (options) => {
  expect(() => csvFile('x.csv', options)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
});

test('what is no schema is refused', () => {
  expect(() => csvFile('x.csv', { '~standard': {} } as unknown as typeof Payment)).toThrow(
    expect.objectContaining({ code: 'schema/invalid' }),
  );
});

test('a header that is longer than allowed is an error, not a file with other columns', async () => {
  for (const length of [5_000, 500_000]) {
    const path = await file(`${'a'.repeat(length)},b\n1,2\n`);
    await expect(readAll(csvFile(path, { maxLineBytes: 1_000 }))).rejects.toMatchObject({ code: 'text/line-too-long' });
  }
});
