import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLevelStore } from '../../src/node/levelStore.ts';
import type { KeyStore } from '../../src/state/keyStore.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-level-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
/** The address of a key of backend 0. */
const key = (group: number, n: number): Uint8Array => bytes(0, 0, group >> 8, group & 0xff, 1, n);

describe('store of records on disk', () => {
  test('gives back what was written, and nothing for what has gone', async () => {
    const store = await openLevelStore(directory);
    await store.write([
      { key: key(1, 1), record: bytes(7) },
      { key: key(9, 1), record: bytes(8, 8) },
    ]);
    await store.write([{ key: key(1, 1), record: undefined }]);
    expect([store.get(key(1, 1)), store.get(key(9, 1)), store.get(key(9, 2))].map((found) => found && [...found])).toEqual([
      undefined,
      [8, 8],
      undefined,
    ]);
    await store.close();
  });

  test('a snapshot stands still, and is scanned key group by key group', async () => {
    const store = await openLevelStore(directory);
    await store.write([3, 1, 2].map((n) => ({ key: key(260, n), record: bytes(n) })));
    await store.write([{ key: key(4, 1), record: bytes(99) }]);
    const snapshot = store.snapshot();
    await store.write([
      { key: key(260, 4), record: bytes(4) },
      { key: key(260, 1), record: undefined },
    ]);
    const prefix = bytes(0, 0, 1, 4);
    const first = await snapshot.scan(prefix, undefined, 2);
    expect(first.map(([, record]) => [...record])).toEqual([[1], [2]]);
    const rest = await snapshot.scan(prefix, first[1]![0], 2);
    expect(rest.map(([, record]) => [...record])).toEqual([[3]]);
    expect([...snapshot.get(key(260, 1))!]).toEqual([1]);
    snapshot.release();
    await store.close();
  });

  test('takes its directory with it, and what a process has left that was killed', async () => {
    const dead = execFileSync(process.execPath, ['-p', 'process.pid']).toString().trim();
    const left = join(directory, `millrace-state-${dead}-abc`);
    mkdirSync(join(left, '0'), { recursive: true });
    const store = await openLevelStore(directory);
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(directory)).toHaveLength(1);
    await store.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  test('two stores in one directory do not touch each other', async () => {
    const [a, b] = [await openLevelStore(directory), await openLevelStore(directory)];
    await a.write([{ key: key(1, 1), record: bytes(1) }]);
    expect(b.get(key(1, 1))).toBeUndefined();
    await Promise.all([a.close(), b.close()]);
  });

  test('a directory that cannot be used is refused', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(openLevelStore(file)).rejects.toMatchObject({ code: 'state/store' });
  });

  test('a full disk is told as such', async (context) => {
    const small = join(directory, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      context.skip('a small file system cannot be mounted here');
    }
    let store: KeyStore | undefined;
    try {
      store = await openLevelStore(small);
      const fill = async (): Promise<void> => {
        for (let n = 0; n < 64; n++) await store!.write([{ key: key(0, n), record: randomBytes(2 ** 20) }]);
      };
      await expect(fill()).rejects.toMatchObject({ code: 'state/disk-full' });
    } finally {
      await store?.close();
      execFileSync('umount', [small]);
    }
  });
});
