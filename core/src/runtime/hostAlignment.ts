import type { Clock } from '../time/clock.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { AlignmentGroups } from '../time/watermarkAlignment.ts';

/** How a host's members of an alignment group stand. Plain data. */
export interface AlignmentReport {
  readonly group: string;
  /** The smallest watermark of the active ones; infinite when there are none. */
  readonly minimum: Timestamp;
  /** How often splits were dealt out to the group's sources here, up to now: what was dealt out later is not in the minimum. */
  readonly dealt: number;
}

/** A host tells how its groups stand at most this often, in ms. */
export const ALIGNED_EVERY = 20;

/** The alignment groups of one host, where they have members on others too: tells the job how they stand here. */
export class HostAlignment {
  private readonly groups: AlignmentGroups;
  private readonly clock: Clock;
  private readonly tell: (report: AlignmentReport) => void;
  /** By shared group. */
  private readonly dealt = new Map<string, number>();
  private readonly moved = new Set<string>();
  private toldAt = -Infinity;
  private cancel: (() => void) | undefined;

  constructor(groups: AlignmentGroups, clock: Clock, shared: readonly string[], tell: (report: AlignmentReport) => void) {
    this.groups = groups;
    this.clock = clock;
    this.tell = tell;
    for (const group of shared) {
      this.dealt.set(group, 0);
      groups.share(group, () => this.onMoved(group));
    }
  }

  /** Splits were dealt out to a source here. */
  onDealt(group: string): void {
    const dealt = this.dealt.get(group);
    if (dealt === undefined) return;
    this.dealt.set(group, dealt + 1);
    this.onMoved(group);
  }

  close(): void {
    this.cancel?.();
  }

  private onMoved(group: string): void {
    this.moved.add(group);
    this.cancel ??= this.clock.schedule(Math.max(this.clock.now(), this.toldAt + ALIGNED_EVERY), () => this.report());
  }

  private report(): void {
    this.cancel = undefined;
    this.toldAt = this.clock.now();
    for (const group of this.moved) this.tell({ group, minimum: this.groups.minimumOf(group), dealt: this.dealt.get(group)! });
    this.moved.clear();
  }
}
