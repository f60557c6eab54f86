import { appendFile, mkdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { csvFile } from '../../src/node/csvFile.ts';
import type { FilePosition } from '../../src/node/filePosition.ts';
import { textFile } from '../../src/node/textFile.ts';
import type { DiscoveryContext, Rejected, Source } from '../../src/operators/connector.ts';
import { context, directory, openReader, until } from './files.ts';

const follow = { follow: true, discover: { milliseconds: 10 } } as const;

/** A source at work in the background. */
class Running<T> {
  readonly values: T[] = [];
  readonly rejected: Rejected[] = [];
  readonly positions = new Map<string, FilePosition>();
  readonly #abort = new AbortController();
  readonly #context: { -readonly [P in keyof DiscoveryContext]: DiscoveryContext[P] } = { ...context(false, this.#abort.signal) };
  readonly #done: Promise<unknown>;

  constructor(source: Source<T>, from: ReadonlyMap<string, FilePosition> = new Map()) {
    this.#done = this.#run(source, from);
    this.#done.catch(() => undefined);
  }

  async #run(source: Source<T>, from: ReadonlyMap<string, FilePosition>): Promise<void> {
    const reader = await openReader(source);
    const splits = reader.splits(this.#context);
    const reading: Promise<void>[] = [];
    for await (const found of Symbol.asyncIterator in splits ? splits : [await splits]) {
      for (const split of found) reading.push(this.#read(reader, split, from.get(split)));
    }
    await Promise.all(reading);
  }

  async #read(reader: Awaited<ReturnType<typeof openReader<T>>>, split: string, from: FilePosition | undefined): Promise<void> {
    for await (const batch of reader.read(split, from, this.#context)) {
      this.values.push(...batch.values);
      this.rejected.push(...(batch.rejected ?? []));
      this.positions.set(split, JSON.parse(JSON.stringify(batch.position)) as FilePosition);
    }
  }

  /** Waits until it has given so many records. */
  async has(count: number): Promise<readonly T[]> {
    await Promise.race([until(() => this.values.length >= count), this.#done]);
    return this.values;
  }

  async drain(): Promise<readonly T[]> {
    this.#context.bounded = true;
    await this.#done;
    return this.values;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

describe('a followed file', () => {
  test('is read as it grows; a line once it has its newline', async () => {
    const path = join(await directory(), 'a.log');
    await writeFile(path, 'one\nto');
    const running = new Running(textFile(path, follow));
    expect(await running.has(1)).toEqual(['one']);
    await appendFile(path, 'day\n');
    expect(await running.has(2)).toEqual(['one', 'today']);
    await appendFile(path, 'é'.repeat(100_000) + '\nla');
    expect((await running.has(3))[2]).toHaveLength(100_000);
    await appendFile(path, 'st');
    expect((await running.drain()).slice(3)).toEqual(['last']);
  });

  test('may come later', async () => {
    const path = join(await directory(), 'a.log');
    const running = new Running(textFile(path, follow));
    await writeFile(path, 'one\n');
    expect(await running.has(1)).toEqual(['one']);
    await running.stop();
  });

  test('in a directory that is not there is an error', async () => {
    const running = new Running(textFile(join(await directory(), 'no', 'a.log'), follow));
    await expect(running.drain()).rejects.toMatchObject({ code: 'source/not-found' });
  });

  test('is read from its beginning after it was cut', async () => {
    const path = join(await directory(), 'a.log');
    await writeFile(path, 'one\ntwo\n');
    const running = new Running(textFile(path, follow));
    await running.has(2);
    await truncate(path);
    await until(() => running.positions.get(path)?.offset === 0);
    await appendFile(path, '3\n');
    expect(await running.has(3)).toEqual(['one', 'two', '3']);
    await running.stop();
  });

  test('is read to its end after it was rotated, and then the new one: nothing twice, nothing missing', async () => {
    const path = join(await directory(), 'a.log');
    const running = new Running(textFile(path, follow));
    const expected: string[] = [];
    for (let round = 0; round < 8; round++) {
      for (let line = 0; line < 20; line++) {
        expected.push(`${round}.${line}`);
        await appendFile(path, `${round}.${line}\n`);
      }
      // A file that was renamed before anybody saw it is nobody's.
      if (round === 0) await running.has(1);
      for (let old = round; old > 0; old--) await rename(`${path}.${old}`, `${path}.${old + 1}`);
      await rename(path, `${path}.1`);
      // Sometimes whole generations go by between two looks.
      if (round % 3 === 0) await running.has(expected.length);
      // What still goes to the old file is not lost either.
      expected.push('late');
      await appendFile(`${path}.1`, 'late\n');
    }
    await writeFile(path, 'end\n');
    expected.push('end');
    expect(await running.has(expected.length)).toEqual(expected);
    expect(await running.drain()).toHaveLength(expected.length);
    expect(running.rejected).toEqual([]);
  });

  test('that is deleted and made anew is a new file', async () => {
    const path = join(await directory(), 'a.log');
    await writeFile(path, 'one\ntwo');
    const running = new Running(textFile(path, follow));
    await running.has(1);
    await rm(path);
    expect(await running.has(2)).toEqual(['one', 'two']);
    await until(() => running.positions.get(path)?.file === undefined);
    expect(running.positions.get(path)).toEqual({ offset: 0, line: 1 });
    await writeFile(path, 'three\n');
    expect(await running.has(3)).toEqual(['one', 'two', 'three']);
    await running.stop();
  });

  test('of CSV has its header again after each rotation', async () => {
    const path = join(await directory(), 'a.csv');
    await writeFile(path, 'id,n\na,1\n');
    const running = new Running(csvFile(path, z.object({ id: z.string(), n: z.coerce.number() }), follow));
    await running.has(1);
    await appendFile(path, 'b,2\n');
    await running.has(2);
    await rename(path, `${path}.1`);
    await writeFile(path, 'n,id\n3,c\n');
    expect(await running.has(3)).toEqual([
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
      { id: 'c', n: 3 },
    ]);
    await running.stop();
  });
});

describe('a position', () => {
  test('is resumed in the file that it was in, whatever that is called now', async () => {
    const path = join(await directory(), 'a.log');
    await writeFile(path, 'one\n');
    const before = new Running(textFile(path, follow));
    await before.has(1);
    await before.stop();
    await appendFile(path, 'two\n');
    await rename(path, `${path}.1`);
    await writeFile(path, 'three\n');
    const after = new Running(textFile(path, follow), before.positions);
    expect(await after.drain()).toEqual(['two', 'three']);
    expect(after.rejected).toEqual([]);
  });

  test('in a file that is gone is said to be lost, and the new file is read', async () => {
    const path = join(await directory(), 'a.log');
    await writeFile(path, 'one\n');
    const before = new Running(textFile(path, follow));
    await before.has(1);
    await before.stop();
    await writeFile(`${path}.new`, 'two\n');
    await rename(`${path}.new`, path);
    const after = new Running(textFile(path, follow), before.positions);
    expect(await after.drain()).toEqual(['two']);
    expect(after.rejected).toMatchObject([{ place: `${path}:2`, code: 'source/rotated' }]);
  });
});

describe('a followed file that is gzipped', () => {
  test('is read to its end, and resumed by the bytes of its content', async () => {
    const path = join(await directory(), 'a.log');
    const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index}`);
    await writeFile(path, gzipSync(lines.join('\n')));
    const running = new Running(textFile(path, follow));
    expect(await running.has(5_000)).toEqual(lines);
    await running.stop();
    const middle = { offset: lines.slice(0, 4_000).join('\n').length + 1, line: 4_001, file: running.positions.get(path)!.file! };
    const again = new Running(textFile(path, follow), new Map([[path, middle]]));
    expect(await again.has(1_000)).toEqual(lines.slice(4_000));
    await rename(path, `${path}.1`);
    await writeFile(path, 'plain\n');
    expect((await again.has(1_001)).at(-1)).toBe('plain');
    expect(again.rejected).toEqual([]);
    await again.stop();
  });
});

test('a position of a reader that did not follow is good for one that does, unless the file was cut', async () => {
  const path = join(await directory(), 'a.log');
  await writeFile(path, 'one\ntwo\n');
  const good = new Running(textFile(path, follow), new Map([[path, { offset: 4, line: 2 }]]));
  expect(await good.drain()).toEqual(['two']);
  const cut = new Running(textFile(path, follow), new Map([[path, { offset: 40, line: 9 }]]));
  expect(await cut.drain()).toEqual(['one', 'two']);
  expect(cut.rejected).toMatchObject([{ place: `${path}:9`, code: 'source/rotated' }]);
});

describe('a followed directory', () => {
  test('has files that come later, but not the past of a file', async () => {
    const path = await directory();
    await writeFile(join(path, 'a.log'), 'a1\n');
    await writeFile(join(path, 'a.log.1'), 'a0\n');
    const running = new Running(textFile(path, follow));
    await running.has(1);
    await writeFile(join(path, 'b.log'), 'b1\n');
    await running.has(2);
    await rename(join(path, 'a.log'), join(path, 'a.log-20261001'));
    await writeFile(join(path, 'a.log'), 'a2\n');
    await running.has(3);
    expect([...(await running.drain())]).toEqual(['a1', 'b1', 'a2']);
  });

  test('may be empty at first, and a glob may match nothing', async () => {
    const path = await directory();
    const running = new Running(textFile(join(path, '*/*.log'), follow));
    await mkdir(join(path, 'x'));
    await writeFile(join(path, 'x', 'a.log'), 'a\n');
    expect(await running.has(1)).toEqual(['a']);
    expect(await running.drain()).toEqual(['a']);
  });
});

test('a source that never ends, ends when it is told to', async () => {
  const path = join(await directory(), 'a.log');
  await writeFile(path, 'one\npart');
  const running = new Running(textFile(path, follow));
  await running.has(1);
  await running.stop();
  expect(running.values).toEqual(['one']);
  expect(running.positions.get(path)).toMatchObject({ offset: 4, line: 2 });
  expect(textFile(path, follow).bounded).toBe(false);
  expect(textFile(path).bounded).toBe(true);
});
