import { MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { AlignmentReport } from './hostAlignment.ts';
import type { SplitTarget, TaskHost } from './taskHost.ts';

/** A host's part in a group. */
interface Part {
  readonly host: TaskHost;
  /** As it was reported last; a host whose first report is still to come holds everybody if it goes on with splits. */
  minimum: Timestamp;
  /** How often splits were dealt out to it, and up to which time that is in the minimum. */
  dealt: number;
  reported: number;
  /** What it was told of the others. */
  told: Timestamp;
}

/**
 * Source alignment across the hosts of a job: gathers where the groups stand on each, and tells each where the others do. What is dealt
 * out to a host holds the others back from that moment on, since the host has not reported what came of it.
 */
export class JobAlignment {
  private readonly groupOf: (node: number) => string | undefined;
  private readonly groups = new Map<string, ReadonlyMap<TaskHost, Part>>();
  private readonly hosts: readonly TaskHost[];

  /** `groupOf` says which group a source is in. The hosts are open, and nothing flows. */
  constructor(hosts: readonly TaskHost[], groupOf: (node: number) => string | undefined) {
    this.hosts = hosts;
    this.groupOf = groupOf;
    const all = new Map<string, Map<TaskHost, Part>>();
    for (const host of hosts) {
      for (const source of host.sources) {
        const group = groupOf(source.node);
        if (group === undefined) continue;
        const parts = all.get(group) ?? new Map<TaskHost, Part>();
        all.set(group, parts);
        const part = parts.get(host) ?? { host, minimum: Infinity, dealt: 0, reported: 0, told: MIN_TIMESTAMP };
        parts.set(host, part);
        if (source.openSplits().length > 0) part.minimum = MIN_TIMESTAMP;
      }
    }
    for (const [group, parts] of all) if (parts.size > 1) this.groups.set(group, parts);
  }

  /** Begins. Before anything flows. */
  start(): void {
    for (const host of this.hosts) {
      const shared = [...this.groups].filter(([, parts]) => parts.has(host)).map(([group]) => group);
      if (shared.length > 0) host.shareAlignment(shared, (report) => this.onReport(host, report));
    }
    for (const group of this.groups.keys()) this.update(group);
  }

  /** The same target, which tells of what is dealt out to it. */
  watch(target: SplitTarget): SplitTarget {
    const group = this.groupOf(target.node);
    const parts = group === undefined ? undefined : this.groups.get(group);
    if (parts === undefined) return target;
    const part = parts.get(this.hosts.find(({ sources }) => sources.includes(target))!)!;
    return {
      node: target.node,
      subtask: target.subtask,
      openSplits: () => target.openSplits(),
      assign: (splits) => {
        part.dealt++;
        this.update(group!);
        target.assign(splits);
      },
      endAssignment: () => target.endAssignment(),
      fail: (error) => target.fail(error),
    };
  }

  private onReport(host: TaskHost, { group, minimum, dealt }: AlignmentReport): void {
    const part = this.groups.get(group)!.get(host)!;
    part.minimum = minimum;
    part.reported = dealt;
    this.update(group);
  }

  private update(group: string): void {
    const parts = [...this.groups.get(group)!.values()];
    const minima = parts.map(({ minimum, dealt, reported }) => (reported < dealt ? MIN_TIMESTAMP : minimum));
    const [least = Infinity, next = Infinity] = minima.toSorted((a, b) => a - b);
    for (const [i, part] of parts.entries()) {
      const others = minima[i] === least ? next : least;
      if (others === part.told) continue;
      part.told = others;
      part.host.align(group, others);
    }
  }
}
