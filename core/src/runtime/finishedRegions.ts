import type { StoredRecords } from '../state/recordSorter.ts';
import type { OperatorReport } from './metrics.ts';
import type { Partition } from './partition.ts';

/** Everything that went through a blocking exchange to one subtask: in the memory of this process, or in files that outlive it. */
export type Result = Partition | StoredRecords;

/** What an attempt leaves to the next one: the regions that have come to their ends, and their results. Plain data, where results are in files. */
export interface FinishedRegions {
  /** By id. Their tasks do not run again. */
  readonly chains: readonly number[];
  /** What they sent to those that run again, by the names of the partitions. */
  readonly results: Readonly<Record<string, Result>>;
  /** What their operators did. */
  readonly reports: readonly OperatorReport[];
}
