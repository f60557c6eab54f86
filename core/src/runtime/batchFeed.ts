import { equalKeys } from '../state/key.ts';
import { ChainedCursor, MergedCursor, type RecordCursor } from '../state/recordCursor.ts';
import { NO_KEY, type RecordOrder, type SortKey } from '../state/recordPile.ts';
import { NO_TIMESTAMP } from '../time/timestamp.ts';
import type { Partition } from './partition.ts';
import type { Feed, Task } from './task.ts';

/** A partition and the input that it leads to. */
export interface InputPartition {
  readonly partition: Partition;
  readonly input: number;
  readonly sorted: RecordOrder;
}

/** Records travel in runs of at most this many. */
const RUN = 1024;

/**
 * Feeds a task in batch mode: waits until everything is there, then gives it key by key and in time order, the key's clock just ahead
 * of each record, so that timers fire where a perfectly ordered stream would fire them.
 */
export class BatchFeed implements Feed {
  private readonly partitions: readonly InputPartition[];
  private readonly firstInput: number | undefined;
  /** Whether the operator looks at time: else a key's records travel in long runs. */
  private readonly timed: boolean;
  private readonly keyed: boolean;
  private step: 'waiting' | 'first' | 'rest' | 'over' = 'waiting';
  /** The records of the step; `hasHead`: it stands at one that was not taken. */
  private records: RecordCursor | undefined;
  private hasHead = false;
  /** The key whose records are being given, once its clock is running. */
  private key: SortKey | undefined;
  private hash = 0;
  /** The run under way, in arrays that are used again: those of one input that may travel together. */
  private readonly values: unknown[] = [];
  private readonly times: number[] = [];
  private length = 0;
  private input = 0;
  private at = 0;
  private readonly portion = (task: Task, most: number): number => this.takeRecords(task, most);

  constructor(partitions: readonly InputPartition[], options: { readonly firstInput: number | undefined; readonly timed: boolean }) {
    this.partitions = partitions;
    this.firstInput = options.firstInput;
    this.timed = options.timed;
    this.keyed = partitions.some(({ sorted }) => sorted !== null);
  }

  next(task: Task): boolean {
    switch (this.step) {
      case 'waiting':
        if (!this.partitions.every(({ partition }) => partition.isComplete)) return false;
        this.open('first', ({ input }) => input === this.firstInput);
        return true;
      case 'over':
        return false;
      default:
        return task.takePortion(this.portion);
    }
  }

  close(): void {
    for (const { partition } of this.partitions) partition.release();
  }

  readonly takesBarriersItself = false;

  /** Batch jobs take no checkpoints: after a failure a stage is read again from its input. */
  snapshot(): undefined {
    return undefined;
  }

  restore(): void {}

  private open(step: 'first' | 'rest', isChosen: (partition: InputPartition) => boolean): void {
    this.step = step;
    const cursors = this.partitions.filter(isChosen).map(({ partition, input }) => partition.read(input));
    this.records = this.isOrdered ? new MergedCursor(cursors) : new ChainedCursor(cursors);
    this.hasHead = this.records.advance();
  }

  /** What is read first, whole, has no order. */
  private get isOrdered(): boolean {
    return this.keyed && this.step === 'rest';
  }

  /** Gives the task about `most` records; fewer when it is to look around. */
  private takeRecords(task: Task, most: number): number {
    const { control, chain } = task;
    let taken = 0;
    while (taken < most && !control.interrupt) {
      if (this.at === this.length && !this.gather(task)) break;
      const from = this.at;
      if (from === this.length) continue;
      const to = Math.min(this.length, from + most - taken);
      this.at = chain.driver.run[this.input]!(this.values, this.times, from, to);
      taken += this.at - from;
    }
    return taken;
  }

  /** The next records that may travel together, and what must happen before. False when the task can take no more, or there is no more. */
  private gather(task: Task): boolean {
    this.length = this.at = 0;
    const { records } = this;
    if (this.key !== undefined && !(this.hasHead && this.isSameKey())) return this.endKey(task);
    if (!this.hasHead) return this.endStep(task);
    if (!this.isOrdered) this.takeRun('all');
    else if (records!.key === NO_KEY) this.takeRun('keyless');
    else return this.gatherKeyed(task, records!);
    return true;
  }

  private gatherKeyed(task: Task, { key, hash, time }: RecordCursor): boolean {
    this.key = key;
    this.hash = hash;
    // The record before this one was at t − 1 at the latest, and so the watermark at t − 2: at t − 1 a session that this record
    // touches would be closed already, which in a stream it is not.
    if (this.timed && time !== NO_TIMESTAMP && !task.chain.advanceKey(time - 2)) return false;
    this.takeRun(this.timed ? 'time' : 'key');
    return true;
  }

  private isSameKey(): boolean {
    const { hash, key } = this.records!;
    return hash === this.hash && (key === this.key || (key !== NO_KEY && this.key !== NO_KEY && equalKeys(key, this.key!)));
  }

  private endKey(task: Task): boolean {
    if (!task.chain.endKey()) return false;
    this.key = undefined;
    return true;
  }

  private endStep(task: Task): boolean {
    if (this.step === 'first') {
      if (this.firstInput !== undefined && !task.chain.endInput(this.firstInput)) return false;
      this.open('rest', ({ input }) => input !== this.firstInput);
      return true;
    }
    this.step = 'over';
    task.end(true);
    return false;
  }

  /** The head, and what follows it on the same input as long as it may travel with it. */
  private takeRun(together: 'all' | 'keyless' | 'key' | 'time'): void {
    const { values, times } = this;
    const records = this.records!;
    const { input, time } = records;
    let length = 0;
    do {
      values[length] = records.value;
      times[length++] = records.time;
      this.hasHead = records.advance();
    } while (this.hasHead && records.input === input && length < RUN && this.isTogether(records, together, time));
    this.input = input;
    this.length = length;
  }

  private isTogether(head: RecordCursor, together: 'all' | 'keyless' | 'key' | 'time', time: number): boolean {
    if (together === 'all') return true;
    if (together === 'keyless') return head.key === NO_KEY;
    return (together === 'key' || head.time === time) && this.isSameKey();
  }
}
