import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  count,
  defineSink,
  discard,
  forEach,
  fromArray,
  generator,
  type JobMetrics,
  type Rejected,
  type RunOptions,
  type Source,
  StreamEnvironment,
  tumbling,
} from '../../src/index.ts';
import { createPlan } from '../../src/graph/plan.ts';
import { csvFile, jsonLines, textFile } from '../../src/node.ts';
import { recordingLogger } from '../recordingLogger.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'millrace-bad-input-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Ran<T> {
  readonly values: readonly T[];
  readonly dead: readonly Rejected[];
  readonly error: unknown;
  readonly source: JobMetrics['operators'][number];
}

/** A whole job: what arrived, what was put aside and how it ended. */
async function run<T>(source: Source<T>, options: RunOptions = {}): Promise<Ran<T>> {
  const values: T[] = [];
  const dead: Rejected[] = [];
  const env = new StreamEnvironment({ logger: recordingLogger(), deadLetters: forEach((each) => void dead.push(each)), ...options });
  env.from(source, { uid: 'input' }).sinkTo(forEach((value) => void values.push(value)));
  const job = await env.start('bad input');
  const error: unknown = await job.finished.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return { values, dead, error, source: job.metrics().operators.find(({ uid }) => uid === 'input')! };
}

const LINES = Array.from({ length: 5_000 }, (_, i) => `line ${i} ${(i * 7919) % 10_007}`);

for (const mode of ['streaming', 'batch'] as const) {
  describe(`in ${mode} mode`, () => {
    test('gzip that is cut off fails the job after all whole lines, or is put aside, as one wishes', async () => {
      const packed = gzipSync(LINES.join('\n'));
      const path = file('cut.gz', packed.subarray(0, packed.length - 2_000));
      const failed = await run(textFile(path), { mode });
      expect(failed.error).toMatchObject({ code: 'gzip/truncated', uid: 'input', message: expect.stringContaining('cut.gz') as string });
      const { values, dead, error, source } = await run(textFile(path, { damaged: 'reject' }), { mode });
      expect(error).toBeUndefined();
      expect(values.length).toBeGreaterThan(1_000);
      expect(values).toEqual(LINES.slice(0, values.length));
      expect(dead).toMatchObject([{ code: 'gzip/truncated', place: `${path}:${values.length + 1}` }]);
      expect(source).toMatchObject({ recordsIn: values.length + 1, recordsOut: values.length, rejected: 1 });
    });

    test('lines that are not UTF-8 are put aside whole', async () => {
      const path = file('latin1.txt', Buffer.from('good\nJosé\nfine\n', 'latin1'));
      const { values, dead, error } = await run(textFile(path), { mode });
      expect({ values, error }).toEqual({ values: ['good', 'fine'], error: undefined });
      expect(dead).toMatchObject([{ code: 'text/encoding', place: `${path}:2`, value: 'José' }]);
    });

    test('a line of 10 MB is put aside, and what follows is read', async () => {
      const path = file('long.txt', `first\n${'x'.repeat(10 * 2 ** 20)}\nlast\n`);
      const { values, dead } = await run(textFile(path), { mode });
      expect(values).toEqual(['first', 'last']);
      expect(dead).toMatchObject([
        { code: 'text/line-too-long', place: `${path}:2`, reason: expect.stringContaining('10485760 bytes') as string },
      ]);
    });

    test('rows with too few or too many columns are put aside; both counts are told', async () => {
      const path = file('columns.csv', 'a,b\n1,2\n3\n4,5,6\n7,8\n');
      const { values, dead } = await run(csvFile(path), { mode });
      expect(values).toEqual([
        { a: '1', b: '2' },
        { a: '7', b: '8' },
      ]);
      expect(dead.map(({ code, place, reason }) => [code, place, /\d.*\d/.test(reason)])).toEqual([
        ['csv/malformed', `${path}:3`, true],
        ['csv/malformed', `${path}:4`, true],
      ]);
    });

    test('what is no JSON or does not pass the schema is put aside', async () => {
      const path = file('rows.jsonl', '{"n":1}\n{"n":\n{"n":"x"}\n{"n":4}\n');
      const { values, dead } = await run(jsonLines(path, z.object({ n: z.number() })), { mode });
      expect(values).toEqual([{ n: 1 }, { n: 4 }]);
      expect(dead.map(({ code, place }) => `${code} ${place}`)).toEqual([`json/malformed ${path}:2`, `schema/invalid ${path}:3`]);
    });

    test('timestamps that are no integers are put aside; negative ones are times like any other', async () => {
      const dead: Rejected[] = [];
      const env = new StreamEnvironment({ mode, logger: recordingLogger(), deadLetters: forEach((each) => void dead.push(each)) });
      const times = [-2_500, -1, Number.NaN, 0, 0.5, Infinity, 999];
      const windows = env
        .from(fromArray(times), { uid: 'times', time: { timestamp: (at) => at, outOfOrder: { seconds: 3 } } })
        .windowAll(tumbling({ seconds: 1 }))
        .aggregate({ n: count() });
      expect((await windows.collect()).map(({ window, value }) => [window.start, value.n]).toSorted(([a], [b]) => a! - b!)).toEqual([
        [-3_000, 1],
        [-1_000, 1],
        [0, 2],
      ]);
      expect(dead.map(({ code, place, value }) => [code, place, value])).toEqual(
        [Number.NaN, 0.5, Infinity].map((at) => ['timestamp/invalid', 'times', at]),
      );
    });

    test.each(['write', 'writeOne', 'prepare', 'commit', 'close'] as const)(
      'a sink that fails in %s fails the job, under its uid',
      async (where) => {
        const fail = (at: string): void => {
          if (at === where) throw new Error('disk full');
        };
        const sink = defineSink<number>({
          name: 'full',
          open: () => ({
            write: () => fail('write'),
            ...(where === 'writeOne' && { writeOne: () => fail('writeOne') }),
            prepare: async () => (fail('prepare'), []),
            commit: async () => fail('commit'),
            close: async () => fail('close'),
          }),
        });
        const env = new StreamEnvironment({ mode, logger: recordingLogger() });
        env.from(fromArray([1, 2])).sinkTo(sink, { uid: 'disk' });
        await expect(env.execute('full disk')).rejects.toMatchObject({
          uid: 'disk',
          message: expect.stringMatching(/disk full/) as string,
        });
      },
    );

    test('a schema that is asynchronous is refused, and not taken for one that passes everything', async () => {
      const path = file('async.jsonl', '{"n":1}\n');
      const later = z.object({ n: z.number().refine(async (n) => n > 0) });
      const { error, values } = await run(jsonLines(path, later), { mode });
      expect(error).toMatchObject({ code: 'schema/async', uid: 'input' });
      expect(values).toEqual([]);
    });
  });
}

