import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineParser } from '../../src/node/lineParser.ts';
import { type KernelOptions, takeAll } from './kernel.ts';

const parser = () => lineParser<string>((text, line, batch) => batch.add(text, line), false);
const take = (text: string | Buffer, options: KernelOptions = {}) => takeAll(Buffer.from(text as string), parser(), options);

/** Lines as everybody writes it who has all of the text in a string. */
function splitLines(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\n', '\r', 'é', '漢', '😀', '\uFEFF'), maxLength: 60 });

describe('lines', () => {
  test('are those of the whole text, wherever the reads end', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(120), { maxLength: 6 }), async (content, cuts) => {
        const { values, rejected } = await take(content, { cuts: cuts.toSorted((a, b) => a - b) });
        expect(values).toEqual(splitLines(content));
        expect(rejected).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('from any position are exactly those that follow it', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (content) => {
        const { values, positions } = await take(content, { rows: 1 });
        for (const [index, position] of positions.entries()) {
          const rest = await take(content, { from: position });
          // The last position may be said twice: once after the last line, once at the end.
          expect(rest.values).toEqual(values.slice(Math.min(index + 1, values.length)));
          expect(position.line).toBe(Math.min(index + 2, values.length + 1));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('that are not UTF-8 are put aside, whichever byte is wrong and wherever the read ends', async () => {
    const good = Buffer.from('aé\n漢😀\nz\n');
    for (let place = 0; place < good.length; place++) {
      if (good[place] === 10) continue;
      const bad = Buffer.from(good);
      bad[place] = 0xff;
      const line = good.subarray(0, place).filter((byte) => byte === 10).length;
      for (let cut = 1; cut < bad.length; cut++) {
        const { values, rejected } = await take(bad, { cuts: [cut] });
        expect(values).toEqual(['aé', '漢😀', 'z'].filter((_, index) => index !== line));
        expect(rejected.map(({ place: at, code }) => [at, code])).toEqual([[`f:${line + 1}`, 'text/encoding']]);
      }
    }
  });

  test('of half a character at the end of the file are put aside', async () => {
    const { values, rejected } = await take(Buffer.from('ok\n😀').subarray(0, 5));
    expect(values).toEqual(['ok']);
    expect(rejected).toMatchObject([{ place: 'f:2', code: 'text/encoding' }]);
  });
});

describe('a line that is longer than allowed', () => {
  const longer = (bytes: number): string => `one\r\n${'é'.repeat(bytes / 2)}\r\nthree\n`;

  test('is put aside with its place and length, however it is read', async () => {
    for (const cuts of [[], [6], [106], [107], [108], [109], Array.from({ length: 60 }, (_, index) => 7 * (index + 1))]) {
      const { values, rejected } = await take(longer(104), { maxLine: 100, cuts });
      expect(values).toEqual(['one', 'three']);
      expect(rejected).toHaveLength(1);
      expect(rejected[0]).toMatchObject({ place: 'f:2', code: 'text/line-too-long' });
      expect((await take(longer(100), { maxLine: 100, cuts })).values).toHaveLength(3);
    }
  });

  test('keeps its beginning only, in whole characters', async () => {
    const { rejected } = await take(`x${'é'.repeat(5_000)}\nend`, { maxLine: 2_000 });
    expect(rejected[0]!.value).toBe(`x${'é'.repeat(511)}`);
  });

  test('may be the last one, or all there is', async () => {
    const { values, rejected } = await take(`a\n${'b'.repeat(1_000)}`, { maxLine: 10 });
    expect(values).toEqual(['a']);
    expect(rejected).toMatchObject([{ place: 'f:2', code: 'text/line-too-long' }]);
    expect((await take('b'.repeat(300_000), { maxLine: 10 })).rejected).toHaveLength(1);
  });

  test('is not kept in memory', async () => {
    const { rejected, buffer } = await take(Buffer.concat([Buffer.alloc(5_000_000, 'x'), Buffer.from('\n')]), { maxLine: 10_000 });
    expect(rejected).toHaveLength(1);
    expect(buffer).toBeLessThan(1_000_000);
  });

  test('is read again from its beginning by whoever resumes within it', async () => {
    const document = `a\n${'b'.repeat(1_000)}\nc\nd\n`;
    const cuts = [200, 400, 600, 800, 1_003, 1_005];
    const { positions } = await take(document, { maxLine: 10, cuts, rows: 1 });
    for (const position of positions) expect(document.slice(0, position.offset).split('\n')).toHaveLength(position.line);
    expect(positions.map(({ offset }) => offset)).toEqual(expect.arrayContaining([2, 1_005, 1_007]));
  });
});
