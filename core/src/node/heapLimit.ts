import { getHeapStatistics } from 'node:v8';
import { resourceLimits } from 'node:worker_threads';

const OPTION = /^--max[-_]old[-_]space[-_]size=(\d+)$/;

/**
 * How many bytes this thread's objects may take. What the engine reports as its limit counts the young generation too, which is up to
 * three times as large as a small limit, and holds nothing for long: where a limit was set, for the process or the thread, it is that.
 */
export function heapLimit(): number {
  const { maxOldGenerationSizeMb = Infinity } = resourceLimits;
  return Math.min(getHeapStatistics().heap_size_limit, Math.min(maxOldGenerationSizeMb, megabytesSet()) * 1_048_576);
}

/** The last one counts, and the command line more than the environment. */
function megabytesSet(): number {
  const options = [...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/), ...process.execArgv];
  const set = options.flatMap((option) => OPTION.exec(option)?.[1] ?? []).map(Number);
  return set.at(-1) ?? Infinity;
}
