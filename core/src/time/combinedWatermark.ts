import { MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';

/**
 * The one watermark and status of several, and what about them is new since the call before. Emit in this order: the status if
 * it changed to active, the watermark if it advanced, the status if it changed to idle (what follows an idle status is dropped).
 *
 * @example
 * if (valve.advance(channel, at) && valve.output.advanced) emit(valve.output.watermark);
 */
export interface CombinedWatermark {
  /** `MIN_TIMESTAMP` at first. Never goes back. */
  readonly watermark: Timestamp;
  readonly idle: boolean;
  /** Whether the last call moved the watermark. */
  readonly advanced: boolean;
  /** Whether the last call changed `idle`. */
  readonly statusChanged: boolean;
}

/** A {@link CombinedWatermark} as the valve or multiplexer behind it writes it. */
export class CombinedWatermarkState implements CombinedWatermark {
  watermark: Timestamp = MIN_TIMESTAMP;
  idle = false;
  advanced = false;
  statusChanged = false;

  /** Gives out a new state, keeping the larger watermark. True when something is new. */
  give(watermark: Timestamp, idle: boolean): boolean {
    this.advanced = watermark > this.watermark;
    this.statusChanged = idle !== this.idle;
    if (this.advanced) this.watermark = watermark;
    this.idle = idle;
    return this.advanced || this.statusChanged;
  }

  /** Gives out nothing. */
  keep(): false {
    this.advanced = false;
    this.statusChanged = false;
    return false;
  }

  /** Goes on from what was given out before a snapshot. */
  restore(watermark: Timestamp, idle: boolean): void {
    this.watermark = watermark;
    this.idle = idle;
    this.keep();
  }
}
