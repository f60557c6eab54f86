import type { Barrier, Element } from '../element/element.ts';
import type { Clock } from '../time/clock.ts';
import type { CombinedWatermark } from '../time/combinedWatermark.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Chain, ChainSnapshot } from './chain.ts';
import type { Control } from './control.ts';
import type { ExchangeWriter } from './exchange.ts';
import type { Partition } from './partition.ts';
import type { Schedulable } from './scheduler.ts';

/** A run of records on its way through a chain, and where it has come to. */
export interface Run {
  readonly input: number;
  readonly values: readonly unknown[];
  /** `null` where the first operator gives the time itself. */
  readonly timestamps: readonly number[] | null;
  at: number;
  /** Called after each portion, with its end. */
  readonly onPortion?: ((at: number) => void) | undefined;
  /** Called when all records have passed. */
  readonly onDone?: (() => void) | undefined;
}

/** Feeds a task: channels, the splits of a source, or sorted input in batch mode. */
export interface Feed {
  /** Hands the next thing to the task. False when there is nothing at the moment; the feed wakes the task when there is. */
  next(task: Task): boolean;
  close?(): void;
  /** True while barriers come with the input; else the task takes a checkpoint when it is asked to. */
  readonly takesBarriersItself: boolean;
  /** A checkpoint is cut here. */
  rememberCut?(checkpoint: number): void;
  /** A checkpoint is complete, or was given up. */
  completeCheckpoint?(checkpoint: number): Promise<void>;
  abortCheckpoint?(checkpoint: number): void;
  /** A checkpoint was cut that is the last: nothing more is to be read. */
  stopBehind?(barrier: Barrier): void;
  /** The feed's own state, as plain data, and its return. */
  snapshot(): unknown;
  restore(snapshot: never): void;
  /** What is still to be told of the input where everything else is done. */
  restoreEnded?(snapshot: never): void;
}

/** A task's state. */
export interface TaskSnapshot extends ChainSnapshot {
  readonly feed: unknown;
  /** Everything was processed, time has gone to its end: nothing of it must happen again. */
  readonly finished: boolean;
}

/** A way out of the chain and the link that it belongs to. */
export interface TaskWriter {
  readonly link: number;
  readonly writer: ExchangeWriter;
}

/** What a task tells its job. */
export interface TaskListener {
  /** What `seal` has asked for is ready. */
  onSealed(task: Task): void;
  /** All that goes to a partition of this host is there. */
  onPartition(name: string, partition: Partition): void;
  /** Everything was processed and passed on. The task waits to be told to `finish`. */
  onDrained(task: Task): void;
  /** A barrier has passed the task; its state at that point is to be kept, as a part of the checkpoint. */
  onCheckpoint(task: Task, barrier: Barrier): void;
  /** The task cannot take part in a checkpoint any more. */
  onCheckpointAborted(task: Task, checkpoint: number): void;
  onFinished(task: Task): void;
  onFailed(task: Task, error: unknown): void;
}

/** Portions start small and grow while they are quick, so that slow user functions do not hold the event loop. */
const SMALLEST_PORTION = 1;
const FIRST_PORTION = 64;
const LARGEST_PORTION = 1024;
/** A portion should take about this long, in ms. */
const PORTION_TIME = 1;

/** One subtask of a chain: takes from its feed, runs it through the chain, in portions that end where credit or time does. */
export class Task implements Schedulable {
  readonly name: string;
  /** Number of this subtask, from 0, and of subtasks. */
  readonly index: number;
  readonly parallelism: number;
  readonly chain: Chain;
  readonly control: Control;
  /** Time spent working and time spent unable to, in ms. */
  busyTime = 0;
  blockedTime = 0;
  readonly feed: Feed;
  private readonly writers: readonly TaskWriter[];
  private readonly clock: Clock;
  private readonly listener: TaskListener;
  private readonly letters: (() => void)[] = [];
  private run: Run | undefined;
  private portion = FIRST_PORTION;
  private phase: 'running' | 'ending' | 'drained' | 'finishing' | 'over' = 'running';
  /** Operators are ready for this barrier: the cut is next, before anything else may happen. */
  private prepared: Barrier | undefined;
  /** A checkpoint that was asked for and has not been taken. */
  private requested: Barrier | undefined;
  /** The newest checkpoint that the task has taken, or is about to. */
  private taken = -1;
  private drained = true;
  /** The inputs went idle; said downstream when the watermark that came with it has passed the chain. */
  private idleAfterSettling = false;
  private blockedSince: number | undefined;
  private armed: { readonly at: Timestamp; readonly cancel: () => void } | undefined;
  /** Set by whoever runs the task. */
  wake: () => void = () => undefined;

