import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { readLines } from './committed.ts';
import { checkSink } from '../../src/testing/checkSink.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { csvFile } from '../../src/node/csvFile.ts';
import { rollingFiles, type RollingFileFormat, type RollingFilesOptions } from '../../src/node/rollingFiles.ts';
import type { SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { systemClock } from '../../src/time/systemClock.ts';
import { chance, EXPECTED, type Row, runBatch, runWithFaults, UNDISTURBED } from './faults.ts';
import { directory, readAll } from './files.ts';

type Options<T> = RollingFilesOptions<T> & RollingFileFormat<T>;
type Writer<T> = SinkWriter<T, unknown>;

const CONTEXT: SinkContext = {
  uid: 'files',
  subtask: 0,
  parallelism: 1,
  restored: false,
  epoch: 1,
  lineage: 'a location',
  clock: systemClock,
  wrote: () => undefined,
};

async function open<T>(path: string, options: Options<T>, context: Partial<SinkContext> = {}): Promise<Writer<T>> {
  const { definition } = rollingFiles<T>(path, options);
  const writer = await (definition as unknown as SinkDefinition<T, unknown>).open({ ...CONTEXT, ...context });
  opened.push(writer);
  return writer;
}

const opened: Writer<never>[] = [];
afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close?.(new Error('over')).catch(() => undefined);
});

/** What a checkpoint holds of a writer. */
interface Held {
  readonly committables: readonly unknown[];
  readonly state: readonly unknown[];
}

async function checkpoint<T>(writer: Writer<T>, number = 1): Promise<Held> {
  return { committables: await writer.prepare(number), state: writer.state!() };
}

/** Goes on from what a checkpoint holds, with the next epoch. */
async function goOn<T>(path: string, options: Options<T>, held: readonly Held[], context: Partial<SinkContext> = {}): Promise<Writer<T>> {
  const writer = await open(path, options, { restored: true, epoch: 2, ...context });
  await writer.recover!(
    held.flatMap(({ committables }) => committables),
    held.flatMap(({ state }) => state),
  );
  return writer;
}

/** Finished files with what they hold, by name. */
async function finished(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || file.includes('.millrace')) continue;
    const bytes = await readFile(file);
    files[relative(path, file)] = (entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  }
  return Object.fromEntries(Object.entries(files).sort());
}

async function hidden(path: string): Promise<string[]> {
  return readdir(join(path, '.millrace')).catch(() => []);
}

async function end<T>(writer: Writer<T>): Promise<void> {
  await writer.commit(await writer.prepare());
  await writer.close?.();
}

async function writeAndEnd<T>(path: string, options: Options<T>, ...batches: readonly (readonly T[])[]): Promise<void> {
  const writer = await open(path, options);
  for (const batch of batches) await writer.write(batch);
  await end(writer);
}

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

