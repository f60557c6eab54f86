import { toNonNegativeMilliseconds } from './duration.ts';
import { addSaturating, MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';
import type { WatermarkAlignment } from './watermark.ts';

/**
 * Lets the splits of a job's sources wait for each other, group by group: one that is more than its `maxDrift` ahead of the
 * slowest is not read. Idle splits and those that left hold nobody back.
 *
 * @example
 * const groups = new AlignmentGroups();
 * const orders = groups.join({ group: 'shop', maxDrift: { minutes: 1 } });
 * orders.report(1_000);
 * orders.mayRead(); // true
 */
export class AlignmentGroups {
  private readonly groups: Map<string, AlignmentGroup> = new Map();

  /**
   * A new member, active and at `MIN_TIMESTAMP`. `wake` is called when a member that was told to wait may go on.
   *
   * @throws MillraceError `duration/invalid` for a negative `maxDrift`.
   */
  join({ group, maxDrift }: WatermarkAlignment, wake?: () => void): AlignmentMember {
    const drift = toNonNegativeMilliseconds(maxDrift, 'maxDrift');
    let members = this.groups.get(group);
    if (members === undefined) this.groups.set(group, (members = new AlignmentGroup()));
    return members.join(drift, wake);
  }
}

/** One split among those that wait for each other. */
export interface AlignmentMember {
  /** The member's watermark; makes it active. */
  report(watermark: Timestamp): void;
  /** An idle member holds nobody back. */
  setIdle(idle: boolean): void;
  /** The member has ended. */
  leave(): void;
  /** False while the member is too far ahead; `wake` then tells when that is over. */
  mayRead(): boolean;
}

class AlignmentGroup {
  private readonly members: Set<Member> = new Set();
  /** The smallest watermark of the active members; infinite when there are none. */
  minimum: Timestamp = Infinity;

  join(drift: number, wake: (() => void) | undefined): AlignmentMember {
    const member = new Member(this, drift, wake);
    this.members.add(member);
    this.minimum = MIN_TIMESTAMP;
    return member;
  }

  leave(member: Member): void {
    if (this.members.delete(member)) this.update();
  }

  update(): void {
    const before = this.minimum;
    let minimum = Infinity;
    for (const { idle, watermark } of this.members) if (!idle && watermark < minimum) minimum = watermark;
    this.minimum = minimum;
    if (minimum > before) for (const member of this.members) member.wakeIfFree();
  }
}

class Member implements AlignmentMember {
  watermark: Timestamp = MIN_TIMESTAMP;
  idle = false;
  private readonly group: AlignmentGroup;
  private readonly drift: number;
  private readonly wake: (() => void) | undefined;
  private waiting = false;

  constructor(group: AlignmentGroup, drift: number, wake: (() => void) | undefined) {
    this.group = group;
    this.drift = drift;
    this.wake = wake;
  }

  report(watermark: Timestamp): void {
    const least = Math.min(this.watermark, watermark);
    const moves = least <= this.group.minimum;
    this.watermark = watermark;
    this.idle = false;
    // Only the slowest can move the minimum, so that most reports cost nothing however large the group is.
    if (moves) this.group.update();
  }

  setIdle(idle: boolean): void {
    if (idle === this.idle) return;
    this.idle = idle;
    this.group.update();
  }

  leave(): void {
    this.group.leave(this);
  }

  mayRead(): boolean {
    this.waiting = this.watermark > addSaturating(this.group.minimum, this.drift);
    return !this.waiting;
  }

  wakeIfFree(): void {
    if (this.waiting && this.mayRead()) this.wake?.();
  }
}
