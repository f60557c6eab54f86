import type { ReadContext, SourceBatch, SourceReader } from '../operators/connector.ts';
import { IdlenessTimer } from '../time/idlenessTimer.ts';
import type { Clock } from '../time/clock.ts';
import type { EventTime, WatermarkGenerator } from '../time/watermark.ts';
import type { AlignmentMember } from '../time/watermarkAlignment.ts';
import { createWatermarkGenerator } from '../time/watermarkGenerator.ts';

/** Where a split is: the reader's position, and how many elements after it have already been taken. */
export interface SplitPosition {
  readonly position: unknown;
  readonly skip: number;
}

/** What a split tells its feed. */
export interface SplitListener {
  /** A batch is at hand, or the split has ended. */
  onBatch(split: SplitReader): void;
  onFailed(split: SplitReader, error: unknown): void;
}

/** One split being read: keeps one batch at hand, so that reading and processing overlap. */
export class SplitReader {
  readonly split: string;
  readonly generator: WatermarkGenerator<unknown> | undefined;
  readonly idleness: IdlenessTimer | undefined;
  alignment: AlignmentMember | undefined;
  idle = false;
  bytes = 0;
  /** The batch to be processed next. */
  batch: SourceBatch<unknown, unknown> | undefined;
  ended = false;
  private readonly reader: SourceReader<unknown, unknown>;
  private readonly context: ReadContext;
  private readonly listener: SplitListener;
  private iterator: AsyncIterator<SourceBatch<unknown, unknown>> | undefined;
  private position: unknown;
  /** How many elements after the position have been taken. */
  private skip = 0;
  /** How many of these are still to come, after a restore. */
  private toSkip: number;

  constructor(parts: {
    readonly split: string;
    readonly from: SplitPosition | undefined;
    readonly reader: SourceReader<unknown, unknown>;
    readonly context: ReadContext;
    readonly time: EventTime<unknown> | undefined;
    readonly clock: Clock;
    readonly listener: SplitListener;
  }) {
    this.split = parts.split;
    this.reader = parts.reader;
    this.context = parts.context;
    this.listener = parts.listener;
    this.position = parts.from?.position;
    this.skip = parts.from?.skip ?? 0;
    this.toSkip = this.skip;
    this.generator = parts.time === undefined ? undefined : createWatermarkGenerator(parts.time);
    this.idleness = parts.time?.idleAfter === undefined ? undefined : new IdlenessTimer(parts.time.idleAfter, parts.clock);
  }

  start(): void {
    try {
      this.iterator = this.reader.read(this.split, this.position, this.context)[Symbol.asyncIterator]();
      this.fetch();
    } catch (error) {
      this.listener.onFailed(this, error);
    }
  }

  /** Takes the batch at hand and asks for the next. */
  takeBatch(): SourceBatch<unknown, unknown> {
    const batch = this.batch!;
    this.batch = undefined;
    this.idleness?.activity();
    this.fetch();
    return batch;
  }

  /** How many of a batch's `length` elements were taken before a restore: batches may be cut differently this time. */
  takeSkip(length: number): number {
    const skipped = Math.min(this.toSkip, length);
    this.toSkip -= skipped;
    return skipped;
  }

  /** Elements of the current batch up to `at` have been taken. */
  moveTo(at: number): void {
    this.skip = at;
  }

  /** The current batch has been taken whole. */
  finishBatch(batch: SourceBatch<unknown, unknown>): void {
    this.position = batch.position;
    this.skip = this.toSkip;
    this.bytes += batch.bytes ?? 0;
  }

  where(): SplitPosition {
    return { position: this.position, skip: this.skip };
  }

  /** Ends the iteration; what it throws on the way out is of no interest any more. */
  close(): void {
    this.iterator?.return?.().then(undefined, () => undefined);
  }

  private fetch(): void {
    this.iterator!.next().then(
      (result) => {
        if (result.done === true) this.ended = true;
        else this.batch = result.value;
        this.listener.onBatch(this);
      },
      (error: unknown) => this.listener.onFailed(this, error),
    );
  }
}
