import type { DataStream } from './dataStream.ts';
import type { KeyedStream } from './keyedStream.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';
import type { RunOptions } from './runOptions.ts';

/** Makes the fluent classes, which refer to each other: each knows the others' types, only the environment their code. */
export interface StreamFactory {
  data<T>(origin: StreamOrigin): DataStream<T>;
  operator<T, O>(origin: StreamOrigin): OperatorStream<T, O>;
  keyed<K, T>(origin: StreamOrigin): KeyedStream<K, T>;
  /** Runs the job up to a stream and gathers its elements. */
  collect<T>(stream: StreamOrigin, options: RunOptions & { readonly limit?: number }): Promise<T[]>;
}
