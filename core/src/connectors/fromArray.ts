import { defineSource, type Source } from '../operators/connector.ts';

/** Elements per batch. */
const BATCH = 1024;

/** The elements of an array, in order, once. */
export function fromArray<T>(values: readonly T[]): Source<T> {
  return defineSource<T, number>({
    name: 'array',
    bounded: true,
    open: () => ({
      splits: async () => ['array'],
      async *read(_split, from = 0) {
        for (let at = from; at < values.length; at += BATCH) {
          const batch = values.slice(at, at + BATCH);
          yield { values: batch, position: at + batch.length };
        }
      },
    }),
  });
}
