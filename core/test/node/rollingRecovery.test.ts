import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { rollingFiles } from '../../src/node/rollingFiles.ts';
import { readLines } from './committed.ts';
import { chance, EXPECTED, type Row, runBatch, runWithFaults, UNDISTURBED } from './faults.ts';
import { directory } from './files.ts';
import { checkpoint, closeAll, end, finished, goOn, hidden, open, type Options, writeAndEnd, type Writer } from './rollingTarget.ts';

afterEach(closeAll);

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
    let writers: Writer<number>[] = [];
    for (const epoch of [2, 3]) {
      writers = await Promise.all([0, 1].map((subtask) => open(path, options, { subtask, parallelism: 2, restored: true, epoch })));
      for (const writer of writers) await writer.recover!([], state);
      expect(await finished(path)).toEqual({});
    }
    for (const [subtask, writer] of writers.entries()) {
      await writer.write([10 + subtask]);
      await end(writer);
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

  test.each([1, 2, 3])(
    'one that restores in %i subtasks and has lost its place changes nothing, whenever it comes',
    async (parallelism) => {
      const path = await directory();
      const olds = await Promise.all([0, 1].map((subtask) => open<number>(path, {}, { subtask, parallelism: 2 })));
      for (const [i, writer] of olds.entries()) await writer.write([i]);
      const held = await Promise.all(olds.map((writer) => checkpoint(writer)));
      const [committables, state] = [held.flatMap((each) => each.committables), held.flatMap((each) => each.state)];
      const late = async (): Promise<void> => {
        for (let subtask = 0; subtask < parallelism; subtask++) {
          const zombie = await open<number>(path, {}, { subtask, parallelism, restored: true, epoch: 2 });
          await zombie.recover!(committables, state);
          await zombie.write([999]);
          await zombie.prepare(2);
        }
      };
      await late();
      const nexts = await Promise.all(
        [0, 1].map((subtask) => open<number>(path, {}, { subtask, parallelism: 2, restored: true, epoch: 3 })),
      );
      for (const next of nexts) await next.recover!(committables, state);
      await late();
      for (const [i, next] of nexts.entries()) {
        await next.write([10 + i]);
        const { committables: due } = await checkpoint(next, 2);
        await next.commit(due);
      }
      // What it would go on with is gone by now: that is all that happens to it.
      await expect(late()).rejects.toMatchObject({ code: 'sink/failed' });
      for (const next of nexts) await end(next);
      expect(await finished(path)).toEqual({ 'part-0-0.jsonl': '0\n10\n', 'part-1-0.jsonl': '1\n11\n' });
      await closeAll();
      expect(await hidden(path)).toEqual([]);
    },
  );

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
