import type { TimeBuffers } from '../state/timeBuffer.ts';
import { checkElementTime } from '../time/elementTime.ts';
import { addSaturating, MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** Which elements meet: a right one from `lower` to `upper` ms, both inclusive, after a left one of its key. */
export interface IntervalJoin {
  readonly lower: number;
  readonly upper: number;
  readonly select: (left: never, right: never) => unknown;
}

/**
 * Joins each element with those of the other side whose times lie in an interval around its own. Each is held as long as a partner
 * can still come; the result's time is the later of the two. An element older than the watermark is late; one of the same time is not.
 */
export function intervalJoinOperator({ lower, upper, select }: IntervalJoin): OperatorDefinition {
  return {
    timers: { left: 'eventTime', right: 'eventTime' },
    outputs: ['lateLeft', 'lateRight'],
    create: (context) => {
      const left = new JoinSide(context, { name: 'left', late: 'lateLeft', hold: Math.max(upper, 0) });
      const right = new JoinSide(context, { name: 'right', late: 'lateRight', hold: Math.max(-lower, 0) });
      const pair = (l: unknown, r: unknown, time: Timestamp): void => context.emit(select(l as never, r as never), time);
      return {
        inputs: [
          (value: unknown) => {
            const { time } = context;
            if (!left.accept(value, time)) return;
            const partners = right.buffers.find();
            if (partners === undefined) return;
            for (let i = partners.from(time + lower); i < partners.end; i++) {
              const other = partners.timeAt(i);
              if (other > time + upper) break;
              pair(value, partners.valueAt(i), other > time ? other : time);
            }
          },
          (value: unknown) => {
            const { time } = context;
            if (!right.accept(value, time)) return;
            const partners = left.buffers.find();
            if (partners === undefined) return;
            for (let i = partners.from(time - upper); i < partners.end; i++) {
              const other = partners.timeAt(i);
              if (other > time - lower) break;
              pair(partners.valueAt(i), value, other > time ? other : time);
            }
          },
        ],
        onTimer: () => (context.subtask.keyedTimers.dueName === 'left' ? left : right).dropOld(),
      };
    },
  };
}

/** One side of the join: what it holds of each key. */
class JoinSide {
  readonly buffers: TimeBuffers<unknown>;
  private readonly context: OperatorContext;
  private readonly name: string;
  private readonly late: string;
  /** How long after its time an element can still find a partner. */
  private readonly hold: number;

  constructor(context: OperatorContext, side: { readonly name: string; readonly late: string; readonly hold: number }) {
    this.context = context;
    this.name = side.name;
    this.late = side.late;
    this.hold = side.hold;
    this.buffers = context.subtask.backend.openTimeBuffers(side.name);
  }

  /** Holds an element. False for one that is late. */
  accept(value: unknown, time: Timestamp): boolean {
    const { context } = this;
    checkElementTime(time, 'interval join');
    if (time < context.watermark) {
      context.outputLate(this.late, value, time);
      return false;
    }
    const buffer = this.buffers.claim();
    // One timer per key does: that of its earliest element.
    if (time < buffer.earliest) context.timers.set(this.name, addSaturating(time, this.hold));
    buffer.insert(time, value);
    return true;
  }

  /** Lets go what has found its last partner, and waits for the next. */
  dropOld(): void {
    const { watermark } = this.context;
    const earliest = this.buffers.dropUntil(watermark === MAX_TIMESTAMP ? MAX_TIMESTAMP : watermark - this.hold);
    if (earliest !== Infinity) this.context.timers.set(this.name, addSaturating(earliest, this.hold));
  }
}
