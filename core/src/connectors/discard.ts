import { defineSink, type Sink } from '../operators/connector.ts';

/**
 * Takes every element and does nothing: for measuring, and for outputs that nobody wants but whose operators have to run.
 *
 * @example
 * env.from(generator({ count: 1_000_000, create: (i) => i })).sinkTo(discard());
 */
export function discard(): Sink<unknown> {
  return defineSink<unknown>({
    name: 'discard',
    open: () => ({
      write: () => undefined,
      writeOne: () => undefined,
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });
}
