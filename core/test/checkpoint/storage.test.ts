import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { crc32 as nativeCrc32 } from 'node:zlib';
import { crc32 } from '../../src/checkpoint/checksum.ts';
import { Lease } from '../../src/checkpoint/lease.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../src/checkpoint/manifest.ts';
import { memoryStorage } from '../../src/checkpoint/memoryStorage.ts';
import type { CheckpointStorage } from '../../src/checkpoint/storage.ts';
import { directory } from '../../src/node/directory.ts';
import { ManualClock } from '../../src/time/manualClock.ts';
import { S3Server } from './s3Server.ts';

const temporary: string[] = [];
async function newDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
  temporary.push(path);
  return path;
}
afterAll(() => Promise.all(temporary.map((path) => rm(path, { recursive: true, force: true }))));

let objectStore: S3Server;
beforeAll(async () => void (objectStore = await S3Server.start()));
afterAll(() => objectStore.stop());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string | undefined =>
  content === undefined ? undefined : new TextDecoder().decode(content);

describe.each<[string, () => Promise<CheckpointStorage>]>([
  ['memory', async () => memoryStorage()],
  ['directory', async () => directory(join(await newDirectory(), 'made', 'on demand'))],
  ['s3', async () => objectStore.storage()],
])('%s storage', (_name, open) => {
  test('gives back what was written, lists in order, removes', async () => {
    const storage = await open();
    expect(await storage.list('a/')).toEqual([]);
    await storage.write('a/2.state', [bytes('two'), bytes('!')]);
    await storage.write('a/1.state', [bytes('one')]);
    await storage.write('b.state', [bytes('b')]);
    expect(text(await storage.read('a/2.state'))).toBe('two!');
    expect(await storage.read('a/3.state')).toBeUndefined();
    expect(await storage.list('a/')).toEqual(['a/1.state', 'a/2.state']);
    await storage.remove('a/1.state');
    await storage.remove('a/1.state');
    expect(await storage.list('a/')).toEqual(['a/2.state']);
  });

  test('what was written stays, whatever becomes of the memory that it stood in', async () => {
    const storage = await open();
    const parts = [bytes('one'), bytes('two')];
    await storage.write('a.state', parts);
    for (const part of parts) part.fill(0);
    expect(text(await storage.read('a.state'))).toBe('onetwo');
  });

  test('a conditional write succeeds for one of those who read the same', async () => {
    const storage = await open();
    const attempts = await Promise.all(['x', 'y', 'z'].map((each) => storage.writeIf('lease', bytes(each), undefined)));
    expect(attempts.filter((token) => token !== undefined)).toHaveLength(1);
    const { token, content } = (await storage.readToken('lease'))!;
    expect(['x', 'y', 'z']).toContain(text(content));
    const second = await storage.writeIf('lease', bytes('next'), token);
    expect(second).toBeDefined();
    expect(await storage.writeIf('lease', bytes('too late'), token)).toBeUndefined();
    expect(await storage.writeIf('lease', bytes('as if new'), undefined)).toBeUndefined();
    expect(text((await storage.readToken('lease'))!.content)).toBe('next');
    for (let i = 0, at = second; i < 5; i++) expect((at = await storage.writeIf('lease', bytes(String(i)), at))).toBeDefined();
    expect(await storage.writeIf('gone', bytes('x'), token)).toBeUndefined();
    expect(text((await storage.readToken('lease'))!.content)).toBe('4');
  });
});

describe('directory storage', () => {
  test('a path that is a file is refused, naming it', async () => {
    const path = join(await newDirectory(), 'file');
    await writeFile(path, 'x');
    await expect(directory(path).write('a', [bytes('a')])).rejects.toMatchObject({ code: 'checkpoint/storage' });
    await expect(directory(path).write('a', [bytes('a')])).rejects.toThrow(path);
  });

  test('leaves no temporary files behind, and does not list those of a crash', async () => {
    const path = await newDirectory();
    const storage = directory(path);
    await storage.write('a', [bytes('a')]);
    await storage.writeIf('lease', bytes('1'), undefined);
    await storage.writeIf('lease', bytes('2'), undefined);
    expect((await readdir(path)).sort()).toEqual(['a', 'lease.1']);
    await writeFile(join(path, 'b.tmp-123456'), 'torn');
    expect(await storage.list('')).toEqual(['a', 'lease.1']);
  });
});

