import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqliteSink, type SqliteSinkOptions } from '../../src/node/sqliteSink.ts';
import type { SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { checkSink } from '../../src/testing/checkSink.ts';
import { systemClock } from '../../src/time/systemClock.ts';
import { EXPECTED, type Row, runBatch, runWithFaults } from './faults.ts';
import { directory } from './files.ts';

type Writer<T> = SinkWriter<T, unknown>;
type Item = { readonly id: number; readonly text: string };

const ITEMS = { table: 'items', columns: ['id', 'text'], setup: 'CREATE TABLE IF NOT EXISTS items (id INTEGER, text TEXT)' } as const;
const KEYED = { ...ITEMS, key: ['id'], setup: 'CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, text TEXT NOT NULL)' } as const;

let path: string;
const opened: Writer<never>[] = [];
beforeEach(async () => {
  path = join(await directory(), 'a.db');
});
afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close?.(new Error('over')).catch(() => undefined);
});

async function open<T extends object = Item>(options: SqliteSinkOptions<T>, context: Partial<SinkContext> = {}): Promise<Writer<T>> {
  const { definition } = sqliteSink<T>(path, options);
  const place = {
    uid: 'table',
    subtask: 0,
    parallelism: 1,
    restored: false,
    epoch: 1,
    lineage: 'x',
    clock: systemClock,
    wrote: () => undefined,
  };
  const writer = await (definition as unknown as SinkDefinition<T, unknown>).open({ ...place, ...context });
  opened.push(writer);
  return writer;
}

