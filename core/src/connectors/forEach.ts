import { defineSink, type Sink } from '../operators/connector.ts';

/**
 * Calls a function with each element. A promise that it returns is waited for before the next element: that is the
 * backpressure. At-least-once.
 */
export function forEach<T>(fn: (value: T) => void | Promise<void>): Sink<T> {
  return defineSink<T>({
    name: 'forEach',
    open: () => ({
      write: () => undefined,
      writeOne: fn,
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });
}
