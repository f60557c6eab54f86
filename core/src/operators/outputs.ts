declare const valueType: unique symbol;

/** A side output, declared beside the handlers of a behaviour. */
export interface Output<out T> {
  readonly [valueType]?: () => T;
}

/** Declares a side output of elements of type `T`. */
export function output<T>(): Output<T> {
  return {};
}

/** Names to side outputs, as a behaviour declares them. */
export type OutputShape = Readonly<Record<string, Output<unknown>>>;
/** Names to element types. */
export type OutputStreams<S> = { [P in keyof S]: S[P] extends Output<infer X> ? X : never };
