import { defineSink, type Sink } from '../operators/connector.ts';

/**
 * Calls a function with each element. A promise that it returns is waited for before the next element: that is the
 * backpressure. What it throws fails the job. At-least-once.
 *
 * @example
 * const seen: number[] = [];
 * env.from(fromArray([1, 2, 3])).sinkTo(forEach((n) => seen.push(n)));
 * await env.execute('gather');
 */
export function forEach<T>(fn: (value: T) => unknown): Sink<T> {
  return defineSink<T>({
    name: 'forEach',
    open: () => ({
      write: () => undefined,
      // What is no promise the engine passes over.
      writeOne: fn as (value: T) => void | Promise<void>,
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });
}
