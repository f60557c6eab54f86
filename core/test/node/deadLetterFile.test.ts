import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import { fromArray } from '../../src/connectors/fromArray.ts';
import { deadLetterFile } from '../../src/node/deadLetterFile.ts';
import type { Rejected, Sink, SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { readLines } from './committed.ts';
import { EXPECTED, type Row, runWithFaults } from './faults.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'millrace-letters-'))));
afterAll(() => rmSync(folder, { recursive: true }));

async function written(...values: readonly unknown[]): Promise<readonly unknown[]> {
  const path = join(folder, 'letters.jsonl');
  const letters = values.map((value, i): Rejected => ({ place: `rows:${i}`, code: 'schema/invalid', reason: 'no', value }));
  const env = new StreamEnvironment();
  env.from(fromArray(letters)).sinkTo(deadLetterFile(path));
  await env.execute('letters');
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

test('a letter is a line, with its value whole', async () => {
  expect(await written({ id: 1, deep: { list: ['a\nb', null] } }, 'text')).toEqual([
    { place: 'rows:0', code: 'schema/invalid', reason: 'no', value: { id: 1, deep: { list: ['a\nb', null] } } },
    { place: 'rows:1', code: 'schema/invalid', reason: 'no', value: 'text' },
  ]);
});

test('nothing that JSON cannot hold is lost or stops the job', async () => {
  const cycle: { self?: unknown; n: number } = { n: 1 };
  cycle.self = cycle;
  const hostile = {
    toJSON() {
      throw new Error('no');
    },
  };
  const values = (await written(2n ** 70n, { n: 1n }, cycle, undefined, () => 1, Number.NaN, hostile)).map(
    (letter) => (letter as Rejected).value,
  );
  expect(values).toEqual([
    '1180591620717411303424',
    { n: '1' },
    '{ n: number, self: Object }',
    null,
    'function',
    null,
    '{ toJSON: function }',
  ]);
});

test('a schema’s objections are kept, in short', async () => {
  const path = join(folder, 'issues.jsonl');
  const issues = [{ message: 'too small', path: ['items', { key: 0 }, 'price'], origin: 'a library', input: 1n }];
  const env = new StreamEnvironment();
  env.from(fromArray([{ place: 'p', code: 'schema/invalid', reason: 'r', issues, value: 1 }])).sinkTo(deadLetterFile(path));
  await env.execute('letters');
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    place: 'p',
    code: 'schema/invalid',
    reason: 'r',
    issues: [{ message: 'too small', path: ['items', '0', 'price'] }],
    value: 1,
  });
});

test.each([1, 2])(
  'a job with checkpoints that fails at random places writes every letter once, to files beside that name (seed %i)',
  async (seed) => {
    const path = mkdtempSync(join(folder, 'faults-'));
    const { name, open } = deadLetterFile(join(path, 'letters.jsonl.gz')).definition as unknown as SinkDefinition<Rejected, unknown>;
    const letters: Sink<Row> = {
      kind: 'sink',
      definition: {
        name,
        open: async (context: SinkContext): Promise<SinkWriter<Row, unknown>> => {
          const writer = await open(context);
          const write = (rows: readonly Row[]): void | Promise<void> =>
            writer.write(rows.map((value) => ({ place: 'p', code: 'c', reason: 'r', value })));
          return {
            write,
            prepare: (checkpoint) => writer.prepare(checkpoint),
            state: () => writer.state!(),
            commit: (committables) => writer.commit(committables),
            recover: (committables, held) => writer.recover!(committables, held),
            close: (failure) => writer.close!(failure),
          };
        },
      } as never,
    };
    await runWithFaults(letters, seed);
    const ids = (await readLines<{ readonly value: Row }>(path)).map(({ value }) => value.id);
    expect(ids.sort()).toEqual(EXPECTED.map(({ id }) => id).sort());
    expect(readdirSync(path).every((file) => /^letters-\d-\d+\.jsonl\.gz$/.test(file))).toBe(true);
  },
);
