import type { AggregateShape } from '../state/aggregate.ts';
import type { FrameState } from '../state/frameTable.ts';
import type { Key } from '../state/key.ts';
import { checkElementTime } from '../time/elementTime.ts';
import { addSaturating, type Timestamp } from '../time/timestamp.ts';
import { EventQueue, queuesAsState } from './eventQueue.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/**
 * Each element with its key's aggregates over the `last` ms up to it, given out when the watermark says that nothing earlier can
 * come. Elements behind the watermark go to `late`.
 */
export function overOperator(last: number, shape: AggregateShape<never>): OperatorDefinition {
  return { outputs: ['late'], create: (context) => new OverOperator(context, last, shape) };
}

class OverOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[];
  readonly entries: Required<Operator>['entries'];
  readonly restoreEntry: Required<Operator>['restoreEntry'];
  private readonly context: OperatorContext;
  private readonly last: number;
  private readonly frames: FrameState;
  /** Elements that wait for their time. */
  private readonly pending = new EventQueue<unknown>('pending');
  /** For each key that holds rows, a time at which they may all be out of the frame. */
  private readonly expiry = new EventQueue<null>('expiry');
  /** The elements of one time: peers, which see each other. */
  private readonly peerKeys: Key[] = [];
  private readonly peers: unknown[] = [];

  constructor(context: OperatorContext, last: number, shape: AggregateShape<never>) {
    this.context = context;
    this.last = last;
    this.frames = context.subtask.backend.openFrames('frames', shape);
    const state = queuesAsState([this.pending, this.expiry]);
    this.entries = state.entries;
    this.restoreEntry = state.restoreEntry;
    this.inputs = [(value) => this.accept(value)];
  }

  /** Works off the elements whose time has come, then frees the keys whose rows have all left the frame. */
  onWatermark(watermark: Timestamp): boolean {
    while (this.pending.earliest <= watermark) {
      if (!this.context.hasCredit()) return false;
      this.workOff(this.pending.earliest);
    }
    while (this.expiry.earliest <= watermark) this.expire(watermark);
    return true;
  }

  private accept(value: unknown): void {
    const { context } = this;
    const { time } = context;
    checkElementTime(time, 'over');
    if (time <= context.watermark) context.outputLate('late', value, time);
    else this.pending.add(time, context.key, value);
  }

  /** All elements of one time enter their frames before the first is given out. */
  private workOff(time: Timestamp): void {
    const { pending, peers, peerKeys } = this;
    do {
      pending.take();
      if (!this.enterFrame(pending.key, time, pending.value)) continue;
      peerKeys.push(pending.key);
      peers.push(pending.value);
    } while (pending.earliest === time);
    const alone = peers.length === 1;
    for (let i = 0; i < peers.length; i++) this.giveOut(peerKeys[i]!, time, peers[i], alone);
    peerKeys.length = peers.length = 0;
  }

  private enterFrame(key: Key, time: Timestamp, value: unknown): boolean {
    const { context, frames, last } = this;
    context.subtask.backend.enter(key);
    try {
      const isFirst = frames.latest() === -Infinity;
      frames.slide(time - last, time, value);
      if (isFirst) this.expiry.add(addSaturating(time, last), key, null);
      return true;
    } catch (error) {
      context.reject(error, value, time);
      return false;
    }
  }

  private giveOut(key: Key, time: Timestamp, value: unknown, entered: boolean): void {
    const { context } = this;
    if (!entered) context.subtask.backend.enter(key);
    let over: Record<string, unknown>;
    try {
      over = this.frames.result();
    } catch (error) {
      return context.reject(error, value, time);
    }
    context.emit({ value, over }, time);
  }

  private expire(watermark: Timestamp): void {
    const { expiry, frames } = this;
    expiry.take();
    const { key } = expiry;
    this.context.subtask.backend.enter(key);
    const end = addSaturating(frames.latest(), this.last);
    if (end <= watermark) frames.clear();
    else expiry.add(end, key, null);
  }
}
