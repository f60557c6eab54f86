import type { FoundMatch } from './executor.ts';
import { pathOf, type Run } from './run.ts';

/** What a run has taken. */
export function foundMatch(run: Run): FoundMatch {
  const path = pathOf(run);
  return { events: path.map(({ event }) => event), steps: path.map(({ step }) => step), start: path[0]!.time, end: path.at(-1)!.time };
}
