import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonLines } from '../../src/node/jsonLines.ts';
import { jsonLinesSink } from '../../src/node/jsonLinesSink.ts';
import type { Sink, SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { systemClock } from '../../src/time/systemClock.ts';
import { readLines } from './committed.ts';
import { EXPECTED, type Row, runWithFaults } from './faults.ts';
import { directory, openSink, readAll, until, writeAll } from './files.ts';

describe('lines', () => {
  test('are read back as they were', async () => {
    const path = join(await directory(), 'deep', 'er', 'a.jsonl');
    const values = [{ id: 'é"\n', n: -0.5 }, { id: '', n: 1e21 }, 'text', null, [1, [2]]];
    await writeAll(jsonLinesSink(path), values.slice(0, 2), [], values.slice(2));
    expect((await readAll(jsonLines(path, z.unknown()))).values).toEqual(values);
  });

  test('replace what the file held, or continue it', async () => {
    const path = join(await directory(), 'a.jsonl');
    await writeFile(path, '0\n');
    await writeAll(jsonLinesSink(path), [1]);
    expect(await readFile(path, 'utf8')).toBe('1\n');
    await writeAll(jsonLinesSink(path, { append: true }), [2]);
    expect(await readFile(path, 'utf8')).toBe('1\n2\n');
    await writeAll(jsonLinesSink(path));
    expect(await readFile(path, 'utf8')).toBe('');
  });

  test('written before a restart are kept by it', async () => {
    const path = join(await directory(), 'a.jsonl');
    const sink = jsonLinesSink(path);
    await writeAll(sink, [1]);
    await writeAll(sink, [2]);
    expect(await readFile(path, 'utf8')).toBe('1\n2\n');
  });

  test('come to the file on their own, and are all there after prepare', async () => {
    const path = join(await directory(), 'a.jsonl');
    const writer = await openSink(jsonLinesSink<number>(path));
    await writer.write([1]);
    await until(async () => (await readFile(path, 'utf8')) === '1\n');
    for (let n = 2; n <= 50_000; n++) await writer.write([n]);
    expect(await writer.prepare()).toEqual([]);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(50_001);
    await writer.close?.();
  });

  test('wait for the disk when much is held', async () => {
    const path = join(await directory(), 'a.jsonl');
    const writer = await openSink(jsonLinesSink<string>(path));
    expect(writer.write(['small'])).toBeUndefined();
    expect(writer.write(['x'.repeat(1_000_000)])).toBeInstanceOf(Promise);
    await writer.close?.();
    expect((await readFile(path, 'utf8')).length).toBe(1_000_011);
  });

  test('are packed by the name, in members that are whole at each prepare', async () => {
    const path = join(await directory(), 'a.jsonl.gz');
    let bytes = 0;
    const writer = await openSink(jsonLinesSink<number>(path), (count) => (bytes += count));
    await writer.write([1]);
    await writer.prepare();
    expect(gunzipSync(await readFile(path)).toString()).toBe('1\n');
    await writer.write([2]);
    await writer.close?.();
    const packed = await readFile(path);
    expect(gunzipSync(packed).toString()).toBe('1\n2\n');
    expect(bytes).toBe(packed.length);
  });

  test('of several subtasks are files of their own', async () => {
    const path = await directory();
    for (const subtask of [0, 1]) {
      const writer = await openSink(jsonLinesSink<number>(join(path, 'a.b.jsonl.gz')), undefined, subtask, 2);
      await writer.write([subtask]);
      await writer.close?.();
    }
    expect(gunzipSync(await readFile(join(path, 'a.b.1.jsonl.gz'))).toString()).toBe('1\n');
  });
});

describe('what cannot be written', () => {
  test.each([
    [10n, 'bigint'],
    [{ n: { deep: 10n } }, 'bigint'],
    [undefined, 'Filter it out'],
    [() => 1, 'Filter it out'],
  ])('%s is an error with what to do about it', async (value, remedy) => {
    const writer = await openSink(jsonLinesSink<unknown>(join(await directory(), 'a.jsonl')));
    expect(() => writer.write([value])).toThrow(
      expect.objectContaining({ code: 'sink/failed', message: expect.stringContaining(remedy) as string }),
    );
    await writer.close?.();
  });

  test('is a path that is a directory, or below a file: the error names it', async () => {
    const path = await directory();
    await expect(openSink(jsonLinesSink(path))).rejects.toMatchObject({
      code: 'sink/failed',
      message: expect.stringContaining(`${path} cannot be written`) as string,
    });
    await writeFile(join(path, 'file'), '');
    await expect(openSink(jsonLinesSink(join(path, 'file', 'a.jsonl')))).rejects.toMatchObject({ code: 'sink/failed' });
    expect(() => jsonLinesSink('')).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  test.runIf(process.platform === 'linux')('is what the disk has no room for: it fails at the next write, prepare or close', async () => {
    const writer = await openSink(jsonLinesSink<number>('/dev/full'));
    await writer.write([1]);
    await expect(writer.prepare()).rejects.toMatchObject({ code: 'sink/failed', message: expect.stringContaining('/dev/full') as string });
    expect(() => writer.write([2])).toThrow(expect.objectContaining({ code: 'sink/failed' }));
    await expect(writer.close!()).rejects.toMatchObject({ code: 'sink/failed' });
  });
});

describe('a job with checkpoints', () => {
  const PLACE: SinkContext = {
    uid: 'file',
    subtask: 0,
    parallelism: 1,
    restored: true,
    epoch: 2,
    lineage: 'x',
    clock: systemClock,
    wrote: () => undefined,
  };
  const idsIn = async (path: string): Promise<string[]> => (await readLines<Row>(path)).map(({ id }) => id).sort();
  const all = EXPECTED.map(({ id }) => id).sort();

  test.each([
    ['a.jsonl', 1, 0],
    ['a.jsonl', 2, 1],
    ['a.jsonl.gz', 1, 2],
    ['a.jsonl', 1, 3],
  ] as const)('that fails at random places: %s of %i subtasks has everything once (seed %i)', async (name, parallelism, seed) => {
    const path = await directory();
    if (parallelism === 1) await writeFile(join(path, name), 'of an earlier job');
    // A process that starts again knows nothing of the one before.
    const fresh: Sink<Row> = {
      kind: 'sink',
      definition: { name, open: (context: SinkContext) => open(join(path, name), context) } as never,
    };
    await runWithFaults(fresh, seed, { zombies: false, parallelism });
    expect(await idsIn(path)).toEqual(all);
  });

  test('in another number of subtasks cuts the files of those that are no more', async () => {
    const path = await directory();
    const state = [0, 1, 2].map((i) => ({ path: join(path, `a.${i}.jsonl`), length: 2 }));
    for (const [i, file] of state.entries()) await writeFile(file.path, `${i}\n9\n`);
    for (const subtask of [0, 1]) {
      const writer = (await open(join(path, 'a.jsonl'), { ...PLACE, subtask, parallelism: 2 })) as SinkWriter<number, never>;
      await writer.recover!([], state);
      await writer.write([10 + subtask]);
      await writer.close?.();
    }
    expect(await readLines(path)).toEqual([0, 10, 1, 11, 2]);
  });

  function open(path: string, context: SinkContext): unknown {
    return (jsonLinesSink<Row>(path).definition as unknown as SinkDefinition<Row, never>).open(context);
  }

  test('that appends loses nothing, and what was there before is kept', async () => {
    const path = await directory();
    await writeFile(join(path, 'a.jsonl'), '{"id":"before"}\n');
    await runWithFaults(jsonLinesSink(join(path, 'a.jsonl'), { append: true }), 5, { zombies: false, parallelism: 1 });
    expect([...new Set(await idsIn(path))]).toEqual([...all, 'before']);
  });

  test('goes on in a file that somebody has taken away or cut', async () => {
    const path = await directory();
    for (const content of [undefined, '1\n']) {
      if (content !== undefined) await writeFile(join(path, 'a.jsonl'), content);
      const writer = (await open(join(path, 'a.jsonl'), PLACE)) as SinkWriter<number, never>;
      await writer.recover!([], [{ path: join(path, 'a.jsonl'), length: 4 }]);
      await writer.write([3]);
      await writer.close?.();
      expect(await readFile(join(path, 'a.jsonl'), 'utf8')).toBe(`${content ?? ''}3\n`);
    }
  });
});

describe('standard output', () => {
  /** Runs a program that writes many lines, and closes its output after the first ones. */
  async function run(closeAfter: number): Promise<{ readonly out: string; readonly errors: string; readonly code: number | null }> {
    const path = await directory();
    const source = fileURLToPath(new URL('../../src/node/jsonLinesSink.ts', import.meta.url));
    await mkdir(path, { recursive: true });
    await writeFile(
      join(path, 'program.mts'),
      `import { jsonLinesSink } from ${JSON.stringify(source)};
       const writer = await jsonLinesSink('-').definition.open({ subtask: 0, parallelism: 1, wrote: () => undefined });
       for (let n = 0; n < 200; n++) await writer.write([{ n, text: 'x'.repeat(10_000) }] as never);
       await writer.prepare();
       await writer.close?.();
       console.error('done');`,
    );
    const child = spawn(process.execPath, ['--import', 'tsx', join(path, 'program.mts')], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
    });
    let out = '';
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.length > closeAfter) child.stdout.destroy();
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { out, errors, code };
  }

  test('has every line', async () => {
    const { out, code } = await run(Infinity);
    expect(code).toBe(0);
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n),
    ).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  test('that nobody reads any more ends quietly', async () => {
    expect(await run(20_000)).toMatchObject({ code: 0, errors: 'done\n' });
  });
});
