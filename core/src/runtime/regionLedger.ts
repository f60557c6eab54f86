import type { Plan } from '../graph/plan.ts';
import { chainsBefore, regionsOf } from '../graph/regions.ts';
import type { StoredRecords } from '../state/recordSorter.ts';
import type { FinishedRegions, Result } from './finishedRegions.ts';
import type { OperatorReport } from './metrics.ts';
import { Partition } from './partition.ts';
import { partitionsOf } from './wiring.ts';

/** Results in files, as the job sees them whose hosts write them. */
export interface ResultStore {
  /** Whether all of it is there, as it was written. */
  isWhole(records: StoredRecords): Promise<boolean>;
  drop(records: StoredRecords): void;
  /** Drops all else: also what nobody could tell any more. */
  retain(records: readonly StoredRecords[]): Promise<void>;
}

/**
 * What of an attempt need not be done again should it fail: which subtasks have come to their ends, and what went through blocking exchanges as
 * a whole. It owns the results, those of an attempt before included.
 */
export class RegionLedger {
  private readonly plan: Plan;
  private readonly store: ResultStore | undefined;
  private readonly regions: readonly (readonly number[])[];
  private readonly exchanges: ReturnType<typeof partitionsOf>;
  /** The subtasks of each chain that are over, with what they did. */
  private readonly over = new Map<number, Map<number, readonly OperatorReport[]>>();
  private readonly before: FinishedRegions | undefined;
  private readonly results: Map<string, Result>;
  private isClosed = false;

  constructor(plan: Plan, before: FinishedRegions | undefined, store: ResultStore | undefined) {
    this.plan = plan;
    this.store = store;
    this.before = before;
    this.regions = regionsOf(plan);
    this.exchanges = partitionsOf(plan);
    this.results = new Map(Object.entries(before?.results ?? {}));
  }

  /** A subtask has processed everything and passed it on. */
  onOver(chain: number, subtask: number, reports: readonly OperatorReport[]): void {
    if (this.isClosed) return;
    const subtasks = this.over.get(chain) ?? new Map<number, readonly OperatorReport[]>();
    this.over.set(chain, subtasks.set(subtask, reports));
    this.dropInputs();
  }

  /** All that goes to a partition is there. */
  onResult(name: string, result: Result): void {
    if (this.isClosed) return this.drop(result);
    this.results.set(name, result);
    this.dropInputs();
  }

  /** What the next attempt goes on with: it owns that. All else is dropped. */
  async leave(): Promise<FinishedRegions> {
    this.isClosed = true;
    await this.dropDamaged();
    const chains = this.finishedChains();
    const left = this.neededFrom(chains);
    const results = Object.fromEntries([...this.results].filter(([name]) => left.has(name)));
    for (const name of left) this.results.delete(name);
    this.dropAll();
    await this.store?.retain(Object.values(results).filter((result): result is StoredRecords => !(result instanceof Partition)));
    return { chains: [...chains], results, reports: this.reportsOf(chains) };
  }

  /** There is no next attempt. */
  dropAll(): void {
    this.isClosed = true;
    for (const name of this.results.keys()) this.remove(name);
  }

  /**
   * The chains of the regions that need not run again: they are over, what they sent to those that do is there, and so it is with whatever they
   * take from, since a region whose producers run again would get from them what it has had already. Sinks have made nothing visible before the
   * end of the job: their regions run again.
   */
  private finishedChains(): ReadonlySet<number> {
    const finished = new Set(this.regions.filter((region) => this.isOver(region)).flat());
    // Regions are few: again and again, until none is taken away.
    for (let before = -1; before !== finished.size;) {
      before = finished.size;
      for (const region of this.regions) {
        const hasInputs = [...chainsBefore(this.plan, region)].every((chain) => finished.has(chain));
        if (!hasInputs || !this.isKept(region, finished)) for (const chain of region) finished.delete(chain);
      }
    }
    return finished;
  }

  private isOver(region: readonly number[]): boolean {
    return region.every((id) => {
      const { nodes, parallelism } = this.plan.chains[id]!;
      if (nodes.some((node) => this.plan.graph.nodes[node]!.kind === 'sink')) return false;
      return this.before?.chains.includes(id) === true || this.over.get(id)?.size === parallelism;
    });
  }

  /** Whether what a region sent is there, as far as it is needed. */
  private isKept(region: readonly number[], finished: ReadonlySet<number>): boolean {
    return this.exchanges.every(({ name, from, to }) => !region.includes(from) || finished.has(to) || this.results.has(name));
  }

  /** The partitions that lead from finished chains to others. */
  private neededFrom(finished: ReadonlySet<number>): Set<string> {
    return new Set(this.exchanges.filter(({ from, to }) => finished.has(from) && !finished.has(to)).map(({ name }) => name));
  }

  private reportsOf(finished: ReadonlySet<number>): readonly OperatorReport[] {
    const uids = new Set([...finished].flatMap((id) => this.plan.chains[id]!.nodes).map((node) => this.plan.graph.nodes[node]!.uid));
    const mine = [...finished].flatMap((chain) => [...(this.over.get(chain)?.values() ?? [])].flat());
    return [...(this.before?.reports.filter(({ uid }) => uids.has(uid)) ?? []), ...mine];
  }

  /** What went to a region that is over and whose own results are there is needed no more. */
  private dropInputs(): void {
    const finished = new Set<number>();
    for (const region of this.regions) {
      if (!this.isOver(region) || !this.isKept(region, finished)) continue;
      for (const { name, to } of this.exchanges) if (region.includes(to)) this.remove(name);
    }
  }

  private async dropDamaged(): Promise<void> {
    const looked = new Set<string>();
    // Without what is lost others are needed.
    for (;;) {
      const name = [...this.neededFrom(this.finishedChains())].find((needed) => !looked.has(needed));
      if (name === undefined) return;
      looked.add(name);
      const result = this.results.get(name)!;
      if (!(result instanceof Partition) && (await this.store?.isWhole(result)) !== true) this.remove(name);
    }
  }

  private remove(name: string): void {
    const result = this.results.get(name);
    this.results.delete(name);
    if (result !== undefined) this.drop(result);
  }

  private drop(result: Result): void {
    if (result instanceof Partition) result.dispose();
    else this.store?.drop(result);
  }
}
