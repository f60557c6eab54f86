import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellText } from '../../src/node/cellText.ts';
import { CsvParser } from '../../src/node/csvParser.ts';
import { csvDialect } from '../../src/node/csvDialect.ts';
import { takeAll } from './kernel.ts';

test('a stretch of the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), fc.nat(80), fc.nat(80), (text, a, b) => {
      const start = Math.min(a, b, text.length);
      const end = Math.min(Math.max(a, b), text.length);
      expect(cellText(text, Buffer.from(text), start, end)).toBe(text.slice(start, end));
    }),
  );
});

test('keys that are kept from many chunks do not keep the chunks', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept: unknown[] = [];
  const parser = (): CsvParser<unknown> => new CsvParser('f', csvDialect({}), ['key', 'text']);
  const before = heap(collect);
  // 1 MB of rows each time, of which a 16-digit key, a longer one in quotes and one with an umlaut are kept.
  for (let round = 0; round < 60; round++) {
    const row = `${String(round).padStart(16, '0')},${'x'.repeat(80)}\n`;
    const special = `"${'k'.repeat(40)}${round}",""\n${'ü'.repeat(20)}${round},\n`;
    const { values } = await takeAll(Buffer.from(row.repeat(10_000) + special), parser());
    for (const index of [0, 10_000, 10_001]) kept.push((values[index] as { key: string }).key);
  }
  expect(heap(collect) - before).toBeLessThan(10_000_000);
  expect(new Set(kept).size).toBe(180);
});

function heap(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
