import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CEP_ERROR_CODES } from '../../cep/src/errorCodes.ts';
import { ERROR_CODES } from '../../core/src/errors/codes.ts';

/** An entry is a heading with the code, then paragraphs on the meaning, the cause and the remedy. */
const chapter = readFileSync(fileURLToPath(new URL('../guide/errors.md', import.meta.url)), 'utf8');
const entries = [...chapter.matchAll(/^### `([a-z]+\/[a-z-]+)`\n([^#]*)/gm)].map(([, code, text]) => ({ code: code!, text: text! }));

describe('the chapter on errors', () => {
  test('has an entry for every code, and for no other', () => {
    expect(entries.map(({ code }) => code).toSorted()).toEqual([...ERROR_CODES, ...CEP_ERROR_CODES].sort());
  });

  test('says of each what it means, its cause and its remedy', () => {
    const short = entries.filter(({ text }) => !/^\n\S/.test(text) || !/^- Cause: /m.test(text) || !/^- Remedy: /m.test(text));
    expect(short.map(({ code }) => code)).toEqual([]);
  });
});
