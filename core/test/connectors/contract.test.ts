import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, test, vi } from 'vitest';
import { z } from 'zod';
import {
  asyncIterable,
  forEach,
  fromArray,
  fromIterable,
  generator,
  print,
  sequence,
  type Source,
  StreamEnvironment,
} from '../../src/index.ts';
import { csvFile } from '../../src/node/csvFile.ts';
import { csvSink } from '../../src/node/csvSink.ts';
import { jsonLines } from '../../src/node/jsonLines.ts';
import { jsonLinesSink } from '../../src/node/jsonLinesSink.ts';
import { textFile } from '../../src/node/textFile.ts';
import { batchEnd, checkSink, checkSource, hang, rejection, testSource } from '../../src/testing.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const made: string[] = [];

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-'));
  made.push(path);
  return path;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

const Row = z.object({ id: z.string(), name: z.string() });

describe('sources', () => {
  test('fromArray', () => checkSource(fromArray(numbers(5000)), { expected: numbers(5000) }));

  test('fromIterable', async () => {
    const expected = numbers(3000);
    await checkSource(fromIterable(new Set(expected)), { expected });
    await checkSource(
      fromIterable(() => asynchronous(expected)),
      { expected },
    );
    await checkSource(fromIterable({ open: (from = 0) => asynchronous(expected.slice(from)), position: (n) => n + 1 }), { expected });
    await checkSource(() => fromIterable(asynchronous(expected)), { expected, resumable: false });
    const live = (): AsyncIterable<number> => asynchronous(expected, new Promise(() => undefined));
    await checkSource(() => fromIterable(live(), { bounded: false }), { expected: numbers(100), limit: 100, resumable: false });
  });

  test('generator', async () => {
    await checkSource(generator({ count: 3000, create: (i) => i }), { expected: numbers(3000) });
    await checkSource(generator({ count: 1000, splits: 3, create: (i, random) => ({ i, random: random() }) }));
    await checkSource(generator({ count: 200, rate: 100_000, create: (i) => i }), { expected: numbers(200) });
    await checkSource(generator({ splits: 2, create: (i) => i }), { limit: 500 });
  });

  test('sequence', async () => {
    const history = testSource({ a: [1, batchEnd(), 2], b: [3, rejection('x', 'no number')] });
    await checkSource(sequence(history, fromArray([4, 5]), generator({ count: 2, create: (i) => i })), { expected: [1, 2, 3, 4, 5, 0, 1] });
  });

  test('testSource', async () => {
    await checkSource(testSource([1, 2, batchEnd(), rejection('x', 'no'), 3], { batchSize: 1 }), { expected: [1, 2, 3] });
    await checkSource(testSource([1, 2, hang()], { bounded: false }), { expected: [1, 2], limit: 2 });
  });

  test('files', async () => {
    const path = await directory();
    const rows = numbers(6000).map((i) => ({ id: String(i), name: i % 7 === 0 ? `a "quoted",\nname` : `name ${i}` }));
    await writeFile(join(path, 'a.csv'), `id,name\n${rows.map(({ id, name }) => `${id},"${name.replaceAll('"', '""')}"\n`).join('')}`);
    await checkSource(csvFile(join(path, 'a.csv')), { expected: rows });
    await writeFile(join(path, 'a.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\nnot JSON\n`);
    await checkSource(jsonLines(join(path, 'a.jsonl'), Row), { expected: rows });
    const lines = numbers(5000).map((i) => `line ${i} ä`);
    await writeFile(join(path, 'a.txt'), lines.slice(0, 3000).join('\n'));
    await writeFile(join(path, 'b.txt.gz'), gzipSync(lines.slice(3000).join('\n')));
    await checkSource(textFile(join(path, '*.txt*')), { expected: lines });
    await checkSource(textFile(join(path, 'a.txt'), { follow: true }), { expected: lines.slice(0, 3000) });
  });
});

async function* asynchronous<T>(values: readonly T[], end: Promise<void> = Promise.resolve()): AsyncGenerator<T> {
  yield* values;
  await end;
}

describe('sinks', () => {
  const values = numbers(25).map((i) => ({ id: i, name: `näme "${i}"` }));

  test('forEach', async () => {
    await checkSink(
      () => {
        const seen: unknown[] = [];
        return { sink: forEach((value) => seen.push(value)), visible: () => seen };
      },
      { values },
    );
  });

  test('print', async () => {
    await checkSink(
      () => {
        const lines: string[] = [];
        vi.spyOn(console, 'log').mockImplementation(
          (text: string) => void lines.push(...text.split('\n').map((line) => line.replace(/^\d+> /, ''))),
        );
        return { sink: print(), visible: () => lines };
      },
      { values: values.map(({ name }) => name) },
    );
  });

  test('asyncIterable', async () => {
    await checkSink(
      () => {
        const sink = asyncIterable<{ readonly id: number }>({ capacity: 3 });
        const seen: unknown[] = [];
        const reading = (async () => {
          for await (const value of sink) seen.push(value);
        })().catch(() => undefined);
        return { sink, visible: async () => (await reading, seen as { readonly id: number }[]) };
      },
      { values },
    );
  });

  test('jsonLinesSink', async () => {
    for (const ending of ['jsonl', 'jsonl.gz']) {
      await checkSink(
        async () => {
          const path = await directory();
          const visible = async (): Promise<typeof values> =>
            (await readBack(path, (file) => jsonLines(join(path, file), z.object({ id: z.number(), name: z.string() })))) as typeof values;
          return { sink: jsonLinesSink(join(path, `out.${ending}`)), visible };
        },
        { values },
      );
    }
  });

  test('csvSink', async () => {
    const cells = values.map(({ id, name }) => ({ id: String(id), name }));
    await checkSink(
      async () => {
        const path = await directory();
        const visible = async (): Promise<typeof cells> => (await readBack(path, (file) => csvFile(join(path, file)))) as typeof cells;
        return { sink: csvSink<(typeof cells)[number]>(join(path, 'out.csv'), { columns: ['id', 'name'] }), visible };
      },
      { values: cells },
    );
  });
});

async function readBack(path: string, source: (file: string) => Source<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const file of (await readdir(path)).sort()) {
    if ((await readFile(join(path, file))).length === 0) continue;
    values.push(...(await new StreamEnvironment().from(source(file)).collect()));
  }
  return values;
}
