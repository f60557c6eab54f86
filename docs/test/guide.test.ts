import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Chapter, type Outcome } from './chapter.ts';
import { root, scratch, typeCheck } from './modules.ts';

const guide = join(root, 'docs', 'guide');
const files = readdirSync(guide).filter((file) => file.endsWith('.md'));
const chapters = [join(root, 'README.md'), ...files.filter((file) => file !== 'README.md').map((file) => join(guide, file))].map((path) => new Chapter(path));

beforeAll(() => {
  for (const chapter of chapters) chapter.extract();
});

test('every snippet compiles', async () => {
  expect(await typeCheck(join(scratch, 'guide'))).toBe('');
});

describe.each(chapters.map((chapter) => ({ name: chapter.name, chapter })))('$name', ({ chapter }) => {
  let outcomes: readonly Outcome[];

  beforeAll(async () => {
    outcomes = await chapter.run();
    if (process.env['UPDATE_SNIPPETS'] === '1') chapter.update(outcomes);
  }, 60_000);

  test.each([...chapter.modules, ...chapter.commands].map((snippet) => ({ line: snippet.block.line, snippet })))(
    'line $line does what it says',
    ({ snippet }) => {
      const { output, error } = outcomes.find((outcome) => outcome.snippet === snippet)!;
      expect(error).toBeUndefined();
      if (process.env['UPDATE_SNIPPETS'] !== '1') expect(output).toBe(snippet.output?.code ?? '');
    },
  );

  test('the chapter is whole', () => {
    expect(chapter.blocks.filter(({ language }) => language === '').map(({ line }) => `line ${line}: a block without a language`)).toEqual([]);
  });
});
