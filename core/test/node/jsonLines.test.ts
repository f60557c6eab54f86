import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expectTypeOf } from 'expect-type';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { jsonLines } from '../../src/node/jsonLines.ts';
import type { Source } from '../../src/operators/connector.ts';
import { directory, readAll } from './files.ts';

const Payment = z.object({ id: z.string(), cents: z.number() });

async function file(content: string | Buffer): Promise<string> {
  const path = join(await directory(), 'a.jsonl');
  await writeFile(path, content);
  return path;
}

test('each line is a value that passed the schema', async () => {
  const source = jsonLines(await file('\uFEFF{"id":"a","cents":1}\r\n\n  \n{"id":"é漢","cents":2,"more":true}'), Payment);
  expectTypeOf(source).toEqualTypeOf<Source<{ id: string; cents: number }>>();
  const { values, rejected } = await readAll(source);
  expect(values).toEqual([
    { id: 'a', cents: 1 },
    { id: 'é漢', cents: 2 },
  ]);
  expect(rejected).toEqual([]);
});

test('what is no JSON or does not pass is put aside; the reason shows nothing of it', async () => {
  const path = await file(
    '{"id":"4111111111111111","cents":1}\n{"id":"4111111111111111",cents}\n{"id":"4111\n4111 1111\n{"id":7,"cents":1}\n\n"x"\n{"id":"b","cents":2}\n',
  );
  const { values, rejected } = await readAll(jsonLines(path, Payment));
  expect(values).toHaveLength(2);
  expect(rejected.map(({ place, code }) => [place, code])).toEqual([
    [`${path}:2`, 'json/malformed'],
    [`${path}:3`, 'json/malformed'],
    [`${path}:4`, 'json/malformed'],
    [`${path}:5`, 'schema/invalid'],
    [`${path}:7`, 'schema/invalid'],
  ]);
  for (const { reason } of rejected) expect(reason).not.toContain('4111');
  expect(rejected[0]!.value).toBe('{"id":"4111111111111111",cents}');
  expect(rejected[3]!.value).toEqual({ id: 7, cents: 1 });
});

test('a line that is not UTF-8 is put aside before it is parsed', async () => {
  const { values, rejected } = await readAll(jsonLines(await file(Buffer.from([0x22, 0xe9, 0x22, 0x0a, 0x22, 0x61, 0x22])), z.string()));
  expect(values).toEqual(['a']);
  expect(rejected).toMatchObject([{ code: 'text/encoding' }]);
});

test('a schema that is none is refused at once', () => {
  expect(() => jsonLines('a.jsonl', {} as typeof Payment)).toThrow(expect.objectContaining({ code: 'schema/invalid' }));
});
