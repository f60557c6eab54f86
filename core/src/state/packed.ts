/**
 * An aggregate whose accumulator is a few numbers, kept side by side with those of other aggregates in a row of a typed array: where
 * rows are touched in no order, one piece of memory is fetched for all of them.
 */
export interface PackedAggregate {
  /** How many numbers. */
  readonly width: number;
  /** Makes the accumulator at a place empty. */
  reset(values: Float64Array, at: number): void;
  /** Adds what the aggregate's `of` gave. */
  add(values: Float64Array, at: number, input: number): void;
  /** Folds another accumulator into the one at `at`. */
  merge(values: Float64Array, at: number, from: Float64Array, fromAt: number): void;
  result(values: Float64Array, at: number): number;
  /** The accumulator as plain data, and back: the same as that of the aggregate's `Cells`. */
  read(values: Float64Array, at: number): unknown;
  write(values: Float64Array, at: number, accumulator: unknown): void;
}

/** How many. */
export const PACKED_COUNT: PackedAggregate = {
  width: 1,
  reset(values, at) {
    values[at] = 0;
  },
  add(values, at) {
    values[at]! += 1;
  },
  merge(values, at, from, fromAt) {
    values[at]! += from[fromAt]!;
  },
  result: (values, at) => compact(values[at]!),
  read: (values, at) => values[at]!,
  write(values, at, count) {
    values[at] = count as number;
  },
};

/** A sum of numbers. */
export const PACKED_SUM: PackedAggregate = {
  width: 1,
  reset(values, at) {
    values[at] = 0;
  },
  add(values, at, input) {
    values[at]! += input;
  },
  merge(values, at, from, fromAt) {
    values[at]! += from[fromAt]!;
  },
  result: (values, at) => compact(values[at]!),
  read: (values, at) => values[at]!,
  write(values, at, sum) {
    values[at] = sum as number;
  },
};

/** A mean, as its sum and its count. */
export const PACKED_AVERAGE: PackedAggregate = {
  width: 2,
  reset(values, at) {
    values[at] = 0;
    values[at + 1] = 0;
  },
  add(values, at, input) {
    values[at]! += input;
    values[at + 1]! += 1;
  },
  merge(values, at, from, fromAt) {
    values[at]! += from[fromAt]!;
    values[at + 1]! += from[fromAt + 1]!;
  },
  result: (values, at) => values[at]! / values[at + 1]!,
  read: (values, at) => [values[at]!, values[at + 1]!],
  write(values, at, accumulator) {
    const [sum, count] = accumulator as readonly [number, number];
    values[at] = sum;
    values[at + 1] = count;
  },
};

/** The largest number. */
export const PACKED_MAX: PackedAggregate = {
  width: 1,
  reset(values, at) {
    values[at] = -Infinity;
  },
  add(values, at, input) {
    if (input > values[at]!) values[at] = input;
  },
  merge(values, at, from, fromAt) {
    if (from[fromAt]! > values[at]!) values[at] = from[fromAt]!;
  },
  result: (values, at) => values[at]!,
  read: (values, at) => values[at]!,
  write(values, at, extreme) {
    values[at] = extreme as number;
  },
};

/** The smallest number. */
export const PACKED_MIN: PackedAggregate = {
  width: 1,
  reset(values, at) {
    values[at] = Infinity;
  },
  add(values, at, input) {
    if (input < values[at]!) values[at] = input;
  },
  merge(values, at, from, fromAt) {
    if (from[fromAt]! < values[at]!) values[at] = from[fromAt]!;
  },
  result: (values, at) => values[at]!,
  read: (values, at) => values[at]!,
  write(values, at, extreme) {
    values[at] = extreme as number;
  },
};

/** The same number; a small integer as V8 keeps small integers, which takes no memory of its own in a result. */
function compact(value: number): number {
  const integer = value | 0;
  return integer === value ? integer : value;
}
