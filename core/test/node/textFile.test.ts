import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, gzipSync, inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { count, StreamEnvironment, tumbling } from '../../src/index.ts';
import { textFile } from '../../src/node/textFile.ts';
import { context, directory, openReader, readAll, readSplit } from './files.ts';

async function folder(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const path = await directory();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return path;
}

/** Text that does not pack to nothing. */
function manyLines(count: number): string[] {
  let seed = 1;
  return Array.from({ length: count }, (_, index) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return `${index} ${seed.toString(36).repeat((seed % 7) + 1)}`;
  });
}

describe('a path', () => {
  test('is a file, by name or URL', async () => {
    const path = await folder({ 'a.txt': 'one\ntwo' });
    const file = join(path, 'a.txt');
    expect((await readAll(textFile(file))).values).toEqual(['one', 'two']);
    expect((await readAll(textFile(pathToFileURL(file)))).values).toEqual(['one', 'two']);
  });

  test('is a directory: its regular files by name, not hidden ones or those below', async () => {
    const path = await folder({ 'b.txt': 'b', 'a.txt': 'a', '.hidden': 'x', 'sub/c.txt': 'c' });
    await symlink(join(path, 'sub/c.txt'), join(path, 'link.txt'));
    expect((await readAll(textFile(path))).values).toEqual(['a', 'b', 'c']);
  });

  test('is a glob, or several of anything; no file is read twice', async () => {
    const path = await folder({ 'a.txt': 'a', 'b.log': 'b', 'deep/er/c.txt': 'c', 'x[1].txt': 'x' });
    const read = async (...paths: string[]) => (await readAll(textFile(paths.map((one) => join(path, one))))).values;
    expect(await read('*.txt')).toEqual(['a', 'x']);
    expect(await read('**/*.txt')).toEqual(['a', 'c', 'x']);
    expect(await read('b.log', '*.{txt,log}')).toEqual(['b', 'a', 'x']);
    expect(await read('x[1].txt')).toEqual(['x']);
  });

  test.each(['missing.txt', '*.none', 'empty', 'no/such/file'])('%s that names nothing is an error that says so', async (name) => {
    const path = await folder({ 'a.txt': 'a', 'empty/.hidden': '' });
    const error = readAll(textFile([join(path, 'a.txt'), join(path, name)]));
    await expect(error).rejects.toMatchObject({ code: 'source/not-found', message: expect.stringContaining(name) as string });
  });

  test('that cannot be read is an error that names it', async () => {
    const path = await folder({ 'a.txt': 'a' });
    const reader = await openReader(textFile(join(path, 'a.txt')));
    await expect(reader.read(path, undefined, context())[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'source/failed' });
    await expect(reader.read(join(path, 'gone'), undefined, context())[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'source/not-found',
    });
  });

  test.runIf(process.platform === 'linux')('that is a pipe is refused, and not waited for', async () => {
    const path = join(await directory(), 'pipe');
    execFileSync('mkfifo', [path]);
    await expect(readAll(textFile(path))).rejects.toMatchObject({ code: 'source/failed' });
  });

  test('is at least one', () => {
    expect(() => textFile([])).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});

describe('batches', () => {
  test('are small, say what they weigh, and end where the rest begins', async () => {
    const lines = manyLines(30_000);
    const text = lines.join('\n');
    const file = join(await folder({ 'a.txt': text }), 'a.txt');
    const { values, batches } = await readAll(textFile(file));
    expect(values).toEqual(lines);
    expect(Math.max(...batches.map((batch) => batch.values.length))).toBeLessThanOrEqual(4_000);
    expect(batches.reduce((sum, { bytes }) => sum + bytes!, 0)).toBe(text.length);
    const reader = await openReader(textFile(file));
    expect(await reader.size!(file)).toBe(text.length);
    let seen = 0;
    for (const { values: part, position } of batches) {
      seen += part.length;
      const rest = { values: [] as string[], rejected: [], batches: [] };
      await readSplit(reader, file, position, rest);
      expect(rest.values.length).toBe(lines.length - seen);
      expect(rest.values[0]).toBe(lines[seen]);
    }
  });

  test('stop when the signal says so', async () => {
    const file = join(await folder({ 'a.txt': manyLines(30_000).join('\n') }), 'a.txt');
    const reader = await openReader(textFile(file));
    const abort = new AbortController();
    let batches = 0;
    for await (const _ of reader.read(file, undefined, context(true, abort.signal))) {
      batches++;
      abort.abort();
    }
    expect(batches).toBeLessThan(4);
  });

  test('of a file that is shorter than it was are refused', async () => {
    const file = join(await folder({ 'a.txt': 'a\nb\n' }), 'a.txt');
    const reader = await openReader(textFile(file));
    const resumed = () => reader.read(file, { offset: 5, line: 3 }, context())[Symbol.asyncIterator]().next();
    await expect(resumed()).rejects.toMatchObject({ code: 'source/failed' });
    await writeFile(file, gzipSync('a\nb\n'));
    await expect(resumed()).rejects.toMatchObject({ code: 'source/failed' });
  });
});

describe('bad input', () => {
  test('a line of 10 MB is put aside with its place, the rest is read', async () => {
    const file = join(
      await folder({ 'a.txt': Buffer.concat([Buffer.from('one\n'), Buffer.alloc(10 * 1024 * 1024, 'x'), Buffer.from('\nthree\n')]) }),
      'a.txt',
    );
    const { values, rejected } = await readAll(textFile(file));
    expect(values).toEqual(['one', 'three']);
    expect(rejected).toMatchObject([
      { place: `${file}:2`, code: 'text/line-too-long', reason: expect.stringContaining(String(10 * 1024 * 1024)) as string },
    ]);
    const all = await readAll(textFile(file, { maxLineBytes: 16 * 1024 * 1024 }));
    expect(all.values.map((line) => line.length)).toEqual([3, 10 * 1024 * 1024, 5]);
  });

  test.each([{ maxLineBytes: 0 }, { maxLineBytes: 1.5 }, { maxLineBytes: 1e12 }])('options %j are refused', (options) => {
    expect(() => textFile('a', options)).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});

describe('a gzipped file', () => {
  const lines = manyLines(40_000);
  const packed = gzipSync(lines.join('\n'));

  test('is known by its content, and read like the file in it', async () => {
    const path = await folder({ 'packed.txt': packed, 'plain.gz': 'plain\n' });
    const { values, batches } = await readAll(textFile(join(path, 'packed.txt')));
    expect(values).toEqual(lines);
    expect(batches.reduce((sum, { bytes }) => sum + bytes!, 0)).toBe(packed.length);
    expect((await readAll(textFile(join(path, 'plain.gz')))).values).toEqual(['plain']);
  });

  test('is resumed at any position', async () => {
    const file = join(await folder({ 'a.gz': packed }), 'a.gz');
    const { batches } = await readAll(textFile(file));
    const reader = await openReader(textFile(file));
    let seen = 0;
    for (const { values, position } of batches) {
      seen += values.length;
      const rest = { values: [] as string[], rejected: [], batches: [] };
      await readSplit(reader, file, position, rest);
      expect(rest.values).toEqual(lines.slice(seen));
    }
  });

  test('may have many members, empty ones, and zeros after them', async () => {
    const members = [gzipSync('a\nb'), gzipSync(''), gzipSync('c\nd\n'), Buffer.alloc(1_000)];
    const path = await folder({
      'a.gz': Buffer.concat(members),
      'b.gz': Buffer.concat([...members, Buffer.from('and more')]),
      'c.gz': Buffer.concat([members[0]!, Buffer.from('more')]),
    });
    expect((await readAll(textFile(join(path, 'a.gz')))).values).toEqual(['a', 'bc', 'd']);
    for (const name of ['b.gz', 'c.gz']) await expect(readAll(textFile(join(path, name)))).rejects.toMatchObject({ code: 'gzip/corrupt' });
  });

  test('that is cut off gives all its whole lines before the error, wherever it is cut', async () => {
    const path = await folder({});
    const file = join(path, 'cut.gz');
    for (const cut of [15, 100, 5_000, 32_768, 32_769, packed.length >> 1, packed.length - 8, packed.length - 1]) {
      await writeFile(file, packed.subarray(0, cut));
      const readable = inflateRawSync(packed.subarray(10, cut), { finishFlush: constants.Z_SYNC_FLUSH }).toString().split('\n');
      const tail = readable.pop();
      const all = { values: [] as string[], rejected: [], batches: [] };
      const failing = readSplit(await openReader(textFile(file)), file, undefined, all);
      await expect(failing).rejects.toMatchObject({ code: 'gzip/truncated', message: expect.stringContaining(file) as string });
      expect(all.values).toEqual(readable);
      const { values, rejected } = await readAll(textFile(file, { damaged: 'reject' }));
      expect(values).toEqual(readable);
      expect(rejected).toMatchObject([{ place: `${file}:${readable.length + 1}`, code: 'gzip/truncated', value: tail }]);
    }
  });

  test('that is damaged is an error, or its rest is put aside', async () => {
    const bad = Buffer.from(packed);
    bad.fill(0xa5, packed.length >> 1, (packed.length >> 1) + 50);
    const file = join(await folder({ 'bad.gz': bad }), 'bad.gz');
    await expect(readAll(textFile(file))).rejects.toMatchObject({ code: 'gzip/corrupt' });
    const { values, rejected } = await readAll(textFile(file, { damaged: 'reject' }));
    expect(rejected.map(({ code }) => code)).toContain('gzip/corrupt');
    expect(values.slice(0, 1_000)).toEqual(lines.slice(0, 1_000));
  });
});

describe('an element of a line', () => {
  const parse = (line: string): { readonly name: string; readonly size: number } => {
    const [name = '', size] = line.split(' ');
    if (size === undefined) throw new Error('it has no size');
    return { name, size: Number(size) };
  };

  test('is what a function makes of it; lines on which that throws are put aside with their file and line', async () => {
    const path = join(await folder({ 'sizes.log': 'a 1\nb\nc 3\n' }), 'sizes.log');
    const { values, rejected } = await readAll(textFile(path, { parse }));
    expect(values).toEqual([
      { name: 'a', size: 1 },
      { name: 'c', size: 3 },
    ]);
    expect(rejected).toEqual([{ place: `${path}:2`, code: 'text/malformed', reason: 'it has no size', value: 'b' }]);
  });

  test('is what a schema makes of it', async () => {
    const path = join(await folder({ 'numbers.txt': '1\nx\n3\n' }), 'numbers.txt');
    const { values, rejected } = await readAll(textFile(path, { parse: z.string().regex(/^\d+$/).transform(Number) }));
    expect(values).toEqual([1, 3]);
    expect(rejected).toMatchObject([{ place: `${path}:2`, code: 'schema/invalid', value: 'x' }]);
  });

  test('gives a source its time, file by file: files that are aligned are read side by side, and nothing is late', async () => {
    const path = await folder({ 'a.log': 'a 100000\na 200000\n', 'b.log': 'b 1\nb 2\n' });
    const env = new StreamEnvironment({ mode: 'streaming' });
    const sizes = env.from(textFile(path, { parse }), {
      time: { timestamp: ({ size }) => size, alignment: { group: 'sizes', maxDrift: { minutes: 10 } } },
    });
    const counted = sizes
      .keyBy(({ name }) => name)
      .window(tumbling({ seconds: 1 }))
      .aggregate({ n: count() });
    expect((await counted.map(({ key, window, value }) => `${key} ${window.start} ${value.n}`).collect()).toSorted()).toEqual([
      'a 100000 1',
      'a 200000 1',
      'b 0 2',
    ]);
  });

  test('needs a function or a schema', () => {
    expect(() => textFile('a.log', { parse: {} as never })).toThrow(expect.objectContaining({ code: 'schema/invalid' }));
  });
});
