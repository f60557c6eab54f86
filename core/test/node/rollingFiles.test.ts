import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { csvFile } from '../../src/node/csvFile.ts';
import { rollingFiles } from '../../src/node/rollingFiles.ts';
import { checkSink } from '../../src/testing/checkSink.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { readLines } from './committed.ts';
import { directory, readAll } from './files.ts';
import { closeAll, end, finished, hidden, open, type Options, writeAndEnd } from './rollingTarget.ts';

afterEach(closeAll);

describe('files hold', () => {
  test('lines of JSON', async () => {
    const path = await directory();
    await writeAndEnd(path, {}, [{ a: 1 }, 'é'], [null]);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '{"a":1}\n"é"\nnull\n' });
    expect(existsSync(join(path, '.millrace'))).toBe(false);
  });

  test('rows, with the columns in each file, as csvFile reads them', async () => {
    const path = await directory();
    const rows = [
      { a: 'x,"y"', b: 1, c: true },
      { a: 'é\n', b: 2, c: false },
    ];
    await writeAndEnd(path, { format: 'csv', columns: ['b', 'a'], roll: { size: 1 } }, rows);
    expect(await finished(path)).toEqual({ 'part-0-0.csv': 'b,a\n1,"x,""y"""\n', 'part-0-1.csv': 'b,a\n2,"é\n"\n' });
    const { values } = await readAll(csvFile(join(path, '*.csv')));
    expect(values).toHaveLength(2);
    await writeAndEnd(path, { format: 'csv', columns: ['b'], header: false }, rows);
    expect((await finished(path))['part-0-2.csv']).toBe('1\n2\n');
  });

  test('text of a format of your own, between what begins and ends each file', async () => {
    const path = await directory();
    const format = { header: '<a>', footer: '</a>', encode: (n: number) => `<n>${n}</n>` };
    await writeAndEnd(path, { format, roll: { size: 12 }, prefix: 'numbers', suffix: '.xml' }, [1, 2, 3]);
    expect(await finished(path)).toEqual({
      'numbers-0-0.xml': '<a><n>1</n><n>2</n></a>',
      'numbers-0-1.xml': '<a><n>3</n></a>',
    });
  });

  test('packed text, in whole members', async () => {
    const path = await directory();
    await writeAndEnd(path, { gzip: true, roll: { size: 4 } }, [10, 20], [30]);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl.gz': '10\n20\n', 'part-0-1.jsonl.gz': '30\n' });
  });

  test('the elements of their bucket', async () => {
    const path = await directory();
    const bucket = (n: number): string => `size=${n < 10 ? 'small' : 'large'}/odd=${n % 2}`;
    await writeAndEnd(path, { bucket }, [1, 10, 3, 12, 2]);
    expect(await finished(path)).toEqual({
      'size=large/odd=0/part-0-1.jsonl': '10\n12\n',
      'size=small/odd=0/part-0-2.jsonl': '2\n',
      'size=small/odd=1/part-0-0.jsonl': '1\n3\n',
    });
  });

  test('as much as is open at once at most: the one that rested longest ends', async () => {
    const path = await directory();
    const writer = await open<number>(path, { bucket: (n) => `b${n}` });
    await writer.write([...Array.from({ length: 128 }, (_, n) => n), 0, 200, 1]);
    expect(await hidden(path)).toHaveLength(130);
    await end(writer);
    const files = await finished(path);
    expect(Object.keys(files)).toHaveLength(130);
    expect(files['b0/part-0-0.jsonl']).toBe('0\n0\n');
    expect(files['b1/part-0-1.jsonl']).toBe('1\n');
    expect(files['b1/part-0-129.jsonl']).toBe('1\n');
  });

  test('the bytes that are counted', async () => {
    const path = await directory();
    let bytes = 0;
    const writer = await open<string>(path, { gzip: true }, { wrote: (count) => (bytes += count) });
    await writer.write(['a'.repeat(1000)]);
    await end(writer);
    expect(bytes).toBe((await stat(join(path, 'part-0-0.jsonl.gz'))).size);
  });
});

describe('a file ends', () => {
  test('behind the element with which it reaches its size, however elements come in batches', async () => {
    const values = Array.from({ length: 500 }, (_, n) => n);
    const sets = await Promise.all(
      [1, 7, 500].map(async (size) => {
        const path = await directory();
        const batches = Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
        await writeAndEnd(path, { roll: { size: 100 } }, ...batches);
        return finished(path);
      }),
    );
    expect(Object.keys(sets[0]!).length).toBeGreaterThan(10);
    expect(sets[1]).toEqual(sets[0]);
    expect(sets[2]).toEqual(sets[0]);
  });

  test('at a checkpoint when it is old, or nothing came for a while', async () => {
    const clock = new ManualClock(0);
    const path = await directory();
    const writer = await open<number>(path, { roll: { every: { seconds: 10 }, idle: { seconds: 4 } } }, { clock });
    const passes = async (seconds: number, value?: number): Promise<number> => {
      clock.advanceTo(clock.now() + seconds * 1000);
      if (value !== undefined) await writer.write([value]);
      const prepared = await writer.prepare(1);
      await writer.commit(prepared);
      return prepared.length;
    };
    await writer.write([0]);
    expect([await passes(3), await passes(0, 1), await passes(3), await passes(1)]).toEqual([0, 0, 0, 1]);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '0\n1\n' });
    expect([await passes(0, 2), await passes(3, 3), await passes(3, 4), await passes(3, 5), await passes(1, 6)]).toEqual([0, 0, 0, 0, 1]);
    expect((await finished(path))['part-0-1.jsonl']).toBe('2\n3\n4\n5\n6\n');
    await writer.close?.();
  });

  test('at every checkpoint where that is wanted', async () => {
    const path = await directory();
    const writer = await open<number>(path, { roll: { checkpoint: true } });
    for (const n of [1, 2]) {
      await writer.write([n]);
      await writer.commit(await writer.prepare(n));
    }
    expect(await writer.prepare(3)).toEqual([]);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '1\n', 'part-0-1.jsonl': '2\n' });
    await writer.close?.();
  });
});

