import type { Operator, OperatorContext, OperatorDefinition, Timestamp } from '../src/index.ts';

/** An operator that passes on elements and watermarks as entries of one list, in the order in which they come. */
export function recorded<T>(entry: (value: T, timestamp: Timestamp | undefined) => unknown): OperatorDefinition {
  return {
    create: (context: OperatorContext): Operator => ({
      inputs: [(value: T) => context.emit(entry(value, context.timestamp), context.time)],
      onWatermark: (watermark) => context.emit(['wm', watermark], watermark),
    }),
  };
}
