import { expect, test } from 'vitest';
import { fencedBlocks } from './fences.ts';

const markdown = [
  '# Title',
  '',
  '```ts',
  'run();',
  '```',
  '',
  '```text',
  '',
  '```',
  '',
  'Some prose.',
  '',
  '```csv a.csv',
  '1',
  '```',
].join('\n');

test('a block knows its language, its note and its lines', () => {
  const [code, , file] = fencedBlocks(markdown);
  expect(code).toMatchObject({ language: 'ts', note: '', code: 'run();', line: 3, end: 5 });
  expect(file).toMatchObject({ language: 'csv', note: 'a.csv', code: '1' });
});

test('a block follows directly where no prose stands between', () => {
  expect(fencedBlocks(markdown).map(({ followsDirectly }) => followsDirectly)).toEqual([false, true, false]);
});

test('a block without an end is an error that names its line', () => {
  expect(() => fencedBlocks('\n```ts\nrun();')).toThrow(/line 2/);
});