  constructor(parts: {
    readonly name: string;
    readonly index: number;
    readonly parallelism: number;
    readonly chain: Chain;
    readonly control: Control;
    readonly feed: Feed;
    readonly writers: readonly TaskWriter[];
    readonly clock: Clock;
    readonly listener: TaskListener;
  }) {
    this.name = parts.name;
    this.index = parts.index;
    this.parallelism = parts.parallelism;
    this.chain = parts.chain;
    this.control = parts.control;
    this.feed = parts.feed;
    this.writers = parts.writers;
    this.clock = parts.clock;
    this.listener = parts.listener;
  }

  get isOver(): boolean {
    return this.phase === 'over';
  }

  /** Everything was processed and passed on. */
  get isDrained(): boolean {
    return this.phase === 'drained' || this.phase === 'finishing' || this.phase === 'over';
  }

  /** Runs a letter between two elements. */
  mail(letter: () => void): void {
    this.letters.push(letter);
    this.wake();
  }

  /** Gives records to the chain. The feed is asked for more only when they have passed. */
  take(run: Run): void {
    this.run = run;
  }

  /**
   * Lets a feed that runs records through the chain itself do so once: it is told how many it may take, and says how many it took.
   * False when it could do nothing: it wakes the task when it can.
   */
  takePortion(take: (task: Task, most: number) => number): boolean {
    const start = this.clock.monotonic();
    const taken = take(this, this.portion);
    this.adapt(this.clock.monotonic() - start, taken);
    const isInterrupted = this.control.interrupt;
    if (!this.control.blocked) this.control.resume();
    return taken > 0 || isInterrupted || this.phase !== 'running';
  }

  /** Passes an element to all outputs of all links, after the records before it. */
  broadcast(element: Element): void {
    for (const { writer } of this.writers) writer.broadcast(element);
  }

  /** What is new about the time of the task's inputs. */
  passTime(time: CombinedWatermark): void {
    if (time.statusChanged && !time.idle) this.broadcast({ kind: 'status', idle: false });
    if (time.advanced) this.chain.advance(time.watermark);
    if (time.statusChanged && time.idle) this.idleAfterSettling = true;
  }

  /** A watermark has passed a link. */
  forwardWatermark(link: number, timestamp: Timestamp): void {
    for (const writer of this.writers) if (writer.link === link) writer.writer.broadcast({ kind: 'watermark', timestamp });
  }

  /** The feed is over. Not drained: the job is being stopped, time stands still and nothing more fires. */
  end(drained: boolean): void {
    this.phase = 'ending';
    this.drained = drained;
    if (drained) this.chain.end();
    // No barrier will come by the channels any more: what was asked for is taken now.
    if (this.requested !== undefined) this.takeCheckpoint(this.requested);
  }

  /** The coordinator asks for a checkpoint. */
  requestCheckpoint(barrier: Barrier): void {
    this.mail(() => {
      // Its barrier may come by the channels before this letter is read.
      if (barrier.checkpoint <= this.taken) return;
      if (this.feed.takesBarriersItself && this.phase === 'running') this.requested = barrier;
      else this.takeCheckpoint(barrier);
    });
  }

