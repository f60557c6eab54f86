import type { Alignment } from '../time/assigner.ts';
import { addSaturating, MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { TimeWindow } from '../time/window.ts';

/**
 * Aligned windows cut time where one of them starts or ends; what lies between two cuts is a slice, and every window is a run of whole
 * slices. There are at most two slices per `slide`, however odd the size. Slices and windows are numbered, the ones that start at
 * `offset` being 0; numbers, unlike times, do not end at the end of time.
 */
export class Slicing {
  /** How many slices a window has. */
  readonly slices: number;
  private readonly size: number;
  private readonly slide: number;
  private readonly offset: number;
  /** How many slices there are per slide: 1 or 2. */
  private readonly perSlide: number;
  /** How long after a window's start another one ends, or a gap begins; 0 where ends fall on starts. */
  private readonly rest: number;

  constructor({ size, slide, offset }: Alignment) {
    this.size = size;
    this.slide = slide;
    this.offset = offset;
    this.rest = size % slide;
    this.perSlide = this.rest === 0 ? 1 : 2;
    this.slices = this.rest === 0 ? size / slide : 2 * Math.floor(size / slide) + 1;
  }

  /** The slice that holds a time. */
  sliceAt(time: Timestamp): number {
    const whole = Math.floor((time - this.offset) / this.slide);
    if (this.rest === 0) return whole;
    return 2 * whole + (time - this.offset - whole * this.slide >= this.rest ? 1 : 0);
  }

  startOf(slice: number): Timestamp {
    if (this.rest === 0) return slice * this.slide + this.offset;
    const whole = Math.floor(slice / 2);
    return whole * this.slide + this.offset + (slice - 2 * whole) * this.rest;
  }

  /** Whether a slice lies between windows, which it does only where they are further apart than they are long. */
  isGap(slice: number): boolean {
    return this.size < this.slide && slice % 2 !== 0;
  }

  /** The first and the last slice of a window. */
  firstSlice(window: number): number {
    return window * this.perSlide;
  }

  lastSlice(window: number): number {
    return window * this.perSlide + this.slices - 1;
  }

  /** The first and the last window that a slice is part of. */
  firstWindow(slice: number): number {
    return Math.ceil((slice - this.slices + 1) / this.perSlide);
  }

  lastWindow(slice: number): number {
    return Math.floor(slice / this.perSlide);
  }

  /** The last window that is over at a watermark. */
  closedAt(watermark: Timestamp): number {
    if (watermark === MIN_TIMESTAMP) return -Infinity;
    if (watermark === MAX_TIMESTAMP) return Infinity;
    return Math.floor((watermark + 1 - this.size - this.offset) / this.slide);
  }

  windowAt(window: number): TimeWindow {
    const start = window * this.slide + this.offset;
    return { start: addSaturating(start, 0), end: addSaturating(start, this.size) };
  }
}
