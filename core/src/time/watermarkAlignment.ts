import { toNonNegativeMilliseconds } from './duration.ts';
import { addSaturating, MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';
import type { WatermarkAlignment } from './watermark.ts';

/**
 * Lets the splits of a job's sources wait for each other, group by group: one that is more than its `maxDrift` ahead of the
 * slowest is not read. Idle splits and those that left hold nobody back. A group that has members elsewhere too is `share`d: somebody
 * says then where those stand.
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
    return this.group(group).join(toNonNegativeMilliseconds(maxDrift, 'maxDrift'), wake);
  }

  /** A group has members elsewhere, which hold everybody until `align` is called. `moved` is called when the minimum of those here has changed. */
  share(group: string, moved: () => void): void {
    const members = this.group(group);
    members.onMoved = moved;
    members.align(MIN_TIMESTAMP);
  }

  /** Where the slowest active member elsewhere stands; infinite when there is none. */
  align(group: string, elsewhere: Timestamp): void {
    this.group(group).align(elsewhere);
  }

  /** The smallest watermark of a group's active members here; infinite when there are none. */
  minimumOf(group: string): Timestamp {
    return this.group(group).own;
  }

  private group(name: string): AlignmentGroup {
    let group = this.groups.get(name);
    if (group === undefined) this.groups.set(name, (group = new AlignmentGroup()));
    return group;
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
  /** The smallest watermark of the active members here; infinite when there are none. */
  own: Timestamp = Infinity;
  /** The same of those elsewhere, and of all. */
  private elsewhere: Timestamp = Infinity;
  minimum: Timestamp = Infinity;
  onMoved: (() => void) | undefined;

  join(drift: number, wake: (() => void) | undefined): AlignmentMember {
    const member = new Member(this, drift, wake);
    this.members.add(member);
    this.set(MIN_TIMESTAMP, this.elsewhere);
    return member;
  }

  align(elsewhere: Timestamp): void {
    this.set(this.own, elsewhere);
  }

  leave(member: Member): void {
    if (this.members.delete(member)) this.update();
  }

  update(): void {
    let own = Infinity;
    for (const { idle, watermark } of this.members) if (!idle && watermark < own) own = watermark;
    this.set(own, this.elsewhere);
  }

  private set(own: Timestamp, elsewhere: Timestamp): void {
    const before = this.minimum;
    const hasMoved = own !== this.own;
    this.own = own;
    this.elsewhere = elsewhere;
    this.minimum = Math.min(own, elsewhere);
    if (this.minimum > before) for (const member of this.members) member.wakeIfFree();
    if (hasMoved) this.onMoved?.();
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
    const moves = least <= this.group.own;
    this.watermark = watermark;
    this.idle = false;
    // Only the slowest here can move the minimum, so that most reports cost nothing however large the group is.
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
