import type { Plan } from '../../src/graph/plan.ts';
import type { FinishedRegions } from '../../src/runtime/finishedRegions.ts';
import { LocalHost } from '../../src/runtime/localHost.ts';
import { RegionLedger } from '../../src/runtime/regionLedger.ts';
import type { Task } from '../../src/runtime/task.ts';
import { MergedCursor, type RecordCursor } from '../../src/state/recordCursor.ts';
import { RecordSorter } from '../../src/state/recordSorter.ts';
import { type Mutant, mutant } from './mutant.ts';

interface LedgerInside {
  readonly plan: { readonly chains: readonly { readonly parallelism: number }[] };
  readonly over: ReadonlyMap<number, ReadonlyMap<number, unknown>>;
  readonly before: { readonly chains: readonly number[] } | undefined;
}

const inside = (self: RegionLedger): LedgerInside => self as unknown as LedgerInside;
const read = new WeakSet<RecordSorter>();

/** Faults of batch jobs that go on behind a blocking exchange. */
export const batchMutants: readonly Mutant[] = [
  mutant('results-twice', 'what a partition holds is read twice after a failure', RecordSorter, 'read', (original) => {
    return (self, input: number): RecordCursor => {
      const once: RecordCursor = original(self, input);
      if (!read.has(self)) {
        read.add(self);
        return once;
      }
      return new MergedCursor([once, original(self, input)]);
    };
  }),
  mutant('results-once', 'what was read of a partition before a failure is gone', RecordSorter, 'read', (original) => {
    return (self, input: number) => {
      (self as unknown as { isKept: boolean }).isKept = false;
      return original(self, input);
    };
  }),
  mutant('commit-with-region', 'a sink makes visible what it holds when its task is over', LocalHost, 'onDrained', (original) => {
    return (self, task: Task) => {
      const { mode } = (self as unknown as { readonly parts: { readonly plan: Plan } }).parts.plan;
      return mode === 'batch' && task.commits ? task.finish() : original(self, task);
    };
  }),
  mutant('forget-sealed', 'what a sink holds that has made nothing visible is forgotten', RegionLedger, 'isOver', () => {
    return (self, region: readonly number[]) => {
      const { plan, over, before } = inside(self);
      return region.every((id) => before?.chains.includes(id) === true || over.get(id)?.size === plan.chains[id]!.parallelism);
    };
  }),
  mutant(
    'run-producers-again',
    "a finished region's results are taken though its producer runs again",
    RegionLedger,
    'leave',
    (original) => {
      return async (self): Promise<FinishedRegions> => ({ ...(await (original(self) as Promise<FinishedRegions>)), chains: [] });
    },
  ),
];
