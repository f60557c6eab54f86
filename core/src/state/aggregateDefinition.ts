/**
 * An aggregate by hand. `add` may change the accumulator in place and returns it; `merge` serves session windows, shared panes
 * and two-phase aggregation, must be associative, and may change `a` only if there is a `copy`.
 */
export interface AggregateDefinition<T, A, R> {
  create(): A;
  add(accumulator: A, value: T): A;
  merge(a: A, b: A): A;
  result(accumulator: A): R;
  /** Needed where `add` or `merge` change an accumulator in place: lets a snapshot drain while `add` goes on. */
  copy?(accumulator: A): A;
  /**
   * True where an accumulator grows with the number of its elements, such as a list or a set. A frame that slides over elements (`over`)
   * then folds them anew for each result instead of holding an accumulator with each.
   */
  readonly grows?: boolean;
}
