import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../src/checkpoint/checksum.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../src/checkpoint/manifest.ts';
import { directory } from '../../src/node.ts';
import { recordingLogger } from '../recordingLogger.ts';
import { goOn, type Item, startTally } from './tally.ts';

const ITEMS: readonly Item[] = [
  { key: 'a', n: 3 },
  { key: 'b', n: 8 },
  { key: 'a', n: 4 },
];
const MORE: readonly Item[] = [...ITEMS, { key: 'a', n: 1 }, { key: 'b', n: 2 }];

let template: string;
let folder: string;
beforeAll(async () => {
  template = mkdtempSync(join(tmpdir(), 'millrace-template-'));
  const job = await startTally(ITEMS, { checkpoint: { storage: directory(template), retain: 5 } });
  await job.checkpoint();
  await job.stop();
});
afterAll(() => rmSync(template, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bad-'));
  cpSync(template, folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const manifests = (): string[] =>
  readdirSync(join(folder, 'manifests'))
    .sort()
    .map((name) => join(folder, 'manifests', name));
const read = (path: string): Manifest => decodeManifest(readFileSync(path), path, crc32);
/** The objects that a checkpoint has and none before it. */
function ownObjects(path: string): string[] {
  const [epoch, checkpoint] = /(\d+)-(\d+)\.json$/.exec(path)!.slice(1);
  return readdirSync(join(folder, 'state'))
    .filter((name) => name.startsWith(`${epoch}-${checkpoint}-`))
    .map((name) => join(folder, 'state', name));
}
async function expectGoesOn(): Promise<void> {
  const said = await goOn(MORE, directory(folder));
  expect(said).toContain('a: 4 [3,4,1] {odd,1;even,4} 4 2.6666666666666665 1');
  expect(said).toContain('b in all: 2 10');
}

describe('damage', () => {
  const damages: readonly (readonly [string, (newest: string) => void])[] = [
    ['a manifest with a flipped bit', (newest) => flip(newest, 40)],
    ['a manifest that is cut off', (newest) => truncateSync(newest, 100)],
    ['an empty manifest', (newest) => truncateSync(newest, 0)],
    ['a state file that is cut off', (newest) => truncateSync(ownObjects(newest)[0]!, 10)],
    ['a state file with a flipped bit', (newest) => flip(ownObjects(newest)[0]!, 5)],
    ['a state file that is gone', (newest) => rmSync(ownObjects(newest)[0]!)],
  ];

  test.each(damages)('%s: the checkpoint before is taken, which is said', async (_what, damage) => {
    const [before, newest] = manifests().slice(-2) as [string, string];
    damage(newest);
    const logger = recordingLogger();
    const said = await goOn(MORE, directory(folder), { logger });
    expect(said).toContain('a: 4 [3,4,1] {odd,1;even,4} 4 2.6666666666666665 1');
    expect(logger.of('warn')[0]).toMatch(/\[checkpoint\/corrupt] .*(passed over|The one before it is tried)\.$/);
    expect(logger.of('info').join()).toContain(`goes on from checkpoint ${read(before).checkpoint}.`);
  });

  test.each(damages)('%s, and no other: the job does not begin anew in silence', async (_what, damage) => {
    const [newest, ...others] = manifests().reverse();
    for (const other of others) rmSync(other);
    damage(newest!);
    await expect(goOn(MORE, directory(folder))).rejects.toMatchObject({
      code: 'checkpoint/corrupt',
      message: expect.stringContaining(folder),
    });
  });
});

describe('what is whole and does not fit', () => {
  test('a checkpoint of a newer version is not passed over', async () => {
    const newest = manifests().at(-1)!;
    const whole = readFileSync(newest);
    writeFileSync(newest, encodeManifest({ ...read(newest), version: 99 }, crc32));
    await expect(goOn(MORE, directory(folder))).rejects.toMatchObject({
      code: 'checkpoint/version',
      message: expect.stringMatching(/version 99; this is 1/),
    });
    writeFileSync(newest, whole);
    await expectGoesOn();
  });

  test('a checkpoint of another job, with the same uids', async () => {
    const error = { code: 'checkpoint/unmatched', message: expect.stringMatching(/those of the job "tally"; this one is "other"/) };
    await expect(goOn(MORE, directory(folder), {}, 'other')).rejects.toMatchObject(error);
    await expectGoesOn();
  });
});

describe('places that cannot be written', () => {
  test.each(['file', join('file', 'below')])('%s', async (name) => {
    writeFileSync(join(folder, 'file'), '');
    const error = { code: 'checkpoint/storage', message: expect.stringContaining(join(folder, name)) };
    await expect(startTally([], { checkpoint: { storage: directory(join(folder, name)) } })).rejects.toMatchObject(error);
  });

  const proc = process.platform === 'linux' ? test : test.skip;
  proc('a file system that takes no files', async () => {
    await expect(startTally([], { checkpoint: { storage: directory('/proc/millrace/below') } })).rejects.toMatchObject({
      code: 'checkpoint/storage',
    });
  });

  test('a full disk: the job goes on, and the checkpoint before can be gone on from', async (context) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      return context.skip('No file system may be mounted here.');
    }
    try {
      const storage = directory(join(disk, 'c'));
      const job = await startTally(ITEMS, { checkpoint: { storage } });
      await job.checkpoint();
      fill(join(disk, 'filler'));
      await expect(job.checkpoint()).rejects.toMatchObject({ code: 'checkpoint/storage', message: expect.stringMatching(/ENOSPC/) });
      expect(job.status).toBe('running');
      expect(job.checkpoints()).toMatchObject({ completed: 1, failed: 1, lastFailure: { reason: expect.stringMatching(/ENOSPC/) } });
      await job.cancel();
      rmSync(join(disk, 'filler'));
      expect(await goOn(MORE, storage)).toContain('b in all: 2 10');
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

/** Writes until there is no room. */
function fill(path: string): void {
  for (let size = 2 ** 16; size >= 1; size /= 2) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Smaller pieces still fit.
    }
  }
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}
