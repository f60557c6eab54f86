import { type DataStream, generator, type Sink, type StreamEnvironment } from '@millrace/core';
import type { BatchSpec } from './batchSpec.ts';

/** What a random batch job is built from, beside its spec. */
export interface BatchSurroundings {
  readonly sink: (name: string) => Sink<unknown>;
  /** Called for each element of a stage by each of its subtasks: where failures on purpose come from. */
  readonly visitor: (stage: number) => () => void;
}

/** A prime: keys and sums go into all directions. */
const MIXED = 7919;

/** Builds a random batch job: numbers, and what its stages make of them. */
export function buildBatchJob(env: StreamEnvironment, { elements, stages }: BatchSpec, { sink, visitor }: BatchSurroundings): void {
  const numbers = (uid: string, count: number): DataStream<number> =>
    env.from(generator({ count, create: (i) => (i * MIXED) % 1009 }), { uid });
  let stream = visited(numbers('numbers', elements), 0, undefined);
  for (const [at, stage] of stages.entries()) {
    const options = { uid: `${stage.kind}${at}`, parallelism: stage.parallelism };
    const keyed = (of: DataStream<number>) => of.keyBy((n) => n % stage.keys);
    const make = (): DataStream<number> => {
      switch (stage.kind) {
        case 'sums':
          return keyed(stream)
            .reduce((a, b) => a + b, options)
            .flatMap((sum) => Array.from({ length: 12 }, (_, i) => (sum * 31 + i * MIXED) % 100_003), {
              ...options,
              uid: `many${at}`,
            });
        case 'each':
          return keyed(stream).process({ ...options, state: {}, onElement: (n: number) => [n + 1] });
        case 'pairs': {
          const others = numbers(`others${at}`, 40);
          return keyed(stream)
            .connect(keyed(others))
            .process({ ...options, state: {}, onLeft: (n: number) => [n + 2], onRight: (n: number) => [n + 1] });
        }
        case 'even':
          return stream.rescale().map((n) => n * 2 + 1, options);
      }
    };
    stream = visited(make(), at + 1, stage.parallelism);
    if (stage.hasSink) written(stream, `stage${at}`, stage.parallelism);
  }
  written(stream, 'out', undefined);

  function written(of: DataStream<number>, name: string, parallelism: number | undefined): void {
    const options = parallelism === undefined ? {} : { parallelism };
    of.map((n) => ({ n }), { ...options, uid: `line.${name}` }).sinkTo(sink(name), { ...options, uid: `to.${name}` });
  }

  function visited(of: DataStream<number>, stage: number, parallelism: number | undefined): DataStream<number> {
    const visit = visitor(stage);
    return of.map(
      (n) => {
        visit();
        return n;
      },
      { uid: `visit${stage}`, ...(parallelism !== undefined && { parallelism }) },
    );
  }
}
