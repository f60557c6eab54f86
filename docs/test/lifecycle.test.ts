import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fencedBlocks } from './fences.ts';
import { lifecycleDiagram } from './lifecycle.ts';

test('the guide draws the life of a job as the machine has it', () => {
  const chapter = fileURLToPath(new URL('../guide/running.md', import.meta.url));
  const text = readFileSync(chapter, 'utf8');
  const [drawn] = fencedBlocks(text).filter(({ language }) => language === 'mermaid');
  if (process.env['UPDATE_SNIPPETS'] === '1') {
    const lines = text.split('\n');
    lines.splice(drawn!.line, drawn!.end - drawn!.line - 1, lifecycleDiagram());
    writeFileSync(chapter, lines.join('\n'));
  } else expect(drawn?.code).toBe(lifecycleDiagram());
});