  /** The barrier stands between what has been processed and what comes next: takes the checkpoint as soon as operators are ready. */
  takeCheckpoint(barrier: Barrier): void {
    this.taken = barrier.checkpoint;
    const prepared = this.chain.prepareBarrier(barrier.checkpoint, this.isDrained);
    if (prepared === undefined) return this.cut(barrier);
    this.control.block();
    prepared.then(
      () => {
        this.prepared = barrier;
        this.control.unblock();
        this.wake();
      },
      (error: unknown) => {
        this.letters.unshift(() => {
          throw error;
        });
        this.control.unblock();
      },
    );
  }

  /** A newer barrier has come, or the coordinator has given up. */
  abortCheckpoint(checkpoint: number): void {
    this.feed.abortCheckpoint?.(checkpoint);
    this.chain.abortCheckpoint(checkpoint);
    this.listener.onCheckpointAborted(this, checkpoint);
  }

  /** A checkpoint is complete everywhere. */
  async completeCheckpoint(checkpoint: number): Promise<void> {
    await Promise.all([this.feed.completeCheckpoint?.(checkpoint), this.chain.completeCheckpoint(checkpoint)]);
  }

  /** The state of the task's feed. */
  snapshotFeed(): Pick<TaskSnapshot, 'feed' | 'finished'> {
    return { feed: this.feed.snapshot(), finished: this.isDrained && this.drained };
  }

  /** Everything that the task would need to go on elsewhere from here: plain data. Taken between two elements. */
  snapshot(): TaskSnapshot {
    return { ...this.snapshotFeed(), ...this.chain.snapshot() };
  }

  /** Goes on from a snapshot. Before the first step. */
  restore(snapshot: TaskSnapshot): void {
    this.chain.restore(snapshot);
    if (snapshot.finished) {
      this.phase = 'ending';
      if (snapshot.feed !== undefined) this.feed.restoreEnded?.(snapshot.feed as never);
    }
    // Where the task begins with an operator that is new, there is nothing to restore of its inputs.
    else if (snapshot.feed !== undefined) this.feed.restore(snapshot.feed as never);
  }

  step(deadline: number): boolean {
    // A call that a restored operator asks again may be answered while others are still being opened. `flow` wakes every task.
    if (!this.chain.isConnected) return false;
    const start = this.clock.monotonic();
    this.countBlocked(start);
    const more = this.work(deadline);
    this.flush();
    this.armTimer();
    const now = this.clock.monotonic();
    this.busyTime += now - start;
    if (this.control.blocked) this.blockedSince = now;
    return more;
  }

  onError(error: unknown): void {
    this.abandon();
    this.listener.onFailed(this, error);
  }

  /** Ends the task where it stands. */
  abandon(): void {
    this.phase = 'over';
    this.letters.length = 0;
    this.prepared = undefined;
    this.run = undefined;
    this.armed?.cancel();
    this.feed.close?.();
  }

  private work(deadline: number): boolean {
    while (this.phase !== 'finishing' && this.phase !== 'over') {
      if (this.prepared !== undefined) this.cut(this.prepared);
      if (this.control.blocked) return false;
      // Time first: a letter that ran before a watermark is dealt with would overtake it.
      const settled = this.chain.settle();
      if (this.control.blocked) return false;
      if (!this.goOn(settled)) return false;
      if (this.clock.monotonic() >= deadline) return true;
    }
    return false;
  }

  /** One thing, whatever is next. False when there is nothing to do now. */
  private goOn(settled: boolean): boolean {
    if (settled && this.idleAfterSettling) this.sayIdle();
    if (this.letters.length === 0) return settled && this.fireProcessingTimers() && this.proceed();
    this.letters.shift()!();
    return true;
  }

  /** One portion of records, or whatever else the feed holds. False when there is nothing to do now. */
  private proceed(): boolean {
    if (this.phase === 'drained') return false;
    if (this.run === undefined && this.phase === 'ending') return this.drain();
    if (!this.isReady()) return false;
    if (this.run === undefined) return this.feed.next(this);
    this.runPortion(this.run);
    return true;
  }

  private sayIdle(): void {
    this.idleAfterSettling = false;
    this.broadcast({ kind: 'status', idle: true });
  }

  private isReady(): boolean {
    return this.chain.links[0]!.operator.isReady?.() ?? true;
  }

