import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { isTimestamp, NO_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { createWatermarkGenerator } from '../time/watermarkGenerator.ts';
import type { EventTime, WatermarkGenerator } from '../time/watermark.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** Gives elements their time in the middle of a stream, and watermarks that follow from it. Those that come in are dropped. */
export function assignTimeOperator(time: EventTime<never>): OperatorDefinition {
  for (const option of ['idleAfter', 'alignment'] as const) {
    if (time[option] === undefined) continue;
    throw new MillraceError('graph/option', `withTime has ${option}, which only a source can keep.`, {
      remedy: 'Give it to the source: env.from(source, { time: … }).',
    });
  }
  return { create: (context) => new AssignTimeOperator(context, time as EventTime<unknown>) };
}

class AssignTimeOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.element(value)];
  readonly ownsTime = true;
  private readonly context: OperatorContext;
  private readonly time: EventTime<unknown>;
  private readonly generator: WatermarkGenerator<unknown>;
  private largest: Timestamp = NO_TIMESTAMP;
  private given: Timestamp = NO_TIMESTAMP;

  constructor(context: OperatorContext, time: EventTime<unknown>) {
    this.context = context;
    this.time = time;
    this.generator = createWatermarkGenerator(time);
  }

  onPause(): void {
    this.generator.onMaxTimestamp(this.largest);
    const watermark = this.generator.current();
    if (watermark <= this.given) return;
    this.given = watermark;
    this.context.advance(watermark);
  }

  operatorEntries(): Iterable<OperatorStateEntry> {
    return [{ state: 'watermark', mode: 'union', items: [this.generator.snapshot()] }];
  }

  /** After a rescale the smallest of the subtasks' watermarks is right for all. */
  restoreOperatorEntry({ items }: OperatorStateEntry): void {
    const watermark = Math.min(...(items as readonly Timestamp[]));
    this.generator.restore(watermark);
    this.given = watermark;
  }

  private element(value: unknown): void {
    const at = this.time.timestamp(value);
    if (!isTimestamp(at)) {
      const shown = typeof at === 'number' ? String(at) : describeValue(at);
      const error = new MillraceError('timestamp/invalid', `A timestamp is ${shown}, not an integer in ms.`, {
        remedy: 'Return whole milliseconds since the epoch.',
      });
      return this.context.reject(error, value, NO_TIMESTAMP);
    }
    if (at > this.largest) this.largest = at;
    this.context.emit(value, at);
    if (this.generator.onElement?.(value, at) === true) this.onPause();
  }
}
