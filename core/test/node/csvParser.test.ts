import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Rejected } from '../../src/operators/connector.ts';
import { csvDialect } from '../../src/node/csvDialect.ts';
import { CsvParser } from '../../src/node/csvParser.ts';
import { FILE_START } from '../../src/node/filePosition.ts';
import { oracleRows } from './csvOracle.ts';
import { type KernelOptions, takeAll } from './kernel.ts';

const COLUMNS = ['a', 'b', 'c'];
const dialect = csvDialect({});

function take(text: string | Buffer, options: KernelOptions = {}, header: readonly string[] | 'in the file' = COLUMNS) {
  return takeAll(Buffer.from(text as string), new CsvParser('f', dialect, header === 'in the file' ? undefined : header), options);
}

/** Every place within the document at which a read can end. */
function everyCut(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length }, (_, index) => index + 1);
}

const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r', ' ', 'é', '漢', '😀'), maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('x', '0', '.'), minLength: 10, maxLength: 30 }),
  fc.constant(''),
);
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
/** A cell as a writer may put it: in quotes when it has to be, or because he likes it. */
const written = cell.chain((content) =>
  fc.boolean().map((always) => ({ content, text: always || /[",\n\r]/.test(content) ? quoted(content) : content })),
);
const row = fc.array(written, { minLength: 3, maxLength: 3 });
const newline = fc.constantFrom('\n', '\r\n');

const documents = fc
  .record({ rows: fc.array(fc.tuple(row, newline), { maxLength: 8 }), bom: fc.boolean(), last: fc.boolean() })
  .map(({ rows, bom, last }) => {
    const lines = rows.map(([cells, end]) => cells.map(({ text }) => text).join(',') + end);
    const text = lines.join('');
    return {
      text: (bom ? '\uFEFF' : '') + (last ? text : text.replace(/\r?\n$/, '')),
      rows: rows.map(([cells]) => cells.map(({ content }) => content)),
    };
  });

/** Anything that can go wrong with quotes and newlines. */
const scrambled = fc.string({ unit: fc.constantFrom('a', '"', '"', ',', '\n', '\r', 'é', '1'), maxLength: 40 });

describe('rows', () => {
  test('are what the writer put in, wherever the reads end', async () => {
    await fc.assert(
      fc.asyncProperty(documents, fc.array(fc.nat(200), { maxLength: 5 }), async ({ text, rows }, cuts) => {
        const expected = rows.map((cells) => Object.fromEntries(COLUMNS.map((name, index) => [name, cells[index]])));
        const { values, rejected } = await take(text, { cuts: cuts.toSorted((a, b) => a - b) });
        expect(rejected).toEqual([]);
        expect(values).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  test('do not depend on where the reads end: one byte at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          documents.map(({ text }) => text),
          scrambled,
        ),
        async (text) => {
          const bytes = Buffer.from(text);
          const whole = await take(bytes);
          const { values, rejected } = await take(bytes, { cuts: everyCut(bytes) });
          expect({ values, rejected }).toEqual({ values: whole.values, rejected: whole.rejected });
        },
      ),
      { numRuns: 400 },
    );
  });

  test('agree with a naive reader on whatever bytes, good rows and bad ones with their lines', async () => {
    await fc.assert(
      fc.asyncProperty(scrambled, async (text) => {
        const { values, rejected } = await take(text);
        const expected = oracleRows(text);
        const good = expected.flatMap(({ cells }) => (cells?.length === 3 ? [cells] : []));
        const bad = expected.flatMap(({ cells, line }) => (cells?.length === 3 ? [] : [`f:${line}`]));
        expect(values.map((value) => Object.values(value as object))).toEqual(good);
        expect(rejected.map(({ place }) => place)).toEqual(bad);
      }),
      { numRuns: 2_000 },
    );
  });

  test('from any position are exactly the rows that follow it, with their lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          documents.map(({ text }) => text),
          scrambled,
        ),
        async (text) => {
          const document = `a,b,c\n${text}`;
          const whole = await take(document, { rows: 1 }, 'in the file');
          let values = whole.values;
          let rejected = whole.rejected;
          for (const position of whole.positions) {
            const rest = await take(document, { rows: 1, from: position }, 'in the file');
            const taken = values.length + rejected.length - rest.values.length - rest.rejected.length;
            expect(taken).toBeLessThanOrEqual(1);
            expect(values.slice(values.length - rest.values.length)).toEqual(rest.values);
            expect(rejected.slice(rejected.length - rest.rejected.length)).toEqual(rest.rejected);
            ({ values, rejected } = rest);
          }
          expect(values.length + rejected.length).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a file', () => {
  test('names its columns in the first line that is not blank, also names that are no identifiers', async () => {
    const { values } = await take('\n\uFEFF'.slice(1) + '\r\nid,"the, name",__proto__,0\n1,x,p,z\n', {}, 'in the file');
    expect(values.map((value) => Object.entries(value as object))).toEqual([
      Object.entries(JSON.parse('{"0":"z","id":"1","the, name":"x","__proto__":"p"}') as object),
    ]);
  });

  test('without rows gives none', async () => {
    for (const text of ['', '\n\n', 'a,b,c', 'a,b,c\n', '\uFEFF']) expect((await take(text, {}, 'in the file')).values).toEqual([]);
  });

  test.each([
    ['a,a\n1,2\n', 'csv/malformed'],
    ['a,b"\n1,2\n', 'csv/malformed'],
    [Buffer.from([0x61, 0xff, 0x0a]), 'text/encoding'],
  ])('with a header that cannot be read ends the reading: %j', async (text, code) => {
    await expect(take(text, {}, 'in the file')).rejects.toMatchObject({ code });
  });

  test('with one column has blank lines as empty cells, with more passes them over', async () => {
    expect((await take('1\n\n2\n', {}, ['n'])).values).toEqual([{ n: '1' }, { n: '' }, { n: '2' }]);
    expect((await take('1,2\n\r\n3,4\n', {}, ['n', 'm'])).values).toEqual([
      { n: '1', m: '2' },
      { n: '3', m: '4' },
    ]);
  });

  test('can have another delimiter and quote, and comments', async () => {
    const parser = new CsvParser('f', csvDialect({ delimiter: '\t', quote: "'", comment: '#' }), undefined);
    const { values, rejected } = await takeAll(Buffer.from("# one\nn\tm\n'a\tb'\t\"\n#\n1\t'it''s'\n1\t2\t3\n"), parser);
    expect(values).toEqual([
      { n: 'a\tb', m: '"' },
      { n: '1', m: "it's" },
    ]);
    expect(rejected).toMatchObject([{ place: 'f:6', code: 'csv/malformed', value: '1\t2\t3' }]);
    const plain = new CsvParser('f', csvDialect({ quote: false }), ['n']);
    expect((await takeAll(Buffer.from('5" pipe\n"\n'), plain)).values).toEqual([{ n: '5" pipe' }, { n: '"' }]);
  });
});

describe('what cannot be taken in', () => {
  test('is put aside with the line where it begins, and reading goes on', async () => {
    const text = 'a,b,c\n1,2,3\n1,2\n1,2,3,4\n"x\ny",2,3\n"x"y,2,3\n"x""\ny",2\n7,8,9\n';
    const { values, rejected } = await take(text, {}, 'in the file');
    expect(values).toMatchObject([{ a: '1' }, { a: 'x\ny' }, { a: '7' }]);
    expect(rejected.map(({ place, code, value }) => [place, code, value])).toEqual([
      ['f:3', 'csv/malformed', '1,2'],
      ['f:4', 'csv/malformed', '1,2,3,4'],
      ['f:7', 'csv/malformed', '"x"y,2,3'],
      ['f:8', 'csv/malformed', '"x""\ny",2'],
    ]);
  });

  test('of a quote that is never closed is its line only', async () => {
    const { values, rejected } = await take('1,2,3\n4,"5,6\n7,8,9\n1,1,1\n');
    expect(values).toMatchObject([{ a: '1' }, { a: '7' }, { a: '1' }]);
    expect(rejected).toMatchObject([{ place: 'f:2', value: '4,"5,6' }]);
  });

  test('holds bytes that are not UTF-8: nothing of them is lost', async () => {
    const bytes = Buffer.concat([
      Buffer.from('é,2,3\n'),
      Buffer.from([0x66, 0xfc, 0x72]),
      Buffer.from(',2,3\nö,2,3\n"ü",'),
      Buffer.from([0xff]),
      Buffer.from(',3\n'),
    ]);
    const { values, rejected } = await take(bytes, { cuts: everyCut(bytes) });
    expect(values).toMatchObject([{ a: 'é' }, { a: 'ö' }]);
    expect(rejected.map(({ place, code }) => [place, code])).toEqual([
      ['f:2', 'text/encoding'],
      ['f:4', 'text/encoding'],
    ]);
    expect(Buffer.from(rejected[0]!.value as string, 'latin1')).toEqual(bytes.subarray(7, 14));
  });

  test.each([[[]], [[300]], [Array.from({ length: 40 }, (_, index) => 37 * (index + 1))]])(
    'is longer than allowed, with reads that end at %j',
    async (cuts) => {
      const long = 'x'.repeat(500);
      const text = `1,2,3\n${long},2,3\n4,5,6\n"q\n${'y\n'.repeat(200)}",2,3\n"${long}\n",2,3\n7,8,9\n`;
      const { values, rejected } = await take(text, { cuts, maxLine: 100 });
      const facts = (of: readonly Rejected[]) => of.map(({ place, code, value }) => [place, code, value]);
      expect(facts(rejected)).toEqual(facts((await take(text, { maxLine: 100 })).rejected));
      const [first, second, third, ...others] = rejected;
      expect(first).toMatchObject({ place: 'f:2', code: 'text/line-too-long', reason: expect.stringContaining('504 bytes') as string });
      expect(second).toMatchObject({ place: 'f:4', code: 'csv/malformed', value: '"q' });
      expect(third).toMatchObject({ place: 'f:5', code: 'csv/malformed', value: 'y' });
      expect(others.filter(({ code }) => code === 'text/line-too-long').map(({ place }) => place)).toEqual(['f:206']);
      expect(values).toMatchObject([{ a: '1' }, { a: '4' }, { a: '7' }]);
    },
  );

  test('is given up without keeping all that follows in memory', async () => {
    const { values, rejected, buffer } = await take(`"${'1,2,3\n'.repeat(1_000_000)}`, { maxLine: 10_000 });
    expect(rejected).toMatchObject([{ place: 'f:1', value: '"1,2,3' }]);
    expect(values).toHaveLength(999_999);
    expect(buffer).toBeLessThan(1_000_000);
  });

  test('is called what it is, also where lines are short', async () => {
    const { rejected } = await take(`"x"y,2,3\n1,"2",3\n${'1,2,3\n'.repeat(1_000)}`, { maxLine: 20 });
    expect(rejected).toMatchObject([{ reason: expect.stringContaining('closing quote') as string }]);
  });
});

test('a position is where the next row begins', async () => {
  const { positions } = await take('é,2,3\r\n"\n",2,3\nx,y,z', { rows: 1 });
  expect(positions).toEqual([{ offset: 8, line: 2 }, { offset: 16, line: 4 }, { offset: 21, line: 5 }, ...positions.slice(3)]);
  expect(FILE_START).toEqual({ offset: 0, line: 1 });
});
