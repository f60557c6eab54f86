import type { OperatorContext } from './operatorContext.ts';

/** What a handler may return: the elements to emit, or nothing. An array on hot paths, a generator for grace. */
export type Emits = (Iterable<unknown> & object) | void;
/** The element type of what a handler returns. */
export type Emitted<R> = R extends Iterable<infer O> ? O : never;

/** Emits what a handler returned, with the time of the element that it was called for. */
export function emitAll(context: OperatorContext, results: Emits): void {
  if (results === undefined) return;
  const { time } = context;
  if (Array.isArray(results)) for (let i = 0; i < results.length; i++) context.emit(results[i], time);
  else for (const result of results) context.emit(result, time);
}
