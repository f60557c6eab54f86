import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { globPaths, isGlob } from '../../src/node/glob.ts';
import { directory } from './files.ts';

const FILES = [
  'a.csv',
  'b.csv',
  'b.csv.gz',
  'B.csv',
  '.dot.csv',
  'sub/c.csv',
  'sub/.hid/d.csv',
  'sub/deep/er/e.csv',
  'odd (1)+.csv',
  'x]y.csv',
  'a^b',
];

async function tree(): Promise<string> {
  const path = await directory();
  for (const file of FILES) {
    await mkdir(join(path, file, '..'), { recursive: true });
    await writeFile(join(path, file), '');
  }
  await symlink(path, join(path, 'sub', 'round'));
  return path;
}

test.each([
  ['*.csv', ['B.csv', 'a.csv', 'b.csv', 'odd (1)+.csv', 'x]y.csv']],
  ['?.csv', ['B.csv', 'a.csv', 'b.csv']],
  ['[ab].csv', ['a.csv', 'b.csv']],
  ['[!ab].csv', ['B.csv']],
  ['[a-z].csv*', ['a.csv', 'b.csv', 'b.csv.gz']],
  ['{a,b}.csv{,.gz}', ['a.csv', 'b.csv', 'b.csv.gz']],
  ['{a,{b,B}}.csv', ['B.csv', 'a.csv', 'b.csv']],
  ['.*.csv', ['.dot.csv']],
  ['s*/*.csv', ['sub/c.csv']],
  ['sub/**/*.csv', ['sub/c.csv', 'sub/deep/er/e.csv']],
  ['**/er/*', ['sub/deep/er/e.csv']],
  ['sub/deep/**', ['sub/deep/er', 'sub/deep/er/e.csv']],
  ['odd (1)+.c[s]v', ['odd (1)+.csv']],
  ['x[]]y.csv', ['x]y.csv']],
  ['a[^]b', []],
  ['[^b].csv', ['B.csv', 'a.csv']],
  ['{a.csv', []],
  ['none/*', []],
])('%s names %j', async (pattern, expected) => {
  const path = await tree();
  const found = await globPaths(join(path, pattern));
  expect(found.map((file) => file.slice(path.length + 1)).toSorted()).toEqual(expected);
});

test('a link that leads round is followed once when named, and not by **', async () => {
  const path = await tree();
  expect(await globPaths(join(path, 'sub/r*/a.csv'))).toEqual([join(path, 'sub/round/a.csv')]);
});

test('a path without any pattern is none', () => {
  expect(isGlob('a/b-c.csv')).toBe(false);
  expect(isGlob('a/[b].csv')).toBe(true);
});

test('a range that runs backwards is an error', async () => {
  await expect(globPaths(join(await tree(), '[z-a]'))).rejects.toMatchObject({ code: 'config/invalid' });
});
