import { type CombinedWatermark, CombinedWatermarkState } from './combinedWatermark.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';

/** What a channel is: heard, silent for the moment, or over. */
export type ChannelStatus = 'active' | 'idle' | 'ended';

/** The state of a {@link WatermarkValve}: plain data. */
export interface WatermarkValveSnapshot {
  readonly watermark: Timestamp;
  readonly channels: readonly { readonly watermark: Timestamp; readonly status: ChannelStatus }[];
}

const ACTIVE = 0;
const IDLE = 1;
const ENDED = 2;
const STATUSES = ['active', 'idle', 'ended'] as const;

/**
 * The watermark of a task: the smallest of its input channels'.
 *
 * - Idle channels do not count and their watermarks are dropped. When the last active one goes idle, the largest watermark of
 *   all is given out, so that the result does not depend on which went first; then the task is idle.
 * - A channel that resumes counts again when it has caught up with what was given out.
 * - A channel that has ended is as one that went idle for good. The end of time is given out only when all have ended.
 *
 * Calls return whether there is something to emit; {@link output} says what. Nothing is allocated.
 *
 * @example
 * const valve = new WatermarkValve(2);
 * valve.advance(0, 25); // false
 * valve.advance(1, 10); // true: valve.output.watermark is 10
 */
export class WatermarkValve {
  private readonly given = new CombinedWatermarkState();
  /** What the last call gave out. The object stays the same. */
  readonly output: CombinedWatermark = this.given;
  private readonly watermarks: Float64Array;
  private readonly statuses: Uint8Array;
  /** The smallest watermark of the channels that count; infinite when none does. */
  private minimum: Timestamp = MIN_TIMESTAMP;
  private active: number;
  private ended = 0;

  /** `channels`: how many there are, at least one; they are numbered from 0. */
  constructor(channels: number) {
    this.watermarks = new Float64Array(channels).fill(MIN_TIMESTAMP);
    this.statuses = new Uint8Array(channels);
    this.active = channels;
  }

  /** A channel's watermark. One that goes back is ignored; `MAX_TIMESTAMP` is the channel's end. */
  advance(channel: number, at: Timestamp): boolean {
    if (at >= MAX_TIMESTAMP) return this.end(channel);
    const before = this.watermarks[channel] as number;
    if (this.statuses[channel] !== ACTIVE || at <= before) return this.given.keep();
    this.watermarks[channel] = at;
    const { watermark } = this.given;
    // A channel that resumed may have raised the minimum: that is given out with the next watermark, whosever it is.
    const due = this.minimum > watermark && this.minimum !== Infinity;
    // A channel that counted, but not as the slowest, changes nothing; one that has not caught up does not count.
    if (!due && (at < watermark || before > this.minimum)) return this.given.keep();
    return this.settle();
  }

  /** A channel's status. Its watermark stays what it was. */
  setIdle(channel: number, idle: boolean): boolean {
    if (this.statuses[channel] !== (idle ? ACTIVE : IDLE)) return this.given.keep();
    if (idle) {
      this.statuses[channel] = IDLE;
      this.active--;
      return this.settle();
    }
    this.statuses[channel] = ACTIVE;
    this.active++;
    this.minimum = this.smallest();
    return this.given.give(MIN_TIMESTAMP, false);
  }

  /** A channel's end: nothing comes from it any more. */
  end(channel: number): boolean {
    const before = this.statuses[channel];
    if (before === ENDED) return this.given.keep();
    this.statuses[channel] = ENDED;
    this.ended++;
    if (before === ACTIVE) this.active--;
    return this.settle();
  }

  snapshot(): WatermarkValveSnapshot {
    const channels = Array.from(this.watermarks, (watermark, channel) => ({
      watermark,
      status: STATUSES[this.statuses[channel] as 0 | 1 | 2],
    }));
    return { watermark: this.given.watermark, channels };
  }

  /**
   * Goes on from a snapshot. One of another number of channels cannot say which is which: all are then taken to be active and at
   * the watermark that was given out.
   */
  restore({ watermark, channels }: WatermarkValveSnapshot): void {
    const same = channels.length === this.watermarks.length;
    this.statuses.fill(ACTIVE);
    this.watermarks.fill(watermark);
    if (same) {
      for (const [channel, state] of channels.entries()) {
        this.watermarks[channel] = state.watermark;
        this.statuses[channel] = STATUSES.indexOf(state.status);
      }
    }
    this.active = this.statuses.reduce((count, status) => count + (status === ACTIVE ? 1 : 0), 0);
    this.ended = this.statuses.reduce((count, status) => count + (status === ENDED ? 1 : 0), 0);
    this.given.restore(watermark, this.active === 0 && this.ended < this.statuses.length);
    this.minimum = this.smallest();
  }

  private settle(): boolean {
    if (this.ended === this.statuses.length) return this.given.give(MAX_TIMESTAMP, false);
    if (this.active === 0) return this.given.give(this.largest(), true);
    this.minimum = this.smallest();
    return this.given.give(this.minimum === Infinity ? MIN_TIMESTAMP : this.minimum, false);
  }

  private smallest(): Timestamp {
    let smallest = Infinity;
    for (let channel = 0; channel < this.watermarks.length; channel++) {
      const at = this.watermarks[channel] as number;
      if (this.statuses[channel] === ACTIVE && at >= this.given.watermark && at < smallest) smallest = at;
    }
    return smallest;
  }

  private largest(): Timestamp {
    let largest = MIN_TIMESTAMP;
    for (const at of this.watermarks) if (at > largest) largest = at;
    return largest;
  }
}