  private runPortion(run: Run): void {
    const start = this.clock.monotonic();
    const wanted = Math.min(run.values.length, run.at + this.portion);
    const from = run.at;
    run.at = this.chain.driver.run[run.input]!(run.values, run.timestamps, from, wanted);
    this.adapt(this.clock.monotonic() - start, run.at - from);
    run.onPortion?.(run.at);
    if (!this.control.blocked) this.control.resume();
    if (run.at < run.values.length) return;
    this.run = undefined;
    run.onDone?.();
  }

  private adapt(took: number, records: number): void {
    if (took > PORTION_TIME * 2) this.portion = Math.max(SMALLEST_PORTION, Math.floor(records / Math.ceil(took / PORTION_TIME)));
    else if (records === this.portion && took < PORTION_TIME / 2) this.portion = Math.min(LARGEST_PORTION, this.portion * 2);
  }

  private fireProcessingTimers(): boolean {
    // Nothing may come after the end that was passed on, where a job is being stopped: these timers are for who goes on from here.
    if (this.armed === undefined || this.isDrained) return true;
    const now = this.clock.now();
    if (this.armed.at > now) return true;
    this.armed.cancel();
    this.armed = undefined;
    return this.chain.fireProcessingTimers(now);
  }

  /** Keeps one timeout armed, for the earliest of all processing-time timers. */
  private armTimer(): void {
    const at = this.isDrained ? Infinity : this.chain.earliestProcessingTimer();
    if (this.armed?.at === at) return;
    this.armed?.cancel();
    this.armed = at === Infinity ? undefined : { at, cancel: this.clock.schedule(at, () => this.wake()) };
  }

  private flush(): void {
    this.chain.pause();
    for (const { writer } of this.writers) writer.flush();
  }

  private countBlocked(now: number): void {
    if (this.blockedSince === undefined || this.control.blocked) return;
    this.blockedTime += now - this.blockedSince;
    this.blockedSince = undefined;
  }

  /** The state is what came of everything before the barrier; then the barrier goes on, before anything that comes after it. */
  private cut(barrier: Barrier): void {
    this.prepared = undefined;
    if (this.requested !== undefined && this.requested.checkpoint <= barrier.checkpoint) this.requested = undefined;
    this.flush();
    if (barrier.last) this.feed.stopBehind?.(barrier);
    this.feed.rememberCut?.(barrier.checkpoint);
    this.listener.onCheckpoint(this, barrier);
    // Behind the end of a channel no barrier may come: there it counts as one.
    if (!this.isDrained) this.broadcast(barrier);
  }

  private drain(): boolean {
    this.phase = 'drained';
    for (const { context } of this.chain.links) context.isStopped = true;
    this.flush();
    this.broadcast({ kind: 'end', drained: this.drained });
    this.listener.onDrained(this);
    return true;
  }

  /** Whether `finish` makes something visible. */
  get commits(): boolean {
    return this.chain.links.some(({ operator }) => operator.finish !== undefined);
  }

  /** Has operators do all that can fail before `finish` makes visible what they hold. */
  seal(): void {
    const prepared = Promise.resolve(this.chain.prepareBarrier(this.taken + 1, true));
    prepared.then(
      () => this.listener.onSealed(this),
      (error: unknown) => this.onError(error),
    );
  }

  /** Makes durable what operators hold, and ends the task. */
  finish(): void {
    if (this.phase !== 'drained') return;
    this.phase = 'finishing';
    const operators = this.chain.links.map(({ operator }) => operator).filter((operator) => operator.finish !== undefined);
    // At once where nothing is to be waited for: what a task has sent then counts, should its consumer fail with the first of it.
    if (operators.length === 0) return this.conclude();
    Promise.all(operators.map(async (operator) => operator.finish!())).then(
      () => this.conclude(),
      (error: unknown) => this.onError(error),
    );
  }

  private conclude(): void {
    this.phase = 'over';
    this.armed?.cancel();
    this.feed.close?.();
    this.listener.onFinished(this);
  }
}
