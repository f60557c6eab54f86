import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { ReadContext, SourceReader } from '../operators/connector.ts';
import type { SourceOperator } from '../operators/source.ts';
import type { Clock } from '../time/clock.ts';
import { toMilliseconds } from '../time/duration.ts';
import { IdlenessTimer } from '../time/idlenessTimer.ts';
import { MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { EventTime } from '../time/watermark.ts';
import type { AlignmentGroups } from '../time/watermarkAlignment.ts';
import { WatermarkMultiplexer, type WatermarkMultiplexerSnapshot } from '../time/watermarkMultiplexer.ts';
import { type SplitListener, type SplitPosition, SplitReader } from './splitReader.ts';
import type { Feed, Task } from './task.ts';

/** What a source feed needs beside its operator. */
export interface SourceFeedParts {
  readonly uid: string;
  readonly operator: SourceOperator;
  readonly time: EventTime<unknown> | undefined;
  readonly concurrentSplits: (next: string) => number;
  readonly clock: Clock;
  readonly alignment: AlignmentGroups;
  readonly bounded: boolean;
}

/** Where a split's time stands, for the report on what holds a watermark back. */
export interface SplitTime {
  readonly split: string;
  readonly watermark: Timestamp;
  readonly idle: boolean;
  /** Not read for the moment, since it is too far ahead of others of its alignment group. */
  readonly held: boolean;
}

/** A split that was read to its end, and where that is. */
export interface EndedSplit {
  readonly split: string;
  readonly position: unknown;
}

/** What a source is told when a checkpoint is complete. */
interface SafePositions {
  readonly positions: ReadonlyMap<string, unknown>;
  readonly ended: ReadonlySet<string>;
}

/** A source subtask's state: splits that are being read and where, splits that wait, and the time of all. */
export interface SourceSnapshot {
  readonly splits: readonly ({ readonly split: string } & SplitPosition)[];
  readonly waiting: readonly string[];
  /** Splits that were read to their ends, which the source has not been told of yet. */
  readonly ended?: readonly EndedSplit[];
  readonly times: WatermarkMultiplexerSnapshot;
}

/** Feeds a task from the splits of a source, and gives it the time of the slowest. */
export class SourceFeed implements Feed, SplitListener {
  private readonly parts: SourceFeedParts;
  private readonly times = new WatermarkMultiplexer('immediate');
  private readonly waiting: string[] = [];
  private readonly cuts = new Map<number, SafePositions>();
  /** Splits that were read to their ends, and where these are, until the source has been told. */
  private readonly ended = new Map<string, unknown>();
  /** Splits that were left where they are when the source was stopped. */
  private readonly left: ({ readonly split: string } & SplitPosition)[] = [];
  private readonly restored = new Map<string, SplitPosition>();
  private readonly reading = new Set<SplitReader>();
  private ready: SplitReader[] = [];
  private readonly abort = new AbortController();
  private context: ReadContext | undefined;
  private reader: SourceReader<unknown, unknown> | undefined;
  private task: Task | undefined;
  private allAssigned = false;
  /** Set when the source was told to end early: whether time then goes to its end. */
  private stopping: { readonly drain: boolean } | undefined;
  private failure: MillraceError | undefined;
  private cancelIdleCheck: (() => void) | undefined;
  /** Elements taken so far. */
  records = 0;
  /** The source has ended, or was closed. */
  isOver = false;
  /** Told when elements have come. */
  onRecords: () => void = () => undefined;
  /** Told when a split has been read to its end and processed. */
  onSplitEnd: (split: string) => void = () => undefined;

  constructor(parts: SourceFeedParts) {
    this.parts = parts;
  }

  /** Connects the reader, once it is open. `later` is the host's. */
  start(task: Task, reader: SourceReader<unknown, unknown>, later: ReadContext['later']): void {
    const { bounded, clock } = this.parts;
    this.context = { signal: this.abort.signal, bounded, clock, later };
    this.task = task;
    this.reader = reader;
    if (reader.committed === undefined) this.ended.clear();
    this.openWaiting();
    if (this.parts.time?.idleAfter !== undefined) this.checkIdleness(toMilliseconds(this.parts.time.idleAfter) / 2);
  }

  /** Further splits of this subtask. */
  assign(splits: readonly string[]): void {
    this.waiting.push(...splits);
    this.openWaiting();
    this.task?.wake();
  }

  /** No further split will be assigned. */
  endAssignment(): void {
    this.allAssigned = true;
    this.task?.wake();
  }

  /** Ends the source where it is: what has been taken is processed, nothing more is read. */
  stop(drain: boolean): void {
    this.stopping = { drain };
    this.abort.abort();
    this.task?.wake();
  }

  /** Something went wrong outside of a split. */
  fail(error: unknown): void {
    this.failure ??= sourceFailure(error, this.parts.uid);
    this.task?.wake();
  }

  /** Bytes read so far. */
  get bytes(): number {
    let total = this.finishedBytes;
    for (const { bytes } of this.reading) total += bytes;
    return total;
  }
  private finishedBytes = 0;

  get uid(): string {
    return this.parts.uid;
  }

  /** Whether its elements have a time. */
  get isTimed(): boolean {
    return this.parts.time !== undefined;
  }

  /** The group whose splits those of the source wait for. */
  get alignmentGroup(): string | undefined {
    return this.parts.time?.alignment?.group;
  }

  /** The time given out so far. */
  get watermark(): Timestamp {
    return this.times.output.watermark;
  }

  get idle(): boolean {
    return this.times.output.idle;
  }

  splitTimes(): readonly SplitTime[] {
    return [...this.reading].map(({ split, idle, generator, alignment }) => ({
      split,
      idle,
      watermark: generator?.current() ?? MIN_TIMESTAMP,
      held: alignment?.mayRead() === false,
    }));
  }

  /** Sources are where barriers begin. */
  readonly takesBarriersItself = false;

  stopBehind(): void {
    this.stop(false);
  }

  /** Tells the reader which positions are safe: the place to acknowledge upstream. */
  async completeCheckpoint(checkpoint: number): Promise<void> {
    const safe = this.cuts.get(checkpoint);
    for (const older of this.cuts.keys()) if (older <= checkpoint) this.cuts.delete(older);
    if (safe === undefined || this.reader?.committed === undefined) return;
    try {
      await this.reader.committed(safe.positions, safe.ended);
    } catch (error) {
      throw sourceFailure(error, this.parts.uid);
    }
    for (const split of safe.ended) this.ended.delete(split);
  }

  /** Keeps the positions of a checkpoint until it is complete. */
  rememberCut(checkpoint: number): void {
    if (this.reader?.committed === undefined) return;
    const positions = new Map<string, unknown>();
    // Of one that has given nothing yet there is nothing to tell.
    const note = (split: string, position: unknown): void => void (position !== undefined && positions.set(split, position));
    for (const split of this.reading) note(split.split, split.where().position);
    for (const { split, position } of this.left) note(split, position);
    for (const [split, position] of this.ended) note(split, position);
    this.cuts.set(checkpoint, { positions, ended: new Set(this.ended.keys()) });
  }

  /** Splits that are being read or wait for it. */
  openSplits(): readonly string[] {
    return [...[...this.reading].map(({ split }) => split), ...this.waiting];
  }

  snapshot(): SourceSnapshot {
    // One that was being read before a restore may wait for its turn again.
    const begun = this.waiting.flatMap((split) => (this.restored.has(split) ? [{ split, ...this.restored.get(split)! }] : []));
    return {
      splits: [...this.left, ...[...this.reading].map((split) => ({ split: split.split, ...split.where() })), ...begun],
      waiting: this.waiting.filter((split) => !this.restored.has(split)),
      ...(this.ended.size > 0 && { ended: [...this.ended].map(([split, position]) => ({ split, position })) }),
      times: this.times.snapshot(),
    };
  }

  /** Knows again which ended splits the source has not been told of. */
  restoreEnded({ ended = [] }: SourceSnapshot): void {
    for (const { split, position } of ended) this.ended.set(split, position);
  }

  /** Goes on at the saved positions, when the reader is open. */
  restore(snapshot: SourceSnapshot): void {
    const { splits, waiting, times } = snapshot;
    this.times.restore(times);
    this.restoreEnded(snapshot);
    for (const { split, position, skip } of splits) this.restored.set(split, { position, skip });
    this.waiting.push(...splits.map(({ split }) => split), ...waiting);
  }

  next(task: Task): boolean {
    if (this.failure !== undefined) throw this.failure;
    if (this.stopping !== undefined) {
      this.close();
      task.end(this.stopping.drain);
      return true;
    }
    const split = this.takeReady();
    if (split !== undefined) return split.ended ? this.endSplit(task, split) : this.process(task, split);
    if (!this.allAssigned || this.reading.size > 0 || this.waiting.length > 0) return false;
    this.close();
    task.end(true);
    return true;
  }

  close(): void {
    this.isOver = true;
    this.abort.abort();
    this.cancelIdleCheck?.();
    for (const split of this.reading) {
      this.finishedBytes += split.bytes;
      this.left.push({ split: split.split, ...split.where() });
      split.alignment?.leave();
      split.close();
    }
    this.reading.clear();
    this.ready = [];
  }

  onBatch(split: SplitReader): void {
    if (!this.reading.has(split)) return;
    this.ready.push(split);
    this.task?.wake();
  }

  onFailed(split: SplitReader, error: unknown): void {
    if (this.stopping === undefined) this.fail(error);
    else this.onBatch(split);
  }

  private takeReady(): SplitReader | undefined {
    const at = this.ready.findIndex((split) => split.ended || (split.alignment?.mayRead() ?? true));
    return at < 0 ? undefined : this.ready.splice(at, 1)[0];
  }

  private process(task: Task, split: SplitReader): boolean {
    const batch = split.takeBatch();
    this.records += batch.values.length;
    this.onRecords();
    const { operator } = this.parts;
    operator.generator = split.generator;
    const finish = (): void => {
      for (const rejected of batch.rejected ?? []) operator.takeRejected(rejected);
      split.finishBatch(batch);
    };
    const at = split.takeSkip(batch.values.length);
    if (at === batch.values.length) finish();
    else {
      task.take({
        input: 0,
        values: batch.values,
        timestamps: null,
        at,
        onPortion: (reached) => {
          split.moveTo(reached);
          this.advance(task, split);
        },
        onDone: finish,
      });
    }
    return true;
  }

  private advance(task: Task, split: SplitReader): void {
    const { generator } = split;
    if (generator === undefined) return;
    generator.onMaxTimestamp(this.parts.operator.takeLargest());
    const watermark = generator.current();
    split.idle = false;
    split.alignment?.report(watermark);
    if (this.times.advance(split.split, watermark)) task.passTime(this.times.output);
  }

  private endSplit(task: Task, split: SplitReader): boolean {
    this.finishedBytes += split.bytes;
    this.reading.delete(split);
    if (this.reader!.committed !== undefined) this.ended.set(split.split, split.where().position);
    split.alignment?.leave();
    this.openWaiting();
    this.onSplitEnd(split.split);
    if (this.parts.time === undefined) return true;
    this.times.remove(split.split);
    // Where no split is left time stands still: either this is the source's end, and then time goes to its own, or further splits may
    // come, whose elements nothing is known of yet.
    if (this.reading.size > 0 && this.times.combine()) task.passTime(this.times.output);
    return true;
  }

  private openWaiting(): void {
    if (this.reader === undefined || this.stopping !== undefined) return;
    const { concurrentSplits } = this.parts;
    while (this.waiting.length > 0 && this.reading.size < concurrentSplits(this.waiting[0]!)) this.open(this.waiting.shift()!);
  }

  private open(name: string): void {
    const { time, clock, alignment } = this.parts;
    const split = new SplitReader({
      split: name,
      from: this.restored.get(name),
      reader: this.reader!,
      context: this.context!,
      time,
      clock,
      listener: this,
    });
    if (time !== undefined && this.times.watermarkOf(name) === undefined) this.times.register(name);
    const before = this.times.watermarkOf(name);
    if (before !== undefined) split.generator?.restore(before);
    if (time?.alignment !== undefined) split.alignment = alignment.join(time.alignment, () => this.task?.wake());
    this.reading.add(split);
    split.start();
  }

  /** Silence is noticed by the clock. A split whose batch waits to be processed is not silent. */
  private checkIdleness(every: number): void {
    const absence = new IdlenessTimer(this.parts.time!.idleAfter!, this.parts.clock);
    const check = (): void => {
      if (this.reading.size > 0 || this.allAssigned) absence.activity();
      if (absence.check()) this.task!.mail(() => this.idleWithoutSplits());
      for (const split of this.reading) {
        if (split.batch !== undefined) split.idleness!.activity();
        if (!split.idleness!.check() || split.idle) continue;
        split.idle = true;
        split.alignment?.setIdle(true);
        this.task!.mail(() => {
          if (split.idle && this.times.setIdle(split.split, true)) this.task!.passTime(this.times.output);
        });
      }
      this.cancelIdleCheck = this.parts.clock.schedule(this.parts.clock.now() + every, check);
    };
    this.cancelIdleCheck = this.parts.clock.schedule(this.parts.clock.now() + every, check);
  }

  /** None has come for too long: for the time of the source that is a silent split like any other. */
  private idleWithoutSplits(): void {
    if (this.reading.size > 0) return;
    if (this.times.watermarkOf(NO_SPLIT) === undefined) this.times.register(NO_SPLIT);
    if (this.times.setIdle(NO_SPLIT, true)) this.task!.passTime(this.times.output);
  }
}

/** Stands for the splits that there are not, where a source waits for some and is idle. */
const NO_SPLIT = '(none)';

function sourceFailure(error: unknown, uid: string): MillraceError {
  if (isMillraceError(error)) return error.at(uid);
  return new MillraceError('source/failed', `The source failed: ${describeError(error)}.`, {
    uid,
    remedy: 'Mend where it reads from, then start the job again.',
    cause: error,
  });
}
