import { MillraceError } from '../errors/millraceError.ts';
import { type CombinedWatermark, CombinedWatermarkState } from './combinedWatermark.ts';
import { MIN_TIMESTAMP, type Timestamp } from './timestamp.ts';

/** The state of a {@link WatermarkMultiplexer}: plain data. */
export interface WatermarkMultiplexerSnapshot {
  readonly watermark: Timestamp;
  readonly idle: boolean;
  /** The largest watermark of a split that was removed. */
  readonly removed: Timestamp | null;
  readonly splits: readonly { readonly split: string; readonly watermark: Timestamp; readonly idle: boolean }[];
}

interface Split {
  watermark: Timestamp;
  idle: boolean;
}

/**
 * The watermark of a source: the smallest of its splits'. In mode `immediate` each call gives out what it changed; in mode
 * `periodic` that waits for {@link combine}.
 *
 * A split that resumes counts at once. When no split is left that counts (all are idle or were removed) the largest watermark of
 * all is given out and the source is idle. A source that has had no split yet says nothing.
 *
 * Calls return whether there is something to emit; {@link output} says what.
 *
 * @example
 * const splits = new WatermarkMultiplexer('immediate');
 * splits.register('a.csv');
 * splits.advance('a.csv', 42); // true: splits.output.watermark is 42
 */
export class WatermarkMultiplexer {
  private readonly given = new CombinedWatermarkState();
  /** What the last call gave out. The object stays the same. */
  readonly output: CombinedWatermark = this.given;
  private readonly mode: 'immediate' | 'periodic';
  private readonly splits: Map<string, Split> = new Map();
  private removed: Timestamp | null = null;

  constructor(mode: 'immediate' | 'periodic') {
    this.mode = mode;
  }

  /**
   * A new split, active and at `MIN_TIMESTAMP`: it holds the watermark where it is until its first element. Gives nothing out.
   *
   * @throws MillraceError `watermark/invalid` when the split is there already.
   */
  register(split: string): void {
    if (this.splits.has(split)) {
      throw new MillraceError('watermark/invalid', `The split "${split}" is registered twice.`, {
        remedy: 'Give each split a name of its own.',
      });
    }
    this.splits.set(split, { watermark: MIN_TIMESTAMP, idle: false });
  }

  /** A split that has ended or gone elsewhere. Gives nothing out; the next call does. False when there is none of this name. */
  remove(split: string): boolean {
    const gone = this.splits.get(split);
    if (gone === undefined) return false;
    this.removed = Math.max(this.removed ?? MIN_TIMESTAMP, gone.watermark);
    return this.splits.delete(split);
  }

  /** A split's watermark, which makes the split active. One that goes back is ignored. */
  advance(split: string, at: Timestamp): boolean {
    const state = this.find(split);
    state.idle = false;
    if (at > state.watermark) state.watermark = at;
    return this.changed();
  }

  /** A split's status. Its watermark stays what it was. */
  setIdle(split: string, idle: boolean): boolean {
    this.find(split).idle = idle;
    return this.changed();
  }

  /** Joins what the splits have said, in either mode. */
  combine(): boolean {
    if (this.splits.size === 0 && this.removed === null) return this.given.keep();
    let smallest = Infinity;
    let largest = this.removed ?? MIN_TIMESTAMP;
    for (const { watermark, idle } of this.splits.values()) {
      if (watermark > largest) largest = watermark;
      if (!idle && watermark < smallest) smallest = watermark;
    }
    return smallest === Infinity ? this.given.give(largest, true) : this.given.give(smallest, false);
  }

  /** The watermark of a split, `undefined` when there is none of this name. */
  watermarkOf(split: string): Timestamp | undefined {
    return this.splits.get(split)?.watermark;
  }

  snapshot(): WatermarkMultiplexerSnapshot {
    const splits = Array.from(this.splits, ([split, { watermark, idle }]) => ({ split, watermark, idle }));
    return { watermark: this.given.watermark, idle: this.given.idle, removed: this.removed, splits };
  }

  /** Goes on from a snapshot, whose splits are registered by it. */
  restore({ watermark, idle, removed, splits }: WatermarkMultiplexerSnapshot): void {
    this.splits.clear();
    for (const each of splits) this.splits.set(each.split, { watermark: each.watermark, idle: each.idle });
    this.removed = removed;
    this.given.restore(watermark, idle);
  }

  private find(split: string): Split {
    const state = this.splits.get(split);
    if (state !== undefined) return state;
    throw new MillraceError('watermark/invalid', `There is no split "${split}".`, { remedy: 'Register a split before it is read.' });
  }

  private changed(): boolean {
    return this.mode === 'immediate' ? this.combine() : this.given.keep();
  }
}