/** All rows that a query finds. */
function rows(sql: string, file = path): Record<string, unknown>[] {
  const database = new Database(file);
  try {
    return database.prepare(sql).raw(false).all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

function tables(): unknown[] {
  return rows('SELECT name FROM sqlite_master ORDER BY name').map(({ name }) => name);
}

const item = (id: number, text = `${id}`): Item => ({ id, text });

describe('rows', () => {
  test('hold what elements hold, in the types of SQLite', async () => {
    const values = {
      whole: 3,
      fraction: 0.5,
      great: 2n ** 62n,
      yes: true,
      text: 'é"',
      date: new Date(0),
      bytes: new Uint8Array([9, 1, 2]).subarray(1),
      list: [1, { a: 2 }],
      none: null,
      missing: undefined,
    };
    const columns = Object.keys(values) as (keyof typeof values)[];
    await runBatch(sqliteSink(path, { table: 't"x', columns, setup: `CREATE TABLE "t""x" (${columns.join(', ')})` }), [values]);
    const [types] = rows(`SELECT ${columns.map((column) => `typeof(${column}) AS ${column}`).join(', ')} FROM "t""x"`);
    const integers = { whole: 'integer', great: 'integer', yes: 'integer' };
    const texts = { text: 'text', date: 'text', list: 'text' };
    expect(types).toEqual({ ...integers, fraction: 'real', ...texts, bytes: 'blob', none: 'null', missing: 'null' });
    expect(rows('SELECT whole, text, date, hex(bytes) AS bytes, list, CAST(great AS TEXT) AS great FROM "t""x"')).toEqual([
      { whole: 3, text: 'é"', date: '1970-01-01T00:00:00.000Z', bytes: '0102', list: '[1,{"a":2}]', great: `${2n ** 62n}` },
    ]);
  });

  test('take the places of others with the same key, the last one stays', async () => {
    await runBatch(sqliteSink(path, KEYED), [item(1), item(2), item(1, 'new')]);
    await runBatch(sqliteSink(path, KEYED), [item(2, 'newer'), item(3)]);
    expect(rows('SELECT * FROM items')).toEqual([item(1, 'new'), item(2, 'newer'), item(3)]);
    await runBatch(
      sqliteSink<Item>(path, { ...KEYED, columns: ['id'], setup: 'CREATE TABLE IF NOT EXISTS ids (id UNIQUE)', table: 'ids' }),
      [item(1), item(1)],
    );
    expect(rows('SELECT * FROM ids')).toEqual([{ id: 1 }]);
  });

  test('come in many', async () => {
    const many = Array.from({ length: 20_000 }, (_, id) => item(id));
    await runBatch(sqliteSink(path, ITEMS), many);
    expect(rows('SELECT * FROM items ORDER BY rowid')).toEqual(many);
    // Without checkpoints nothing is left beside them.
    expect(tables()).toEqual(['items']);
  });

  test('are seen at once where that is wanted', async () => {
    const writer = await open({ ...KEYED, atOnce: true });
    await writer.write([item(1), item(2)]);
    expect(rows('SELECT count(*) AS n FROM items')).toEqual([{ n: 2 }]);
    expect(await writer.prepare(1)).toEqual([]);
    const next = await open({ ...KEYED, atOnce: true }, { epoch: 2 });
    await expect(writer.write([item(1, 'late')])).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await next.write([item(1, 'new')]);
    expect(rows('SELECT * FROM items')).toEqual([item(1, 'new'), item(2)]);
    expect(tables()).not.toContain('millrace_staged_items');
  });

  test('are seen with their checkpoint, whose number and epoch is noted in the same transaction', async () => {
    const writer = await open(ITEMS, { epoch: 4 });
    await writer.write([item(1)]);
    const first = await writer.prepare(17);
    await writer.write([item(2)]);
    expect(rows('SELECT * FROM items')).toEqual([]);
    await writer.commit(first);
    expect(rows('SELECT * FROM items')).toEqual([item(1)]);
    expect(rows('SELECT round, checkpoint, epoch FROM millrace_commits')).toEqual([{ round: 0, checkpoint: 17, epoch: 4 }]);
    await writer.commit([...first, ...(await writer.prepare(18))]);
    expect(rows('SELECT * FROM items')).toEqual([item(1), item(2)]);
    expect(rows('SELECT round, checkpoint FROM millrace_commits')).toEqual([{ round: 1, checkpoint: 18 }]);
    expect(rows('SELECT count(*) AS n FROM millrace_staged_items')).toEqual([{ n: 0 }]);
  });
});

describe('going on from a checkpoint', () => {
  test('commits what it holds, once, and drops what came after it', async () => {
    const writer = await open(ITEMS);
    await writer.write([item(1)]);
    const held = await writer.prepare(1);
    await writer.write([item(99)]);
    await writer.prepare(2);
    for (const epoch of [2, 3]) {
      const next = await open(ITEMS, { epoch, restored: true });
      await next.recover!(held, []);
      await next.write([item(epoch)]);
      if (epoch === 3) await next.commit(await next.prepare());
    }
    expect(rows('SELECT * FROM items')).toEqual([item(1), item(3)]);
    expect(rows('SELECT count(*) AS n FROM millrace_staged_items')).toEqual([{ n: 0 }]);
  });

  test('in another number of subtasks, and with more columns', async () => {
    const olds = await Promise.all([0, 1, 2].map((subtask) => open<Item>({ ...ITEMS, columns: ['id'] }, { subtask, parallelism: 3 })));
    for (const [i, writer] of olds.entries()) await writer.write([item(i)]);
    const held = (await Promise.all(olds.map((writer) => writer.prepare(1)))).flat();
    const nexts = await Promise.all([0, 1].map((subtask) => open(ITEMS, { subtask, parallelism: 2, epoch: 2, restored: true })));
    for (const [subtask, next] of nexts.entries()) {
      const share = held.filter((_, i) => i % 2 === subtask);
      await next.recover!(share, []);
    }
    for (const [subtask, next] of nexts.entries()) {
      await next.write([item(10 + subtask)]);
      await next.commit(await next.prepare());
    }
    expect(rows('SELECT * FROM items ORDER BY id')).toEqual([...[0, 1, 2].map((id) => ({ id, text: null })), item(10), item(11)]);
  });

  test('an older epoch writes and commits nothing any more', async () => {
    const zombie = await open(ITEMS);
    await zombie.write([item(1)]);
    const held = await zombie.prepare(1);
    await zombie.write([item(99)]);
    const late = await zombie.prepare(2);
    const next = await open(ITEMS, { epoch: 2, restored: true });
    await next.recover!(held, []);
    await expect(zombie.commit(late)).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await zombie.write([item(98)]);
    await expect(zombie.prepare(3)).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await expect(open(ITEMS)).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    // Another sink, and another job, have epochs of their own.
    await open(ITEMS, { uid: 'other' });
    await open(ITEMS, { lineage: 'y' });
    expect(rows('SELECT * FROM items')).toEqual([item(1)]);
  });

  test('is refused where the rows are gone', async () => {
    const writer = await open(ITEMS);
    await writer.write([item(1), item(2)]);
    const held = await writer.prepare(1);
    rows('DELETE FROM millrace_staged_items WHERE id = 1 RETURNING id');
    const next = await open(ITEMS, { epoch: 2, restored: true });
    await expect(next.recover!(held, [])).rejects.toMatchObject({
      code: 'sink/failed',
      message: expect.stringContaining('holds 2 rows') as string,
    });
    expect(rows('SELECT * FROM items')).toEqual([]);
  });

  test('fails where rows break a constraint, and works when they are mended where they wait', async () => {
    const writer = await open({ ...KEYED, key: [] });
    await writer.write([item(1, 'a'), item(1, 'b')]);
    const held = await writer.prepare(1);
    await expect(writer.commit(held)).rejects.toMatchObject({
      code: 'sink/failed',
      message: expect.stringContaining('items.id') as string,
    });
    expect(rows('SELECT * FROM items')).toEqual([]);
    rows("UPDATE millrace_staged_items SET id = 2 WHERE text = 'b' RETURNING id");
    await writer.commit(held);
    expect(rows('SELECT * FROM items')).toEqual([item(1, 'a'), item(2, 'b')]);
  });
});

describe('the contract', () => {
  const values = Array.from({ length: 60 }, (_, id) => item(id, 'é"\n'.repeat(id)));
  test.each([
    ['rows of their own', ITEMS],
    ['rows with a key', KEYED],
    ['at once', { ...KEYED, atOnce: true }],
  ])('is kept: %s', async (_, options) => {
    await checkSink(
      async () => {
        const file = join(await directory(), 'a.db');
        return {
          sink: sqliteSink<Item>(file, options),
          visible: () => (existsSync(file) ? (rows('SELECT * FROM items ORDER BY rowid', file) as unknown as Item[]) : []),
        };
      },
      { values },
    );
  });

  test.each([0, 1, 2, 3, 4])(
    'a job that fails at random places, in another number of subtasks each time, writes everything once (seed %i)',
    async (seed) => {
      const setup = 'CREATE TABLE IF NOT EXISTS counts (id TEXT, key INTEGER, at INTEGER, count INTEGER)';
      await runWithFaults(sqliteSink<Row>(path, { table: 'counts', columns: ['id', 'key', 'at', 'count'], setup }), seed);
      expect(rows('SELECT * FROM counts ORDER BY at, key')).toEqual(EXPECTED);
      expect(rows('SELECT count(*) AS n FROM millrace_staged_counts')).toEqual([{ n: 0 }]);
    },
  );

  test('a job that writes at once has the last of each key in the end', async () => {
    const setup = 'CREATE TABLE IF NOT EXISTS latest (key INTEGER PRIMARY KEY, count INTEGER)';
    await runWithFaults(sqliteSink<Row>(path, { table: 'latest', columns: ['key', 'count'], key: ['key'], atOnce: true, setup }), 9);
    expect(rows('SELECT * FROM latest')).toEqual([0, 1, 2].map((key) => ({ key, count: 900 })));
  });
});

describe('others', () => {
  test('that hold the database are waited for, without blocking anything', async () => {
    const writer = await open(ITEMS);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await writer.write([item(1)]);
    let isDone = false;
    const prepared = writer.prepare(1).finally(() => (isDone = true));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    other.exec('COMMIT');
    await writer.commit(await prepared);
    other.close();
    expect(rows('SELECT * FROM items')).toEqual([item(1)]);
  });

  test('that read a database without a write-ahead log hold up a commit', async () => {
    const writer = await open(ITEMS);
    await writer.write([item(1)]);
    const held = await writer.prepare(1);
    const other = new Database(path);
    other.exec('BEGIN');
    other.prepare('SELECT * FROM items').all();
    const committed = writer.commit(held);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    other.exec('COMMIT');
    other.close();
    await committed;
    expect(rows('SELECT * FROM items')).toEqual([item(1)]);
  });
});

describe('what cannot be written', () => {
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['no such table', () => open({ table: 'nope', columns: ['id'] }), /no such table: nope/],
    ['no such column', () => open({ ...ITEMS, columns: ['id', 'nope' as 'id'] }), /no column named nope/],
    ['no such key', () => open({ ...ITEMS, key: ['id'] }), /ON CONFLICT clause/],
    ['setup that is no SQL', () => open({ ...ITEMS, setup: 'nonsense' }), /nonsense/],
  ])('is told when it opens: %s', async (_, attempt, message) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'sink/failed', message: expect.stringMatching(message) as string });
  });

  test('is a file that is no database, or a directory', async () => {
    await writeFile(path, 'hello '.repeat(200));
    await expect(open(ITEMS)).rejects.toMatchObject({ code: 'sink/failed', remedy: expect.stringContaining('no database') as string });
    path = await directory();
    await expect(open(ITEMS)).rejects.toMatchObject({ code: 'sink/failed', message: expect.stringContaining(path) as string });
  });

  test('is a bigint of more than 64 bits, and what is no JSON', async () => {
    const writer = await open<{ v: unknown }>({ table: 'v', columns: ['v'], setup: 'CREATE TABLE v (v)' });
    for (const v of [2n ** 63n, [1n], () => 1]) {
      expect(() => writer.write([{ v }])).toThrow(expect.objectContaining({ code: 'sink/failed' }));
    }
  });

  test.each([
    () => sqliteSink('', ITEMS),
    () => sqliteSink(':memory:', ITEMS),
    () => sqliteSink<Item>('a.db', { ...ITEMS, table: '' }),
    () => sqliteSink<Item>('a.db', { ...ITEMS, table: 'millrace_sinks' }),
    () => sqliteSink<Item>('a.db', { ...ITEMS, columns: [] }),
    () => sqliteSink<Item>('a.db', { ...ITEMS, columns: ['id', 'id'] }),
    () => sqliteSink<Item>('a.db', { ...ITEMS, columns: ['id'], key: ['text'] }),
    () => sqliteSink<Item>('a.db', { ...ITEMS, atOnce: true }),
  ])('is refused when the job is built (%#)', (make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });
});