describe('lease', () => {
  const SECONDS = 1000;

  test('has one owner at a time, and a new epoch for each', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock(1000);
    const first = (await Lease.acquire(storage, { owner: 'one', clock, duration: 10 * SECONDS }))!;
    expect(first.epoch).toBe(1);
    expect(await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS })).toBeUndefined();
    clock.advanceTo(12 * SECONDS);
    const second = (await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS }))!;
    expect(second.epoch).toBe(2);
    await expect(first.check()).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await expect(first.renew()).rejects.toMatchObject({ code: 'checkpoint/fenced' });
    await second.check();
  });

  test('one that ended before it had chosen where to go on leaves the choice as it was', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock(0);
    const acquire = async (owner: string): Promise<Lease> => (await Lease.acquire(storage, { owner, clock, duration: SECONDS }))!;
    const first = await acquire('one');
    await first.startFrom(null);
    await first.release();
    const second = await acquire('two');
    await second.release();
    // Everything that the first has completed still counts: it is not of an older epoch than the one that chose.
    expect((await acquire('three')).previous).toEqual({ epoch: 1, base: null });
  });

  test('renewed, it lasts; released, the next owner need not wait', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock(0);
    const first = (await Lease.acquire(storage, { owner: 'one', clock, duration: 10 * SECONDS }))!;
    clock.advanceTo(8 * SECONDS);
    await first.renew();
    clock.advanceTo(15 * SECONDS);
    expect(await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS })).toBeUndefined();
    // A check that overlaps a renewal is no loss of the lease.
    await Promise.all([first.renew(), first.check(), first.renew(), first.check()]);
    await first.release();
    expect((await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS }))!.epoch).toBe(2);
    await expect(first.check()).rejects.toMatchObject({ code: 'checkpoint/fenced' });
  });

  test('a renewal whose answer was lost is no loss of the lease', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock(0);
    let loses = false;
    const unreliable: CheckpointStorage = {
      ...storage,
      async writeIf(name, content, expected) {
        const token = await storage.writeIf(name, content, expected);
        if (loses) throw new Error('no answer');
        return token;
      },
    };
    const lease = (await Lease.acquire(unreliable, { owner: 'one', clock, duration: 10 * SECONDS }))!;
    loses = true;
    await expect(lease.renew()).rejects.toThrow('no answer');
    loses = false;
    await lease.renew();
    await lease.check();
    clock.advanceTo(30 * SECONDS);
    await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS });
    await expect(lease.renew()).rejects.toMatchObject({ code: 'checkpoint/fenced' });
  });

  test('an owner that is known to be gone is not waited for', async () => {
    const storage = memoryStorage();
    const clock = new ManualClock(0);
    await Lease.acquire(storage, { owner: 'dead', clock, duration: 10 * SECONDS });
    const next = await Lease.acquire(storage, { owner: 'two', clock, duration: 10 * SECONDS, isGone: (owner) => owner === 'dead' });
    expect(next!.epoch).toBe(2);
  });

  test('of many who try at once one gets it', async () => {
    const storage = directory(await newDirectory());
    const clock = new ManualClock(0);
    const leases = await Promise.all(
      Array.from({ length: 8 }, (_, i) => Lease.acquire(storage, { owner: `process ${i}`, clock, duration: SECONDS })),
    );
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });
});

describe('manifest', () => {
  const manifest: Manifest = {
    version: 1,
    job: 'j',
    checkpoint: 3,
    epoch: 1,
    takenAt: 5,
    kind: 'checkpoint',
    maxParallelism: 128,
    operators: [{ uid: 'ä', kind: 'map', parallelism: 1 }],
    subtasks: [],
    enumerators: { source: { seen: ['a'] } },
  };

  test('comes back, and a single flipped byte is found', () => {
    const written = encodeManifest(manifest, crc32);
    expect(decodeManifest(written, 'm', crc32)).toEqual(manifest);
    for (let i = 0; i < written.length; i++) {
      const torn = written.slice();
      torn[i]! ^= 1;
      expect(() => decodeManifest(torn, 'm', crc32)).toThrow();
    }
    expect(() => decodeManifest(written.subarray(0, written.length - 5), 'm', crc32)).toThrow(
      expect.objectContaining({ code: 'checkpoint/corrupt' }),
    );
  });

  test('of a newer version is refused with both versions', () => {
    const newer = encodeManifest({ ...manifest, version: 9 }, crc32);
    expect(() => decodeManifest(newer, 'm', crc32)).toThrow(/version 9; this is 1/);
  });

  test('the checksum is that of zlib', () => {
    const content = bytes('The quick brown fox jumps over the lazy dog');
    expect(crc32(content)).toBe(0x414fa339);
    expect(crc32(content)).toBe(nativeCrc32(content));
    expect(crc32(content.subarray(5), crc32(content.subarray(0, 5)))).toBe(nativeCrc32(content));
  });
});
