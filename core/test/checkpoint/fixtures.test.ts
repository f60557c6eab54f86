import { cpSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MANIFEST_VERSION } from '../../src/checkpoint/manifest.ts';
import { readSavepoint } from '../../src/index.ts';
import { directory } from '../../src/node.ts';
import { goOn, type Item, startTally } from './tally.ts';

/**
 * A checkpoint location as each version of the format has it, kept for ever. That of a new version is written by
 * `UPDATE_FIXTURES=1 npx vitest run core/test/checkpoint/fixtures.test.ts`; one that is there is never written again.
 */
const fixtures = fileURLToPath(new URL('fixtures', import.meta.url));
const current = join(fixtures, `v${MANIFEST_VERSION}`);

/** There is a checkpoint behind the first half, so that the second holds what has changed since. */
const BEFORE: readonly Item[] = [
  { key: 'a', n: 3 },
  { key: 'b', n: 8 },
  { key: 'ä', n: 4 },
  { key: 'a', n: 4 },
];
const WHOLE: readonly Item[] = [...BEFORE, { key: 'a', n: 1 }, { key: 'b', n: 2 }];

/** No formatter may take a manifest for a file of its own: its bytes have a checksum. */
const KEPT = '.kept';
const manifestsIn = (folder: string): string[] => readdirSync(join(folder, 'manifests')).map((name) => join(folder, 'manifests', name));

if (process.env['UPDATE_FIXTURES'] === '1' && !existsSync(current)) {
  const storage = directory(current);
  const checkpoint = { storage, retain: 10 };
  const job = await startTally(BEFORE, { checkpoint }, (half) => half.checkpoint());
  await job.stop();
  for (const name of readdirSync(current)) if (name.startsWith('lease')) rmSync(join(current, name));
  for (const name of manifestsIn(current)) renameSync(name, `${name}${KEPT}`);
}

test('there is one of this version', () => {
  expect(existsSync(current)).toBe(true);
});

test.each(readdirSync(fixtures))('of %s: it is read, and gone on from', async (version) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-fixture-'));
  try {
    cpSync(join(fixtures, version), folder, { recursive: true });
    for (const name of manifestsIn(folder)) renameSync(name, name.slice(0, -KEPT.length));
    const savepoint = await readSavepoint(directory(folder));
    expect(savepoint).toMatchObject({ job: 'tally', version: Number(version.slice(1)), maxParallelism: 128, passedOver: [] });
    await savepoint.verify();
    expect(savepoint.manifest.subtasks.some(({ changes }) => changes.length > 0)).toBe(true);
    expect(await goOn(WHOLE, directory(folder), { parallelism: 2 })).toEqual([
      'a ends with 1',
      'a in all: 3 8',
      'a in the window: 3',
      'a: 4 [3,4,1] {odd,1;even,4} 4 2.6666666666666665 1',
      'b ends with 2',
      'b in all: 2 10',
      'b in the window: 2',
      'b: 8 [8,2] {even,2} 8 5 2',
      'ä ends with 4',
      'ä in the window: 1',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
