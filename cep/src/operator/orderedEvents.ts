import { type Key, MillraceError, type Operator, type OperatorContext, type Timestamp } from '@millrace/core';
import { EventBuffer } from './eventBuffer.ts';

/** Whose clock an operator goes by. */
export type TimeDomain = 'eventTime' | 'processingTime';

/** The operator whose events are brought in order. */
export interface OrderedUser {
  /** The next event of the current key. */
  readonly process: (value: never, time: Timestamp) => void;
  /** The current key's timer was due while events from before it still waited, and they no longer do. */
  readonly resume: () => void;
}

/**
 * Brings the events of a subtask in order. In event time they wait until the watermark has reached them; what is behind it is late. In
 * processing time they are worked off as they come, or, where ties are broken, when the millisecond in which they came is over: then the
 * operator declares a timer `flush` of that domain.
 */
export class OrderedEvents {
  private readonly context: OperatorContext;
  private readonly time: TimeDomain;
  private readonly compare: ((a: never, b: never) => number) | undefined;
  private readonly user: OrderedUser;
  private readonly buffer: EventBuffer<never>;
  /** Keys whose timer was due while events from before it still waited. */
  private readonly postponed: Key[] = [];

  constructor(
    context: OperatorContext,
    { time, compare }: { readonly time: TimeDomain; readonly compare?: ((a: never, b: never) => number) | undefined },
    user: OrderedUser,
  ) {
    this.context = context;
    this.time = time;
    this.compare = compare;
    this.user = user;
    this.buffer = new EventBuffer(compare);
  }

  /** What takes events in. */
  handler(): (value: never) => void {
    return this.time === 'eventTime' ? this.eventTimeHandler() : this.clockHandler();
  }

  /** Works off what the watermark has reached; false: there is no credit for more. */
  drain(watermark: Timestamp): boolean {
    if (this.time !== 'eventTime') return true;
    const { context, buffer, postponed } = this;
    while (buffer.earliest <= watermark) {
      if (!context.hasCredit()) return false;
      this.takeNext();
    }
    for (let key = postponed.pop(); key !== undefined; key = postponed.pop()) {
      context.enter(key);
      this.user.resume();
    }
    return true;
  }

  /** Works off what came before the clock's last millisecond: its `flush` timer is due. */
  flush(): void {
    while (this.buffer.earliest <= this.context.dueTime - 1) this.takeNext();
  }

  /** Whether the due timer of the current key must wait, since events from before it do: {@link OrderedUser.resume} follows. */
  postpones(at: Timestamp): boolean {
    if (this.time !== 'eventTime' || this.buffer.earliest > at) return false;
    this.postponed.push(this.context.key);
    return true;
  }

  entries(): ReturnType<Required<Operator>['entries']> {
    return this.buffer.entries();
  }

  restore(entry: Parameters<Required<Operator>['restoreEntry']>[0]): void {
    this.buffer.restore(entry);
  }

  private eventTimeHandler(): (value: never) => void {
    const { context, buffer, user, compare } = this;
    // Batch mode brings the events of a key in time order.
    const isSorted = context.subtask.emission === 'final' && compare === undefined;
    return (value) => {
      const { time } = context;
      if (time === -Infinity) throw this.withoutTime();
      if (time <= context.watermark) return context.outputLate('late', value, time);
      if (isSorted) user.process(value, time);
      else buffer.add(time, context.key, value);
    };
  }

  private clockHandler(): (value: never) => void {
    const { context, buffer, user, compare } = this;
    if (compare === undefined) return (value) => user.process(value, context.now());
    return (value) => {
      buffer.add(context.now(), context.key, value);
      context.timers.set('flush', context.now() + 1);
    };
  }

  private takeNext(): void {
    const { context, buffer } = this;
    buffer.take();
    const { time, value } = buffer;
    context.enter(buffer.key);
    context.time = time;
    try {
      this.user.process(value as never, time);
    } catch (error) {
      context.reject(error, value, time);
    }
  }

  private withoutTime(): MillraceError {
    return new MillraceError('graph/no-timestamps', 'An event has no timestamp, and the pattern goes by event time.', {
      uid: this.context.subtask.uid,
      remedy: "Give the source a timestamp (time: { timestamp: … }), or detect with time: 'processingTime'.",
    });
  }
}
