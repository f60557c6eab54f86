import { describe, expect, test } from 'vitest';
import { defineSink, type SinkContext, type SinkWriter } from '../../src/index.ts';
import { checkSink } from '../../src/testing.ts';
import { brokenRule, patience } from './brokenRule.ts';

describe('sinks that break a rule are found', () => {
  const values = [1, 2, 3, 4, 5].map((id) => ({ id }));
  type Row = { id: number };
  type Committable = { readonly name: string; readonly rows: readonly Row[] };

  /** A table and the parts that were committed to it. */
  class Table {
    readonly rows: Row[] = [];
    readonly parts = new Set<string>();
    writers = 0;

    writer(_context: SinkContext): SinkWriter<Row, Committable> & { rows: Row[] } {
      const id = this.writers++;
      let parts = 0;
      const writer: SinkWriter<Row, Committable> & { rows: Row[] } = {
        rows: [],
        write: (rows) => void writer.rows.push(...rows),
        prepare: async () => {
          const rows = writer.rows;
          writer.rows = [];
          return rows.length === 0 ? [] : [{ name: `${id}.${parts++}`, rows }];
        },
        commit: async (committables) => {
          for (const { name, rows } of committables) {
            if (this.parts.has(name)) continue;
            this.parts.add(name);
            this.rows.push(...rows);
          }
        },
        abort: async () => undefined,
      };
      return writer;
    }
  }

  type Writer = ReturnType<Table['writer']>;

  function check(
    change: (writer: Writer, table: Table, context: SinkContext) => Partial<SinkWriter<Row, never>>,
  ): Promise<string | undefined> {
    return brokenRule(
      checkSink<Row>(
        () => {
          const table = new Table();
          const sink = defineSink<Row, Committable, unknown>({
            name: 'tested',
            open: (context) => {
              const writer = table.writer(context);
              return Object.assign(writer, change(writer, table, context)) as SinkWriter<Row, Committable>;
            },
          });
          return { sink, visible: () => table.rows };
        },
        { values: values.map((row) => ({ ...row })), patience },
      ),
    );
  }

  const atOnce = (_writer: Writer, table: Table): Partial<SinkWriter<Row, never>> => ({
    write: (rows) => void table.rows.push(...rows),
    prepare: async () => [],
  });

  test('and those that break none are not', async () => {
    expect(await check(() => ({}))).toBeUndefined();
    expect(await check(atOnce)).toBeUndefined();
    expect(
      await check((_writer, table) => ({ writeOne: async (row) => void table.rows.push(row), prepare: async () => [] })),
    ).toBeUndefined();
  });

  test.each<[rule: string, what: string, change: Parameters<typeof check>[0]]>([
    [
      'open',
      'cannot be opened',
      () => {
        throw new Error('shut');
      },
    ],
    ['written', 'cannot be written', () => ({ write: () => Promise.reject(new Error('full')) })],
    ['answer', 'never takes what it is given', () => ({ write: () => new Promise(() => undefined) })],
    ['written', 'forgets the first', (writer) => ({ write: (rows) => void writer.rows.push(...rows.slice(1)) })],
    ['written', 'in another order', (writer) => ({ write: (rows) => void writer.rows.unshift(...rows) })],
    ['written', 'twice', (_writer, table) => ({ write: (rows) => void table.rows.push(...rows, ...rows), prepare: async () => [] })],
    [
      'written',
      'makes something up',
      (writer) => ({ prepare: async () => [{ name: `${Math.random()}`, rows: [...writer.rows.splice(0), { id: 0 }] }] as never }),
    ],
    [
      'write/array',
      'keeps the array',
      (_writer, table) => {
        const kept: (readonly Row[])[] = [];
        return { write: (rows) => void kept.push(rows), prepare: async () => [], close: async () => void table.rows.push(...kept.flat()) };
      },
    ],
    [
      'write/immutable',
      'changes elements',
      (writer) => ({
        write: (rows) => {
          for (const row of rows) row.id += 10;
          writer.rows.push(...rows);
        },
      }),
    ],
    ['write/bytes', 'reports nonsense', (_writer, _table, { wrote }) => ({ write: () => wrote(Number.NaN) })],
    [
      'commit/hidden',
      'shows what is not committed',
      (writer, table) => ({
        write: (rows) => {
          writer.rows.push(...rows);
          table.rows.push(...rows);
        },
      }),
    ],
    ['commit/hidden', 'commits when it is closed', (writer, table) => ({ close: async () => void table.rows.push(...writer.rows) })],
    ['commit/plain', 'a committable that cannot be stored', () => ({ prepare: async () => [() => 0] as never })],
    ['commit/plain', 'no list of committables', () => ({ prepare: async () => undefined as never })],
    [
      'commit/own',
      'commits everything',
      (writer, table) => ({
        commit: async (committables) => {
          for (const { rows } of committables as unknown as Committable[]) table.rows.push(...rows);
          table.rows.push(...writer.rows.splice(0));
        },
      }),
    ],
    [
      'commit/again',
      'commits twice',
      (_writer, table) => ({
        commit: async (committables) => {
          for (const { rows } of committables as unknown as Committable[]) table.rows.push(...rows);
        },
      }),
    ],
    [
      'commit/again',
      'knows only its own commits',
      (_writer, table) => {
        const own = new Set<string>();
        return {
          commit: async (committables) => {
            for (const { name, rows } of committables as unknown as Committable[]) {
              if (own.has(name)) continue;
              own.add(name);
              table.rows.push(...rows);
            }
          },
        };
      },
    ],
    [
      'commit/own',
      'cannot commit for another',
      (writer, table) => {
        let wrote = false;
        return {
          write: (rows) => {
            wrote = true;
            writer.rows.push(...rows);
          },
          commit: async (committables) => {
            if (!wrote) return;
            for (const { name, rows } of committables as unknown as Committable[]) {
              if (table.parts.has(name)) continue;
              table.parts.add(name);
              table.rows.push(...rows);
            }
          },
        };
      },
    ],
    [
      'abandon',
      'keeps what was aborted',
      (_writer, table) => ({
        abort: async (committables) => {
          for (const { rows } of committables as unknown as Committable[]) table.rows.push(...rows);
        },
      }),
    ],
    [
      'subtasks',
      'one file for all',
      (_writer, table, { parallelism }) => ({
        commit: async (committables) => {
          if (parallelism > 1) table.rows.length = 0;
          for (const { name, rows } of committables as unknown as Committable[]) {
            if (table.parts.has(name)) continue;
            table.parts.add(name);
            table.rows.push(...rows);
          }
        },
      }),
    ],
    [
      'failure',
      'writes something on failure',
      (_writer, table) => ({
        write: (rows) => void table.rows.push(...rows),
        prepare: async () => [],
        close: async (failure) => void (failure !== undefined && table.rows.push({ id: -1 })),
      }),
    ],
    ['close', 'cannot be closed', () => ({ close: () => Promise.reject(new Error('stuck')) })],
  ])('%s: %s', async (rule, _what, change) => {
    expect(await check(change)).toBe(rule);
  });
});
