import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob, type JobModule } from '../../src/api/job.ts';
import { configure } from '../../src/cli/jobConfig.ts';

function job(config?: z.ZodType): JobModule<unknown> {
  return defineJob({ name: 'job', ...(config && { config }), build: () => undefined }) as JobModule<unknown>;
}

const LOGINS = job(
  z.object({
    input: z.string().describe('the log'),
    year: z.number().int().min(1970).optional(),
    hosts: z.array(z.string()).default([]),
    json: z.boolean().default(false),
  }),
);

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const configOf = async (of: JobModule<unknown>, args: readonly string[], path?: string): Promise<unknown> => {
  const result = await configure(of, 'job.ts', args, path);
  return 'config' in result ? result.config : result.help;
};

test('flags, checked and completed by the schema', async () => {
  expect(await configOf(LOGINS, ['--input', 'auth.log', '--year', '2015', '--hosts', 'a', '--hosts', 'b', '--json'])).toEqual({
    input: 'auth.log',
    year: 2015,
    hosts: ['a', 'b'],
    json: true,
  });
  expect(await configOf(LOGINS, ['--input', 'x'])).toEqual({ input: 'x', hosts: [], json: false });
});

test('a file, which flags go before', async () => {
  const path = file('config.json', '{ "input": "from file", "hosts": ["a"], "year": 2014 }');
  expect(await configOf(LOGINS, [], path)).toEqual({ input: 'from file', hosts: ['a'], year: 2014, json: false });
  expect(await configOf(LOGINS, ['--year', '2020', '--hosts', 'b'], path)).toEqual({
    input: 'from file',
    hosts: ['b'],
    year: 2020,
    json: false,
  });
});

test('a schema that does not list its fields takes a file', async () => {
  const { '~standard': standard } = z.object({ input: z.string() });
  const { jsonSchema: _, ...plain } = standard as typeof standard & { jsonSchema?: unknown };
  const plainJob = job({ '~standard': plain } as never);
  expect(await configOf(plainJob, [], file('plain.json', '{ "input": "x" }'))).toEqual({ input: 'x' });
  await expect(configOf(plainJob, ['--input', 'x'])).rejects.toMatchObject({
    code: 'cli/usage',
    remedy: expect.stringContaining('--config FILE') as string,
  });
  expect(await configOf(plainJob, ['--help'])).toContain('--config FILE');
});

test('a job without a config is told nothing', async () => {
  expect(await configOf(job(), [])).toBeUndefined();
  await expect(configOf(job(), ['--x', '1'])).rejects.toMatchObject({
    code: 'cli/usage',
    remedy: expect.stringContaining('takes no flags') as string,
  });
});

test('help lists the flags', async () => {
  expect(await configOf(LOGINS, ['--help'])).toMatchInlineSnapshot(`
    "Usage: millrace run job.ts [options] -- [flags]

    Flags of "job":
      --input TEXT    the log (required)
      --year INTEGER
      --hosts TEXT    (can be repeated)
      --json

    All of them can also stand in a JSON file: --config FILE, before the --.
    "
  `);
});

describe('mistakes', () => {
  test.each([
    [[], 'config/invalid', 'needs --input'],
    [['--input', 'x', '--year', '1900'], 'config/invalid', 'year'],
    [['--imput', 'x'], 'cli/usage', 'Did you mean --input?'],
    [['x'], 'cli/usage', '"x" belongs to no flag'],
  ])('%j', async (args, code, text) => {
    await expect(configOf(LOGINS, args)).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string });
  });

  test.each([
    ['{ "input": 7 }', 'input'],
    ['[1]', 'no object'],
    ['{', 'no JSON'],
  ])('a file with %s', async (text, expected) => {
    await expect(configOf(LOGINS, [], file('bad.json', text))).rejects.toMatchObject({
      code: 'config/invalid',
      message: expect.stringContaining(expected) as string,
    });
  });

  test('a file that is not there', async () => {
    await expect(configOf(LOGINS, [], join(folder, 'none.json'))).rejects.toMatchObject({ code: 'config/invalid' });
  });
});
