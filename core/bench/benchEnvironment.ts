import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StreamEnvironment } from '../src/index.ts';

/** `npm run bench -- core --checkpointed`: every job takes a checkpoint each second, in a directory. */
export const isCheckpointed: boolean = process.env['MILLRACE_BENCH_CHECKPOINTED'] === '1';

// Not loaded where it is not asked for: what is in memory is what collections of garbage go through.
const node = isCheckpointed ? await import('../src/node.ts') : undefined;
let root: string | undefined;
let jobs = 0;

/** Where a benchmark's job is built. */
export function benchEnvironment(): StreamEnvironment {
  if (node === undefined) return new StreamEnvironment();
  root ??= temporary();
  return new StreamEnvironment({ checkpoint: { storage: node.directory(join(root, `${jobs++}`)), every: { seconds: 1 } } });
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
