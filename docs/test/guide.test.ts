import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Chapter, type Outcome } from './chapter.ts';
import { fencedBlocks } from './fences.ts';
import { lifecycleDiagram } from './lifecycle.ts';
import { root, scratch, typeCheck } from './modules.ts';

const guide = join(root, 'docs', 'guide');
const paths = [join(root, 'README.md'), ...readdirSync(guide).map((file) => join(guide, file))];
const chapters = paths.map((path) => new Chapter(path));
const isUpdate = process.env['UPDATE_SNIPPETS'] === '1';
const outcomes = new Map<Chapter, readonly Outcome[]>();

beforeAll(async () => {
  for (const chapter of chapters) chapter.extract();
  const waiting = [...chapters];
  const lane = async (): Promise<void> => {
    for (let chapter = waiting.pop(); chapter !== undefined; chapter = waiting.pop()) {
      const came = await chapter.run();
      outcomes.set(chapter, came);
      if (isUpdate) chapter.update(came);
    }
  };
  await Promise.all([lane(), lane()]);
}, 180_000);

test('every snippet compiles', async () => {
  expect(await typeCheck(join(scratch, 'guide'))).toBe('');
});

describe.each(chapters.map((chapter) => ({ name: chapter.name, chapter })))('$name', ({ chapter }) => {
  test.each([...chapter.modules, ...chapter.commands].map((snippet) => ({ line: snippet.block.line, snippet })))(
    'line $line does what it says',
    ({ snippet }) => {
      const { output, error } = outcomes.get(chapter)!.find((outcome) => outcome.snippet === snippet)!;
      expect(error).toBeUndefined();
      if (!isUpdate) expect(output).toBe(snippet.output?.code ?? '');
    },
  );

  test('blocks have a language, and links lead somewhere', () => {
    const nameless = chapter.blocks.filter(({ language }) => language === '').map(({ line }) => `line ${line}`);
    const broken = chapter.links.filter((link) => !existsSync(join(dirname(chapter.path), link)));
    expect([...nameless, ...broken]).toEqual([]);
  });
});

test('the life of a job is drawn as the machine has it', () => {
  const path = join(guide, 'running.md');
  const text = readFileSync(path, 'utf8');
  const drawing = fencedBlocks(text).find(({ language }) => language === 'mermaid')!;
  if (isUpdate) {
    const lines = text.split('\n');
    lines.splice(drawing.line, drawing.end - drawing.line - 1, lifecycleDiagram());
    writeFileSync(path, lines.join('\n'));
  } else expect(drawing.code).toBe(lifecycleDiagram());
});