describe('nobody sees a file', () => {
  test('before it is committed; until then it is hidden, and lost with its job', async () => {
    const path = await directory();
    const writer = await open<number>(path, { roll: { size: 1 } });
    await writer.write([1, 2]);
    expect(await finished(path)).toEqual({});
    const prepared = await writer.prepare(1);
    await writer.write([3]);
    expect(await finished(path)).toEqual({});
    expect(await hidden(path)).toHaveLength(3);
    await writer.commit(prepared);
    expect(Object.keys(await finished(path))).toEqual(['part-0-0.jsonl', 'part-0-1.jsonl']);
    await writer.close?.(new Error('the job failed'));
    expect(await hidden(path)).toEqual([]);
  });

  test('overwritten or under another’s name: numbers go on behind those of earlier runs', async () => {
    const path = await directory();
    await writeAndEnd(path, { roll: { size: 1 } }, [1, 2]);
    await writeFile(join(path, 'part-0-9x.jsonl'), '');
    await writeAndEnd(path, {}, [3]);
    const writer = await open(path, {});
    await writer.write([4]);
    await writeFile(join(path, 'part-0-3.jsonl'), 'mine');
    await writeFile(join(path, 'part-0-3-1.jsonl'), 'mine');
    await end(writer);
    expect(await finished(path)).toMatchObject({
      'part-0-0.jsonl': '1\n',
      'part-0-1.jsonl': '2\n',
      'part-0-2.jsonl': '3\n',
      'part-0-3.jsonl': 'mine',
      'part-0-3-1.jsonl': 'mine',
      'part-0-3-2.jsonl': '4\n',
    });
  });
});

describe('the contract', () => {
  const values = [
    { n: 1, text: 'é"\n' },
    { n: 2, text: '' },
    { n: 3, text: 'x'.repeat(300_000) },
    ...Array.from({ length: 60 }, (_, n) => ({ n, text: `${n}` })),
  ];
  const FORMATS: Record<string, Options<(typeof values)[number]>> = {
    lines: {},
    'small files': { roll: { size: 100 } },
    'files of one checkpoint': { roll: { checkpoint: true } },
    packed: { gzip: true },
  };
  test.each(Object.entries(FORMATS))('is kept: %s', async (_, options) => {
    await checkSink(
      async () => {
        const path = await directory();
        return { sink: rollingFiles(path, options), visible: async () => readLines<(typeof values)[number]>(path) };
      },
      { values },
    );
  });
});

describe('what cannot be written', () => {
  test('is told with its path', async () => {
    const path = await directory();
    await writeFile(join(path, 'file'), '');
    await expect(open(join(path, 'file'), {})).rejects.toMatchObject({
      code: 'sink/failed',
      message: expect.stringContaining(join(path, 'file')) as string,
    });
    await expect(open(join(path, 'file', 'below'), {})).rejects.toMatchObject({
      code: 'sink/failed',
      remedy: expect.stringContaining('A part of its path is a file') as string,
    });
    const writer = await open<number>(path, { bucket: () => 'file' });
    await writer.write([1]);
    await expect(writer.commit(await writer.prepare())).rejects.toMatchObject({ code: 'sink/failed' });
    await writer.close?.(new Error('over'));
  });

  test.each(['..', '../x', '/x', 'a//b', 'a/', '.', '.hidden', 'a\\b', undefined])('is a bucket like %j', async (bucket) => {
    const path = await directory();
    const writer = await open<number>(path, { bucket: () => bucket as string });
    expect(() => writer.write([1])).toThrow(expect.objectContaining({ code: 'sink/failed' }));
    await writer.close?.(new Error('over'));
  });

  test.each([
    () => rollingFiles(''),
    () => rollingFiles('x', { prefix: 'a/b' }),
    () => rollingFiles('x', { prefix: '' }),
    () => rollingFiles('x', { suffix: '/b' }),
    () => rollingFiles('x', { roll: { size: 0 } }),
    () => rollingFiles<{ a: 1 }>('x', { format: 'csv', columns: [] }),
  ])('is refused when the job is built (%#)', (make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  const mounts: string[] = [];
  afterEach(() => {
    for (const mount of mounts.splice(0)) execFileSync('umount', [mount]);
  });

  test('is what the disk has no room for: what was committed stays', async ({ skip }) => {
    const path = await directory();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path], { stdio: 'pipe' });
      mounts.push(path);
    } catch {
      skip('no small file system can be mounted here');
    }
    const writer = await open<string>(path, {});
    await writer.write(['a']);
    await writer.commit(await writer.prepare());
    const full = (async () => {
      for (;;) {
        await writer.write(['x'.repeat(50_000)]);
        await writer.prepare(1);
      }
    })();
    await expect(full).rejects.toMatchObject({ code: 'sink/failed', remedy: expect.stringContaining('Make room') as string });
    await writer.close?.(new Error('over')).catch(() => undefined);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '"a"\n' });
  });
});
