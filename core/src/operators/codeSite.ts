/**
 * Where an operator writes itself into its chain's generated driver. The driver of a chain is one function of its own, so that
 * the calls of this chain's user functions stay monomorphic and are inlined by the compiler, however many other pipelines run in the
 * process. Text handed in is JavaScript over the names that the site gives out; values come in through {@link bind}.
 */
export interface CodeSite {
  /** The names that hold the element and its timestamp. */
  readonly value: string;
  readonly timestamp: string;
  /** The name that holds the element's key; only for keyed inputs. */
  readonly key: string;
  /** Makes the element's key the current one, for handlers that use state through the context. Nothing, where the input is not keyed. */
  enterKey(): void;
  /** A name for a value of the operator's: a user function, a state handle. */
  bind(value: unknown, hint: string): string;
  /** A name for the result of an expression that runs user code; what it throws is dealt with as `onError` says. */
  evaluate(expression: string): string;
  /** A statement that runs no user code. */
  statement(text: string): void;
  /** A statement that runs once, when the driver is made: where what runs outside of an element's journey is compiled with it. */
  once(text: string): void;
  /** `head { … }`, such as an `if` or a loop. */
  block(head: string, body: () => void): void;
  /** Passes an element on; with the timestamp of the one that came in, unless another is named. */
  emit(value: string, timestamp?: string): void;
  /** Passes on all elements of an iterable, or none if it is `undefined`. */
  emitEach(iterable: string): void;
}
