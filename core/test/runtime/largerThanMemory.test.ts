import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const script = fileURLToPath(new URL('./fixtures/manyRecords.ts', import.meta.url));

/** In `npm run test:long` twenty million; else fewer, in a heap that they do not fit into either. */
const [records, megabytes] = process.env['MILLRACE_LONG'] === undefined ? [1_000_000, 64] : [20_000_000, 256];

interface Report {
  readonly records: number;
  readonly results: number;
}

function run(task: string): Report {
  const args = [`--max-old-space-size=${megabytes}`, '--conditions=@millrace/source', '--import', 'tsx', script, task, String(records)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr.slice(-2_000)).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe(`${records} records in batch mode with a heap of ${megabytes} MB give what was computed beside`, { timeout: 1_800_000 }, () => {
  test('grouped', () => {
    const { results } = run('group');
    expect(results).toBeGreaterThan(records / 4);
  });

  test('sorted', () => {
    expect(run('sort').results).toBe(records);
  });

  test('joined, with those that have no partner', () => {
    expect(run('join').results).toBeGreaterThan(records / 2);
  });
});