describe('going on from a checkpoint', () => {
  const FORMATS: Record<string, Options<number>> = {
    lines: {},
    packed: { gzip: true },
    framed: { format: { header: '[', footer: ']', encode: (n) => `${n},` } },
  };
  const textOf = (files: Record<string, string>): string => Object.values(files).join('|');

  test.each(Object.entries(FORMATS))('a file is cut where the checkpoint was taken and gone on with: %s', async (_, options) => {
    const path = await directory();
    const writer = await open(path, options);
    await writer.write([1]);
    await checkpoint(writer);
    await writer.write([2]);
    const held = await checkpoint(writer, 2);
    await writer.write([999]);
    await writer.prepare(3);
    const next = await goOn(path, options, [held]);
    await next.write([3]);
    await end(next);
    const plain = await directory();
    await writeAndEnd(plain, options, [1, 2, 3]);
    expect(await finished(path)).toEqual(await finished(plain));
    await writer.close?.(new Error('late'));
    expect(await finished(path)).toEqual(await finished(plain));
  });

  test('as often as it takes, from the same one', async () => {
    const path = await directory();
    const writer = await open<number>(path, { roll: { size: 4 } });
    await writer.write([10, 20, 30]);
    const held = await checkpoint(writer);
    for (const epoch of [2, 3, 4]) {
      const next = await goOn<number>(path, { roll: { size: 4 } }, [held], { epoch });
      await next.write([999]);
      await next.prepare(2);
    }
    const last = await goOn<number>(path, { roll: { size: 4 } }, [held], { epoch: 5 });
    await last.write([40]);
    await end(last);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '10\n20\n', 'part-0-1.jsonl': '30\n40\n' });
    expect(await hidden(path)).toEqual([]);
  });

  test.each(Object.entries(FORMATS))('in another number of subtasks every file ends where it was: %s', async (_, options) => {
    const path = await directory();
    const olds = await Promise.all([0, 1, 2].map((subtask) => open(path, options, { subtask, parallelism: 3 })));
    for (const [i, writer] of olds.entries()) await writer.write([i]);
    const held = await Promise.all(olds.map((writer) => checkpoint(writer)));
    for (const writer of olds) await writer.write([999]);
    for (const writer of olds) await writer.prepare(2);
    const state = held.flatMap((each) => each.state);
    // Killed and started again in the midst of it.
    for (const epoch of [2, 3]) {
      for (const subtask of [0, 1]) {
        const writer = await open(path, options, { subtask, parallelism: 2, restored: true, epoch });
        await writer.recover!([], state);
        if (epoch === 2) continue;
        await writer.write([10 + subtask]);
        await end(writer);
      }
    }
    expect(textOf(await finished(path))).toBe(
      { lines: '0\n|10\n|1\n|11\n|2\n', packed: '0\n|10\n|1\n|11\n|2\n', framed: '[0,]|[10,]|[1,]|[11,]|[2,]' }[_],
    );
    expect(await hidden(path)).toEqual([]);
  });

  test('numbers go on, also where somebody has taken the files away', async () => {
    const path = await directory();
    const writer = await open<number>(path, { roll: { size: 1 } });
    await writer.write([1, 2]);
    const held = await checkpoint(writer);
    await writer.commit(held.committables);
    for (const name of Object.keys(await finished(path))) await rm(join(path, name));
    const next = await goOn<number>(path, { roll: { size: 1 } }, [held]);
    await next.write([3]);
    await end(next);
    const rescaled = await goOn<number>(path, {}, [held], { subtask: 1, parallelism: 2, epoch: 3 });
    await rescaled.write([4]);
    await end(rescaled);
    expect(Object.keys(await finished(path))).toEqual(['part-0-2.jsonl', 'part-1-2.jsonl']);
  });

  test('removes what earlier runs have left, and nothing else', async () => {
    const path = await directory();
    const other = await open<number>(path, {}, { uid: 'other' });
    const elsewhere = await open<number>(path, {}, { lineage: 'another location' });
    const newer = await open<number>(path, {}, { epoch: 7 });
    const old = await open<number>(path, { roll: { size: 4 } }, { epoch: 1, subtask: 5 });
    for (const writer of [other, elsewhere, newer, old]) await writer.write([10, 20, 30]);
    await mkdir(join(path, '.millrace', 'directory'));
    await writeFile(join(path, '.millrace', 'mine.0.0.jsonl'), '');
    const before = await hidden(path);
    expect(before).toHaveLength(7);
    const next = await goOn<number>(path, {}, [], { epoch: 3 });
    expect(await hidden(path)).toEqual(before);
    await next.write([1]);
    await next.commit(await next.prepare());
    expect(await hidden(path)).toHaveLength(5);
  });

  test('without checkpoints removes what processes have left that are gone', async () => {
    const path = await directory();
    const program = `
      import { rollingFiles } from ${JSON.stringify(fileURLToPath(new URL('../../src/node/rollingFiles.ts', import.meta.url)))};
      const context = { uid: 'files', subtask: 0, parallelism: 1, restored: false, epoch: 0, lineage: '', clock: { now: () => 0 }, wrote: () => undefined };
      const writer = await rollingFiles(process.argv[2], { roll: { size: 1 } }).definition.open(context);
      await writer.write([1, 2] as never);
      await writer.prepare();
      process.kill(process.pid, 'SIGKILL');`;
    await writeFile(join(path, 'program.mts'), program);
    await mkdir(join(path, 'out'));
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    expect(() =>
      execFileSync(process.execPath, ['--import', 'tsx', join(path, 'program.mts'), join(path, 'out')], { cwd, stdio: 'pipe' }),
    ).toThrow();
    expect(await hidden(join(path, 'out'))).toHaveLength(2);
    const living = await open<number>(join(path, 'out'), {}, { epoch: 0, lineage: '', subtask: 1 });
    await living.write([7]);
    await runBatch(rollingFiles(join(path, 'out')), [3]);
    expect(await hidden(join(path, 'out'))).toHaveLength(1);
    await end(living);
    expect(await finished(join(path, 'out'))).toEqual({ 'part-0-0.jsonl': '3\n', 'part-1-0.jsonl': '7\n' });
  });

  test('a process that has lost its place changes nothing of what the next one writes', async () => {
    const path = await directory();
    const zombie = await open<number>(path, { roll: { size: 4 } });
    await zombie.write([10, 20, 30]);
    const held = await checkpoint(zombie);
    await zombie.write([999, 998]);
    const late = await zombie.prepare(2);
    const next = await goOn<number>(path, { roll: { size: 4 } }, [held]);
    await next.write([40]);
    await next.commit(await next.prepare(2));
    await zombie.write([997]);
    await zombie.prepare(3);
    await zombie.commit(late);
    await zombie.abort!(late);
    await zombie.close?.(new Error('fenced'));
    await next.write([50]);
    await end(next);
    expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '10\n20\n', 'part-0-1.jsonl': '30\n40\n', 'part-0-2.jsonl': '50\n' });
  });

  test('is refused where a later checkpoint has finished the file, or something has cut it', async () => {
    const path = await directory();
    const writer = await open<number>(path, {});
    await writer.write([1, 2]);
    const held = await checkpoint(writer);
    await writer.write([3]);
    await end(writer);
    await expect(goOn(path, {}, [held])).rejects.toMatchObject({
      code: 'sink/failed',
      remedy: expect.stringContaining('latest') as string,
    });
    await expect(goOn(path, {}, [held], { parallelism: 2 })).rejects.toMatchObject({ code: 'sink/failed' });
    const second = await open<number>(path, {});
    await second.write([1, 2]);
    const cut = await checkpoint(second);
    for (const name of await hidden(path)) await writeFile(join(path, '.millrace', name), '1');
    await expect(goOn(path, {}, [cut])).rejects.toMatchObject({
      code: 'sink/failed',
      message: expect.stringContaining('has 1 bytes') as string,
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

describe('a job', () => {
  test('in batch mode shows its files when it ends', async () => {
    const path = await directory();
    await runBatch(
      rollingFiles(path, { roll: { size: 1000 } }),
      Array.from({ length: 5000 }, (_, n) => n),
    );
    const lines = await readLines(path);
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, n) => n));
    expect(Object.keys(await finished(path)).length).toBeGreaterThan(10);
    const failing = rollingFiles<number>(path, { format: { encode: (n) => (n === 4000 ? fail() : `${n}\n`) } });
    await expect(
      runBatch(
        failing,
        Array.from({ length: 5000 }, (_, n) => n),
      ),
    ).rejects.toMatchObject({ code: 'sink/failed' });
    expect(await readLines(path)).toEqual(lines);
    expect(await hidden(path)).toEqual([]);
  });

  test.each(Array.from({ length: 8 }, (_, seed) => seed))(
    'that fails at random places, in another number of subtasks each time, writes everything once (seed %i)',
    async (seed) => {
      const path = await directory();
      const bucket = chance(seed)() < 0.5 ? undefined : (row: Row) => `key=${row.key}`;
      await runWithFaults(rollingFiles(path, { roll: { size: 2000 }, ...(bucket !== undefined && { bucket }) }), seed);
      expect(sorted(await readLines<Row>(path))).toEqual(sorted(EXPECTED));
      expect(await hidden(path)).toEqual([]);
    },
  );

  test.each(Array.from({ length: 4 }, (_, seed) => 100 + seed))(
    'that fails at random places writes the files of one that does not (seed %i)',
    async (seed) => {
      const [path, plain] = [await directory(), await directory()];
      const options: Options<Row> = { roll: { size: 1000 }, bucket: ({ at }) => `at=${at % 3}`, format: 'csv', columns: ['id', 'count'] };
      await runWithFaults(rollingFiles(path, options), seed, { parallelism: 1, splits: 1 });
      await runWithFaults(rollingFiles(plain, options), UNDISTURBED, { parallelism: 1, splits: 1 });
      expect(Object.keys(await finished(path)).length).toBeGreaterThan(6);
      expect(await finished(path)).toEqual(await finished(plain));
    },
  );
});

function sorted(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => a.key - b.key || a.at - b.at);
}

function fail(): never {
  throw new Error('on purpose');
}
