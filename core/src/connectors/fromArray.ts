import { defineSource, type Source } from '../operators/connector.ts';

/** Elements per batch. */
const BATCH = 1024;

/**
 * The elements of an array, in order, once. The array is read when the job runs; the position is an index into it.
 *
 * @example
 * const total = await env.from(fromArray([1, 2, 3])).map((n) => n * 2).collect(); // [2, 4, 6]
 */
export function fromArray<T>(values: readonly T[]): Source<T> {
  return defineSource<T, number>({
    name: 'array',
    bounded: true,
    open: () => ({
      splits: async () => ['array'],
      count: async () => values.length,
      async *read(_split, from = 0, { signal }) {
        for (let at = from; at < values.length && !signal.aborted; at += BATCH) {
          const batch = values.slice(at, at + BATCH);
          yield { values: batch, position: at + batch.length };
        }
      },
    }),
  });
}