test('a source that never ends is canceled, and its iterator is closed', async () => {
  let closed = false;
  const env = new StreamEnvironment({ logger: recordingLogger() });
  const endless = generator({ create: (i) => i });
  const { open } = endless.definition;
  const watched: Source<number> = {
    ...endless,
    definition: { ...endless.definition, open: async () => ({ ...(await open()), close: async () => void (closed = true) }) },
  };
  env.from(watched).sinkTo(discard());
  const job = await env.start('endless');
  await new Promise((resolve) => setImmediate(resolve));
  await job.cancel();
  await expect(job.finished).rejects.toMatchObject({ code: 'job/canceled' });
  expect(closed).toBe(true);
});

test('two operators of one uid are refused when the second is made; both are named', () => {
  const env = new StreamEnvironment();
  const numbers = env.from(fromArray([1])).map((n) => n, { uid: 'twice', name: 'plus' });
  expect(() => numbers.filter(() => true, { uid: 'twice', name: 'even' })).toThrow(
    expect.objectContaining({ code: 'graph/duplicate-uid', uid: 'twice', message: expect.stringMatching(/"plus".*"even"/) as string }),
  );
});

test('a graph with a cycle, which came as data, is refused; both ends are named', () => {
  const env = new StreamEnvironment();
  env
    .from(fromArray([1]), { uid: 'numbers' })
    .map((n) => n, { uid: 'first' })
    .map((n) => n, { uid: 'second' })
    .sinkTo(discard());
  const { graph } = env.plan();
  const nodes = graph.nodes.map((node) => (node.uid === 'first' ? { ...node, edges: [{ ...node.edges[0]!, from: 2 }] } : node));
  expect(() => createPlan({ nodes }, { mode: 'streaming', parallelism: 1 })).toThrow(
    expect.objectContaining({ code: 'graph/cycle', uid: 'first', message: expect.stringContaining('second') as string }),
  );
});
