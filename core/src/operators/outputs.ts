declare const valueType: unique symbol;

/** A side output, declared beside the handlers of a behaviour. */
export interface Output<out T> {
  readonly [valueType]?: () => T;
}

/**
 * Declares a side output of elements of type `T`.
 *
 * @example
 * const env = new StreamEnvironment();
 * const sorted = env.from(fromArray([1, -2])).process({
 *   outputs: { negative: output<number>() },
 *   onElement: (n: number, context) => (n < 0 ? context.output('negative', n) : [n]),
 * });
 * console.log(await sorted.side('negative').collect()); // [ -2 ]
 */
export function output<T>(): Output<T> {
  return {};
}

/** Names to side outputs, as a behaviour declares them. */
export type OutputShape = Readonly<Record<string, Output<unknown>>>;
/** Names to element types. */
export type OutputStreams<S> = { [P in keyof S]: S[P] extends Output<infer X> ? X : never };
