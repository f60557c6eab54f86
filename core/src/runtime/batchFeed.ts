import { type Cursor, Merge } from '../state/externalSorter.ts';
import { equalKeys } from '../state/key.ts';
import { NO_TIMESTAMP } from '../time/timestamp.ts';
import { compareRecords, type Partition, type StoredRecord, UNKNOWN_KEY } from './partition.ts';
import type { Feed, Task } from './task.ts';

/** A partition and the input that it leads to. */
export interface InputPartition {
  readonly partition: Partition;
  readonly input: number;
  readonly sorted: 'key' | 'time' | null;
}

interface InputRecord {
  readonly record: StoredRecord;
  readonly input: number;
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
  private first: Lookahead | undefined;
  private rest: Lookahead | undefined;
  private current: StoredRecord | undefined;
  private step: 'first' | 'endFirst' | 'record' | 'time' | 'endKey' | 'over' = 'first';

  constructor(partitions: readonly InputPartition[], options: { readonly firstInput: number | undefined; readonly timed: boolean }) {
    this.partitions = partitions;
    this.firstInput = options.firstInput;
    this.timed = options.timed;
    this.keyed = partitions.some(({ sorted }) => sorted !== null);
  }

  next(task: Task): boolean {
    if (!this.partitions.every(({ partition }) => partition.isComplete)) return false;
    switch (this.step) {
      case 'first':
        return this.takeFirst(task);
      case 'endFirst':
        return this.endFirst(task);
      case 'record':
        return this.takeRecord(task);
      case 'time':
        return this.advance(task);
      case 'endKey':
        return this.endKey(task);
      case 'over':
        return false;
    }
  }

  close(): void {
    for (const { partition } of this.partitions) partition.dispose();
  }

  readonly takesBarriersItself = false;

  /** Batch jobs take no checkpoints: after a failure a stage is read again from its input. */
  snapshot(): undefined {
    return undefined;
  }

  restore(): void {}

  private takeFirst(task: Task): boolean {
    this.first ??= this.open(({ input }) => input === this.firstInput);
    if (this.first.head === undefined) this.step = 'endFirst';
    else takeRun(task, this.first, () => true);
    return true;
  }

  private endFirst(task: Task): boolean {
    if (this.firstInput !== undefined && !task.chain.endInput(this.firstInput)) return false;
    this.rest = this.open(({ input }) => input !== this.firstInput);
    this.step = 'record';
    return true;
  }

  private takeRecord(task: Task): boolean {
    const { current } = this;
    const { head } = this.rest!;
    if (current !== undefined && (head === undefined || !sameKey(current, head.record))) this.step = 'endKey';
    else if (head === undefined) this.finish(task);
    else if (!this.keyed || head.record.hash === UNKNOWN_KEY) takeRun(task, this.rest!, ({ record }) => record.hash === head.record.hash);
    else this.takeKeyed(task, head.record);
    return true;
  }

  private takeKeyed(task: Task, head: StoredRecord): void {
    this.current = head;
    if (this.timed && head.timestamp !== NO_TIMESTAMP) this.step = 'time';
    else takeRun(task, this.rest!, ({ record }) => !this.timed && sameKey(head, record));
  }

  private finish(task: Task): void {
    this.step = 'over';
    task.end(true);
  }

  private advance(task: Task): boolean {
    // The record before this one was at t − 1 at the latest, and so the watermark at t − 2: at t − 1 a session that this record
    // touches would be closed already, which in a stream it is not.
    if (!task.chain.advanceKey(this.current!.timestamp - 2)) return false;
    this.step = 'record';
    takeRun(task, this.rest!, () => false);
    return true;
  }

  private endKey(task: Task): boolean {
    if (!task.chain.endKey()) return false;
    this.current = undefined;
    this.step = 'record';
    return true;
  }

  private open(chosen: (partition: InputPartition) => boolean): Lookahead {
    const cursors = this.partitions.filter(chosen).map(({ partition, input }) => withInput(partition.read(), input));
    return new Lookahead(this.keyed ? new Merge(cursors, (a, b) => compareRecords(a.record, b.record)) : oneAfterTheOther(cursors));
  }
}

/** A cursor whose next record can be looked at. */
class Lookahead {
  head: InputRecord | undefined;
  private readonly cursor: Cursor<InputRecord>;

  constructor(cursor: Cursor<InputRecord>) {
    this.cursor = cursor;
    this.head = cursor.next();
  }

  take(): InputRecord {
    const taken = this.head!;
    this.head = this.cursor.next();
    return taken;
  }
}

/** Gives the task the next record and those after it that may travel with it: of the same input, and `together` with the first. */
function takeRun(task: Task, records: Lookahead, together: (following: InputRecord) => boolean): void {
  const { record, input } = records.take();
  const values = [record.value];
  const timestamps = [record.timestamp];
  while (records.head !== undefined && records.head.input === input && values.length < RUN && together(records.head)) {
    const following = records.take();
    values.push(following.record.value);
    timestamps.push(following.record.timestamp);
  }
  task.take({ input, values, timestamps, at: 0 });
}

function withInput(cursor: Cursor<StoredRecord>, input: number): Cursor<InputRecord> {
  return {
    next() {
      const record = cursor.next();
      return record === undefined ? undefined : { record, input };
    },
  };
}

function oneAfterTheOther<R>(cursors: readonly Cursor<R>[]): Cursor<R> {
  let at = 0;
  return {
    next() {
      for (; at < cursors.length; at++) {
        const record = cursors[at]!.next();
        if (record !== undefined) return record;
      }
      return undefined;
    },
  };
}

function sameKey(a: StoredRecord, b: StoredRecord): boolean {
  return a.hash === b.hash && equalKeys(a.key, b.key);
}
