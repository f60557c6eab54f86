import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { valueText } from '../../src/connectors/valueText.ts';
import { discard, forEach, fromArray, generator, print, StreamEnvironment } from '../../src/index.ts';

describe('valueText', () => {
  const circular: Record<string, unknown> = { a: 1 };
  circular['self'] = circular;
  class Point {
    x = 1;
    y = -0;
  }
  let deep: unknown = 'end';
  for (let i = 0; i < 12; i++) deep = { deep };

  test.each<[unknown, string]>([
    ['as it is', 'as it is'],
    [
      { id: 'x', at: 3n, 'two words': [1, 'a', null, undefined, true] },
      `{ id: 'x', at: 3n, 'two words': [1, 'a', null, undefined, true] }`,
    ],
    [["it's", 'say "no"', 'a\nb'], `["it's", 'say "no"', 'a\\nb']`],
    [[Number.NaN, Infinity, -0], '[NaN, Infinity, -0]'],
    [new Map([['a', { b: 1 }]]), `Map(1) { 'a' => { b: 1 } }`],
    [new Set(), 'Set(0) {}'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), 'Invalid Date'],
    [new TypeError('no'), 'TypeError: no'],
    [new Uint8Array([1, 2]), 'Uint8Array [1, 2]'],
    [new Point(), 'Point { x: 1, y: -0 }'],
    [Object.create(null), '{}'],
    [{}, '{}'],
    [[], '[]'],
    [circular, '{ a: 1, self: [circular] }'],
    [{ f: valueText, g: Symbol('s') }, '{ f: [function valueText], g: Symbol(s) }'],
    [deep, '{ deep: { deep: { deep: { deep: { deep: { deep: { deep: { deep: [Object] } } } } } } } }'],
  ])('%o', (value, text) => {
    expect(valueText(value)).toBe(text);
  });
});

describe('print', () => {
  afterEach(() => vi.restoreAllMocks());

  async function printed(parallelism: number, label?: string): Promise<string[]> {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const env = new StreamEnvironment({ parallelism });
    env.from(generator({ count: 3000, splits: parallelism, create: (i) => ({ i }) })).sinkTo(print(label === undefined ? {} : { label }));
    await env.execute('print');
    return log.mock.calls.flatMap(([text]) => String(text).split('\n'));
  }

  test('a line each', async () => {
    expect(await printed(1)).toEqual(Array.from({ length: 3000 }, (_, i) => `{ i: ${i} }`));
  });

  test('with a label', async () => {
    expect((await printed(1, 'n')).slice(0, 2)).toEqual(['n> { i: 0 }', 'n> { i: 1 }']);
  });

  test('with the number of the subtask where there are several', async () => {
    expect((await printed(2)).sort().slice(0, 1)).toEqual(['1> { i: 0 }']);
    expect((await printed(2, 'n')).filter((line) => line.startsWith('n:2> '))).toHaveLength(1500);
  });

  test('counts bytes, not characters', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const env = new StreamEnvironment();
    env.from(fromArray(['ä', 'bc'])).sinkTo(print());
    const job = await env.start('bytes');
    await job.finished;
    expect(job.metrics().operators.at(-1)!.bytesOut).toBe(6);
  });
});

describe('print in a process of its own', () => {
  const script = `
    import { generator, print, StreamEnvironment } from '@millrace/core';
    const env = new StreamEnvironment();
    env.from(generator({ count: 40_000, create: (i) => ({ i, text: 'x'.repeat(100) }) })).sinkTo(print());
    await env.execute('print');
    process.exit(0);
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const node = [process.execPath, '--conditions=@millrace/source', '--import', 'tsx', '--input-type=module', '-e', script] as const;

  test('nothing is lost, also when the process exits at once', () => {
    const quoted = node.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ');
    const out = execFileSync('sh', ['-c', `${quoted} | tail -n 1`], { cwd, encoding: 'utf8' });
    expect(out).toBe(`{ i: 39999, text: '${'x'.repeat(100)}' }\n`);
    const direct = execFileSync(node[0], node.slice(1), { cwd, encoding: 'utf8', maxBuffer: 1e8 });
    expect(direct.split('\n')).toHaveLength(40_001);
  });

  test('a reader that has gone is no error', () => {
    const quoted = node.map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(' ');
    const { stdout, stderr } = spawnSync('sh', ['-c', `{ ${quoted}; echo "exit $?" >&2; } | head -n 1`], { cwd, encoding: 'utf8' });
    expect(stdout).toMatch(/^\{ i: 0, /);
    expect(stderr).toBe('exit 0\n');
  });
});

describe('other sinks', () => {
  test('forEach waits for promises, and takes any function', async () => {
    const seen: number[] = [];
    const env = new StreamEnvironment();
    const stream = env.from(fromArray([1, 2, 3]));
    let under = 0;
    stream.sinkTo(
      forEach(async (n) => {
        expect(++under).toBe(1);
        await Promise.resolve();
        under--;
        seen.push(n);
      }),
    );
    const pushed: number[] = [];
    stream.sinkTo(forEach((n) => pushed.push(n)));
    const others: unknown[] = [];
    stream.sinkTo(forEach((n) => (others.push(n), null)));
    await env.execute('forEach');
    expect([seen, pushed, others]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test('discard takes everything', async () => {
    const env = new StreamEnvironment();
    env.from(fromArray(Array.from({ length: 5000 }, (_, i) => i))).sinkTo(discard(), { uid: 'nothing' });
    const job = await env.start('discard');
    await job.finished;
    expect(job.metrics().operators.at(-1)).toMatchObject({ uid: 'nothing', recordsIn: 5000 });
  });
});
