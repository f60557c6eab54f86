import { MillraceError } from '../errors/millraceError.ts';
import { toNonNegativeMilliseconds } from './duration.ts';
import { isTimestamp, MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';
import type { EventTime, WatermarkGenerator } from './watermark.ts';

/**
 * The watermark generator of one split, as its event time asks for: the largest timestamp − `outOfOrder` − 1 ms, or what the
 * elements themselves carry. The 1 ms is there because an element as old as the largest so far may still come.
 *
 * @throws MillraceError `duration/invalid` for a negative `outOfOrder`, `watermark/invalid` for one beside `punctuated`.
 *
 * @example
 * const watermark = createWatermarkGenerator({ timestamp: (e: { at: number }) => e.at, outOfOrder: { milliseconds: 10 } });
 * watermark.onMaxTimestamp(12_345);
 * watermark.current(); // 12334
 */
export function createWatermarkGenerator<T>(eventTime: EventTime<T>): WatermarkGenerator<T> {
  const { punctuated, outOfOrder } = eventTime;
  if (punctuated === undefined)
    return new BoundedOutOfOrderness(outOfOrder === undefined ? 0 : toNonNegativeMilliseconds(outOfOrder, 'outOfOrder'));
  if (outOfOrder === undefined) return new Punctuated(punctuated);
  throw new MillraceError('watermark/invalid', 'The event time has both outOfOrder and punctuated.', {
    remedy: 'Leave outOfOrder out: the watermarks come from the elements.',
  });
}

class BoundedOutOfOrderness implements WatermarkGenerator<unknown> {
  private readonly lag: number;
  private watermark: Timestamp = MIN_TIMESTAMP;

  constructor(bound: number) {
    this.lag = bound + 1;
  }
  onMaxTimestamp(timestamp: Timestamp): void {
    const at = timestamp - this.lag;
    if (at > this.watermark) this.watermark = at;
  }
  current(): Timestamp {
    return this.watermark;
  }
  snapshot(): Timestamp {
    return this.watermark;
  }
  restore(state: Timestamp): void {
    this.watermark = state;
  }
}

class Punctuated<in T> implements WatermarkGenerator<T> {
  private readonly read: (value: T, timestamp: Timestamp) => Timestamp | undefined;
  private watermark: Timestamp = MIN_TIMESTAMP;

  constructor(read: (value: T, timestamp: Timestamp) => Timestamp | undefined) {
    this.read = read;
  }
  onMaxTimestamp(): void {}
  onElement(value: T, timestamp: Timestamp): boolean {
    const at = this.read(value, timestamp);
    if (at === undefined) return false;
    if (!isTimestamp(at)) {
      throw new MillraceError('watermark/invalid', `An element carries the watermark ${String(at)}, which is no integer in ms.`, {
        remedy: 'Let punctuated return an integer, or undefined where an element carries no watermark.',
      });
    }
    if (at <= this.watermark) return false;
    this.watermark = at;
    return true;
  }
  current(): Timestamp {
    return this.watermark;
  }
  snapshot(): Timestamp {
    return this.watermark;
  }
  restore(state: Timestamp): void {
    this.watermark = state;
  }
}
