import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postgresSink, type PostgresSinkOptions } from '../../src/node/postgresSink.ts';
import type { SinkContext, SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';
import { checkSink } from '../../src/testing/checkSink.ts';
import { systemClock } from '../../src/time/systemClock.ts';
import { EXPECTED, type Row, runBatch, runWithFaults } from './faults.ts';
import { PostgresServer } from './postgresServer.ts';

type Writer<T> = SinkWriter<T, unknown>;
type Options<T> = Omit<PostgresSinkOptions<T>, 'connection' | 'table'>;
type Item = { readonly id: number; readonly text: string };

const missing = PostgresServer.missing();
if (missing !== undefined) console.log(`Skipped: ${missing}.`);

const item = (id: number, text = `${id}`): Item => ({ id, text });
const MODES: readonly (readonly [string, { readonly prepared?: boolean }])[] = [
  ['rows wait in a table', {}],
  ['transactions are prepared', { prepared: true }],
];

describe.skipIf(missing !== undefined)('a table of PostgreSQL', () => {
  let server: PostgresServer;
  let table = '';
  let tables = 0;
  const opened: Writer<never>[] = [];
  beforeAll(async () => {
    server = await PostgresServer.start(50);
  }, 60_000);
  afterAll(() => server?.remove());
  afterEach(async () => {
    for (const writer of opened.splice(0)) await writer.close?.(new Error('over')).catch(() => undefined);
    for (const { gid } of await server.rows('SELECT gid FROM pg_prepared_xacts')) await server.rows(`ROLLBACK PREPARED '${String(gid)}'`);
  });

  /** A new table. */
  async function make(columns: string): Promise<void> {
    table = `t${tables++}`;
    await server.rows(`CREATE TABLE ${table} (${columns})`);
  }
  const sink = <T extends object>(options: Options<T>) => postgresSink<T>({ connection: server.connection, ...options, table });
  async function open<T extends object = Item>(options: Partial<Options<T>> = {}, context: Partial<SinkContext> = {}): Promise<Writer<T>> {
    const { definition } = sink<T>({ columns: ['id', 'text'] as never, ...options });
    const place = {
      uid: table,
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
  const seen = (): Promise<Record<string, unknown>[]> => server.rows(`SELECT id, text FROM ${table} ORDER BY id`);
  const staged = async (): Promise<number> => (await server.rows(`SELECT * FROM millrace_staged_${table}`)).length;

  test('holds what elements hold, in the types of its columns', async () => {
    await make(
      `i int, f float8, n numeric, b boolean, t text, at timestamptz, y bytea, l int[], j jsonb, "q""u" text, none int, serial serial`,
    );
    const columns = ['i', 'f', 'n', 'b', 't', 'at', 'y', 'l', 'j', 'q"u', 'none'] as const;
    const value = {
      i: 3,
      f: NaN,
      n: 2n ** 90n,
      b: true,
      t: 'é"\n',
      at: new Date(5),
      y: new Uint8Array([9, 1, 255]).subarray(1),
      l: [1, 2],
    };
    const element = { ...value, j: { a: [1, null] }, 'q"u': '', none: undefined };
    await runBatch(sink<typeof element>({ columns }), [element, { ...element, f: -0.5, j: 'text' as never }]);
    const found = await server.rows(`SELECT *, n::text AS n, encode(y, 'hex') AS y FROM ${table} ORDER BY serial`);
    const expected = { ...element, n: `${2n ** 90n}`, y: '01ff', none: null };
    expect(found).toEqual([
      { ...expected, serial: 1 },
      { ...expected, f: -0.5, j: 'text', serial: 2 },
    ]);
  });

  test('takes rows with the same key in the places of others, the last one stays; keys that are NULL differ', async () => {
    await make('id int UNIQUE, text text');
    for (const atOnce of [false, true]) {
      await runBatch(sink<Item>({ columns: ['id', 'text'], key: ['id'], atOnce }), [item(1), item(2), item(1, 'new'), item(null as never)]);
      await runBatch(sink<Item>({ columns: ['id', 'text'], key: ['id'], atOnce }), [item(2, 'newer'), item(3)]);
    }
    const nulls = { id: null, text: 'null' };
    expect(await seen()).toEqual([item(1, 'new'), item(2, 'newer'), item(3), nulls, nulls]);
    await make('id int PRIMARY KEY');
    await runBatch(sink<{ id: number }>({ columns: ['id'], key: ['id'] }), [{ id: 1 }, { id: 1 }]);
    expect(await server.rows(`SELECT * FROM ${table}`)).toEqual([{ id: 1 }]);
  });

  test('is filled in order by a job without checkpoints, and nothing is left beside it', async () => {
    await make('id int, text text, nr serial');
    const many = Array.from({ length: 5000 }, (_, id) => item(id));
    await runBatch(sink<Item>({ columns: ['id', 'text'] }), many);
    expect(await server.rows(`SELECT id, text FROM ${table} ORDER BY nr`)).toEqual(many);
    expect(await server.rows(`SELECT to_regclass('millrace_staged_${table}') AS r`)).toEqual([{ r: null }]);
  });

  test('of another schema, made by setup in many subtasks at once', async () => {
    await server.rows('CREATE SCHEMA "o""ther"');
    table = 'made';
    const setup = 'CREATE TABLE IF NOT EXISTS "o""ther".made (id int, text text)';
    const options: Options<Item> = { columns: ['id', 'text'], schema: 'o"ther', setup };
    const writers = await Promise.all([0, 1, 2, 3].map((subtask) => open<Item>(options, { subtask, parallelism: 4 })));
    for (const [id, writer] of writers.entries()) {
      await writer.write([item(id)]);
      await writer.commit(await writer.prepare(1));
    }
    expect(await server.rows('SELECT count(*)::int AS n FROM "o""ther".made')).toEqual([{ n: 4 }]);
    expect(await server.rows(`SELECT count(*)::int AS n FROM "o""ther".millrace_commits`)).toEqual([{ n: 4 }]);
  });

  describe.each(MODES)('%s', (_, mode) => {
    test('rows are seen with their checkpoint, whose number and epoch is noted in the same transaction', async () => {
      await make('id int, text text');
      const writer = await open(mode, { epoch: 4 });
      await writer.write([item(1)]);
      const first = await writer.prepare(17);
      await writer.write([item(2)]);
      expect(await seen()).toEqual([]);
      await writer.commit(first);
      expect(await seen()).toEqual([item(1)]);
      const noted = `SELECT round::int, checkpoint::int, epoch::int FROM millrace_commits WHERE writer = '${(first[0] as { writer: string }).writer}'`;
      expect(await server.rows(noted)).toEqual([{ round: 0, checkpoint: 17, epoch: 4 }]);
      await writer.commit([...first, ...(await writer.prepare(18))]);
      expect(await seen()).toEqual([item(1), item(2)]);
      expect(await server.rows(noted)).toEqual([{ round: 1, checkpoint: 18, epoch: 4 }]);
    });

    test('going on from a checkpoint commits what it holds, once, and drops what came after it', async () => {
      await make('id int PRIMARY KEY, text text');
      const writer = await open({ ...mode, key: ['id'] });
      await writer.write([item(1)]);
      const held = await writer.prepare(1);
      const state = writer.state!();
      await writer.write([item(3, 'lost')]);
      await writer.prepare(2);
      // What is open locks rows that the next run writes.
      await writer.write([item(2, 'lost')]);
      for (const epoch of [2, 3]) {
        const next = await open({ ...mode, key: ['id'] }, { epoch, restored: true });
        await next.recover!(held, state);
        await next.write([item(2), item(3)]);
        if (epoch === 3) await next.commit(await next.prepare());
      }
      expect(await seen()).toEqual([item(1), item(2), item(3)]);
      expect(await server.rows('SELECT gid FROM pg_prepared_xacts')).toEqual([]);
      if (mode.prepared !== true) expect(await staged()).toBe(0);
    });

    test('in another number of subtasks nobody rolls back what another is to commit', async () => {
      await make('id int, text text');
      const olds = await Promise.all([0, 1, 2].map((subtask) => open(mode, { subtask, parallelism: 3 })));
      for (const [i, writer] of olds.entries()) await writer.write([item(i)]);
      const held = (await Promise.all(olds.map((writer) => writer.prepare(1)))).flat();
      const state = olds.flatMap((writer) => writer.state!());
      const nexts = await Promise.all([0, 1].map((subtask) => open(mode, { subtask, parallelism: 2, epoch: 2, restored: true })));
      for (const [subtask, next] of nexts.entries()) {
        const share = held.filter((each, i) => each !== undefined && i % 2 === subtask);
        await next.recover!(share, state);
      }
      for (const [subtask, next] of nexts.entries()) {
        await next.write([item(10 + subtask)]);
        await next.commit(await next.prepare());
      }
      expect(await seen()).toEqual([0, 1, 2, 10, 11].map((id) => item(id)));
    });

    test('an older epoch writes and commits nothing any more', async () => {
      await make('id int, text text');
      const zombie = await open(mode);
      await zombie.write([item(1)]);
      const held = await zombie.prepare(1);
      const state = zombie.state!();
      await zombie.write([item(99)]);
      const late = await zombie.prepare(2);
      const next = await open(mode, { epoch: 2, restored: true });
      await next.recover!(held, state);
      const refused = { code: mode.prepared === true ? 'sink/failed' : 'checkpoint/fenced' };
      await expect(zombie.commit(late)).rejects.toMatchObject(refused);
      await expect((async () => zombie.write([item(98)]))()).rejects.toMatchObject(refused);
      await expect(open(mode)).rejects.toMatchObject({ code: 'checkpoint/fenced' });
      // Another sink, and another job, have epochs of their own.
      await open(mode, { uid: 'other' });
      await open(mode, { lineage: 'y' });
      expect(await seen()).toEqual([item(1)]);
    });

    test('keeps the contract', async () => {
      const values = Array.from({ length: 40 }, (__, id) => item(id, 'é"\n'.repeat(id)));
      await checkSink(
        async () => {
          await make('id int, text text, nr serial');
          // A target of its own has a bookkeeping of its own.
          await server.rows('DROP TABLE IF EXISTS millrace_sinks, millrace_commits');
          const target = table;
          const visible = async (): Promise<Item[]> =>
            (await server.rows(`SELECT id, text FROM ${target} ORDER BY nr`)) as unknown as Item[];
          return { sink: sink<Item>({ columns: ['id', 'text'], ...mode }), visible };
        },
        { values },
      );
    });

    test.each([0, 1, 2, 3])(
      'a job that fails at random places, in another number of subtasks each time, writes everything once (seed %i)',
      async (seed) => {
        await make('id text, key int, at int, count int');
        await runWithFaults(sink<Row>({ columns: ['id', 'key', 'at', 'count'], ...mode }), seed);
        expect(await server.rows(`SELECT * FROM ${table} ORDER BY at, key`)).toEqual(EXPECTED);
        expect(await server.rows('SELECT gid FROM pg_prepared_xacts')).toEqual([]);
      },
    );

    test('a job that fails at random places has the last of each key in the end', async () => {
      await make('key int PRIMARY KEY, count int');
      await runWithFaults(sink<Row>({ columns: ['key', 'count'], key: ['key'], ...mode }), 11, { parallelism: 2 });
      expect(await server.rows(`SELECT * FROM ${table} ORDER BY key`)).toEqual([0, 1, 2].map((key) => ({ key, count: 900 })));
    });
  });

  test('has rows at once where that is wanted, but not those of an older epoch', async () => {
    await make('id int PRIMARY KEY, text text');
    const options = { key: ['id'], atOnce: true } as const;
    const writer = await open<Item>(options);
    await writer.write([item(1), item(2), item(1, 'new')]);
    expect(await seen()).toEqual([item(1, 'new'), item(2)]);
    expect(await writer.prepare(1)).toEqual([]);
    const next = await open<Item>(options, { epoch: 2 });
    await expect((async () => writer.write([item(1, 'late')]))()).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await next.write([item(3)]);
    expect(await seen()).toEqual([item(1, 'new'), item(2), item(3)]);
  });

  test('that has changed its columns goes on with what waits', async () => {
    await make('id int, text text');
    const writer = await open<Item>({ columns: ['id'] });
    await writer.write([item(1)]);
    const held = await writer.prepare(1);
    await server.rows(`ALTER TABLE ${table} ALTER COLUMN id TYPE bigint`);
    const next = await open<Item>({}, { epoch: 2, restored: true });
    await next.recover!(held, []);
    await next.write([{ id: 2 ** 40, text: 'x' }]);
    await next.commit(await next.prepare());
    expect(await seen()).toEqual([
      { id: '1', text: null },
      { id: `${2 ** 40}`, text: 'x' },
    ]);
  });

  test('refuses rows that are gone; rows that break a constraint can be mended where they wait', async () => {
    await make('id int PRIMARY KEY, text text');
    const writer = await open<Item>();
    await writer.write([item(1, 'a'), item(1, 'b')]);
    const held = await writer.prepare(1);
    await expect(writer.commit(held)).rejects.toMatchObject({ code: 'sink/failed', message: expect.stringContaining('23505') as string });
    await server.rows(`UPDATE millrace_staged_${table} SET id = 2 WHERE text = 'b'`);
    await writer.commit(held);
    expect(await seen()).toEqual([item(1, 'a'), item(2, 'b')]);
    await writer.write([item(5), item(6)]);
    const lost = await writer.prepare(2);
    await server.rows(`DELETE FROM millrace_staged_${table} WHERE id = 5`);
    await expect(writer.commit(lost)).rejects.toMatchObject({ message: expect.stringContaining('holds 2 rows') as string });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['no such table', () => open({ schema: 'nope' }), 'no table'],
    ['no such column', () => open<Item>({ columns: ['nope' as 'id'] }), 'no column "nope"'],
    ['no such key', () => open<Item>({ key: ['id'] }), 'ON CONFLICT'],
    ['setup that is no SQL', () => open({ setup: 'nonsense' }), 'nonsense'],
  ])('says when it opens: %s', async (_, attempt, message) => {
    await make('id int, text text');
    await expect(attempt()).rejects.toMatchObject({ code: 'sink/failed', message: expect.stringContaining(message) as string });
  });

  test('refuses a value that does not fit or is missing, and tells nothing of it', async () => {
    await make('id int NOT NULL, text varchar(3)');
    for (const [bad, message] of [
      [{ id: 'secret', text: '' }, '22P02'],
      [{ id: 1, text: 'secret' }, '22001'],
      [{ id: null, text: 'secret' }, '"id"'],
    ] as const) {
      const writer = await open();
      const error: unknown = await (async () => writer.write([bad as never]))().catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'sink/failed', message: expect.stringContaining(message) as string });
      expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain('secret');
    }
  });

  test('in a server that is gone or that one cannot connect to: the error says so', async () => {
    await make('id int, text text');
    await expect(open({ connection: { host: '/nowhere' } } as never)).rejects.toMatchObject({ code: 'sink/failed' });
    const writer = await open();
    await server.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'millrace %'`);
    await expect((async () => writer.write([item(1)]))()).rejects.toMatchObject({ code: 'sink/failed' });
  });

  test('in a server that was killed has what was committed, and prepares nothing where that is not allowed', async () => {
    await make('id int, text text');
    const writer = await open({ prepared: true });
    await writer.write([item(1)]);
    await writer.commit(await writer.prepare(1));
    await writer.close?.();
    opened.length = 0;
    await server.stop();
    await server.run(0);
    const next = await open({ prepared: true }, { epoch: 2, restored: true });
    await next.recover!([], []);
    await next.write([item(2)]);
    const prepared = await next.prepare(2);
    expect(prepared).toMatchObject([{ kind: 'staged' }]);
    await next.commit(prepared);
    expect(await seen()).toEqual([item(1), item(2)]);
  });
});
