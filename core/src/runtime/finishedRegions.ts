import { chainsBefore } from '../graph/regions.ts';
import type { Plan } from '../graph/plan.ts';
import type { Workspace } from '../state/spill.ts';
import type { OperatorReport } from './metrics.ts';
import type { Partition } from './partition.ts';

/** What an attempt leaves to the next one: the regions that have come to their ends, and their results. */
export interface FinishedRegions {
  /** By id. Their tasks do not run again. */
  readonly chains: ReadonlySet<number>;
  /** What they sent to those that run again, by name. */
  readonly partitions: ReadonlyMap<string, Partition>;
  /** That the results share. */
  readonly workspace: Workspace;
  /** What their operators did. */
  readonly reports: readonly OperatorReport[];
}

/**
 * The chains of the regions that need not run again when a job fails: they are over, and so is whatever they take from. A region whose
 * producers run again runs again too, since it would get from them what it has had already.
 */
export function finishedChains(
  plan: Plan,
  regions: readonly (readonly number[])[],
  isOver: (chain: number) => boolean,
): ReadonlySet<number> {
  const finished = new Set<number>();
  // Regions are few: again and again, until nothing is added.
  for (let before = -1; before < finished.size;) {
    before = finished.size;
    for (const region of regions) {
      if (!region.every(isOver) || ![...chainsBefore(plan, region)].every((chain) => finished.has(chain))) continue;
      for (const chain of region) finished.add(chain);
    }
  }
  return finished;
}

/** There will be no next attempt. */
export function dropResults(finished: FinishedRegions | undefined): void {
  for (const partition of finished?.partitions.values() ?? []) partition.dispose();
}
