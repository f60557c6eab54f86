import type { FoundMatch } from './executor.ts';
import type { Run } from './run.ts';

/** What a run has taken. */
export function foundMatch(last: Run): FoundMatch {
  let found: FoundMatch | undefined;
  for (let run: Run | undefined = last; run !== undefined; run = run.parent) if (run.step >= 0) found = { taken: run, next: found };
  return found!;
}
