import type { AggregateDefinition } from './aggregateDefinition.ts';
import { type Column, NumberColumn, ObjectColumn } from './column.ts';
import { PACKED_AVERAGE, PACKED_COUNT, PACKED_MAX, PACKED_MIN, PACKED_SUM, type PackedAggregate } from './packed.ts';

/**
 * One aggregate for many keys: accumulators in columns, one per slot. `add` takes the number that the aggregate's `of` gave (1 for
 * a count), or the element where there is no `of`. A slot is used after `reset`.
 */
export interface Cells extends Column {
  /** The same aggregate in a row of numbers, where its accumulator is nothing but numbers. */
  readonly packed?: PackedAggregate;
  add(slot: number, input: unknown): void;
  /** Folds another table's accumulator into this one's. */
  merge(slot: number, from: Cells, fromSlot: number): void;
  result(slot: number): unknown;
  /** The accumulator as plain data, and its return: what a snapshot holds. */
  read(slot: number): unknown;
  write(slot: number, accumulator: unknown): void;
}

/** How many. */
export class CountCells implements Cells {
  readonly packed: PackedAggregate = PACKED_COUNT;
  private readonly counts = new NumberColumn();
  reserve(capacity: number): void {
    this.counts.reserve(capacity);
  }
  reset(slot: number): void {
    this.counts.set(slot, 0);
  }
  add(slot: number, _input: unknown): void {
    this.counts.add(slot, 1);
  }
  merge(slot: number, from: CountCells, fromSlot: number): void {
    this.counts.add(slot, from.counts.get(fromSlot));
  }
  result(slot: number): number {
    return this.counts.get(slot);
  }
  read(slot: number): number {
    return this.counts.get(slot);
  }
  write(slot: number, count: unknown): void {
    this.counts.set(slot, count as number);
  }
}

/** A sum of numbers. */
export class SumCells implements Cells {
  readonly packed: PackedAggregate = PACKED_SUM;
  private readonly sums = new NumberColumn();
  reserve(capacity: number): void {
    this.sums.reserve(capacity);
  }
  reset(slot: number): void {
    this.sums.set(slot, 0);
  }
  add(slot: number, input: number): void {
    this.sums.add(slot, input);
  }
  merge(slot: number, from: SumCells, fromSlot: number): void {
    this.sums.add(slot, from.sums.get(fromSlot));
  }
  result(slot: number): number {
    return this.sums.get(slot);
  }
  read(slot: number): number {
    return this.sums.get(slot);
  }
  write(slot: number, sum: unknown): void {
    this.sums.set(slot, sum as number);
  }
}

/** A mean, as its sum and its count. */
export class AverageCells implements Cells {
  readonly packed: PackedAggregate = PACKED_AVERAGE;
  private readonly sums = new NumberColumn();
  private readonly counts = new NumberColumn();
  reserve(capacity: number): void {
    this.sums.reserve(capacity);
    this.counts.reserve(capacity);
  }
  reset(slot: number): void {
    this.sums.set(slot, 0);
    this.counts.set(slot, 0);
  }
  add(slot: number, input: number): void {
    this.sums.add(slot, input);
    this.counts.add(slot, 1);
  }
  merge(slot: number, from: AverageCells, fromSlot: number): void {
    this.sums.add(slot, from.sums.get(fromSlot));
    this.counts.add(slot, from.counts.get(fromSlot));
  }
  result(slot: number): number {
    return this.sums.get(slot) / this.counts.get(slot);
  }
  read(slot: number): readonly [number, number] {
    return [this.sums.get(slot), this.counts.get(slot)];
  }
  write(slot: number, accumulator: unknown): void {
    const [sum, count] = accumulator as readonly [number, number];
    this.sums.set(slot, sum);
    this.counts.set(slot, count);
  }
}

/** The largest number, or the smallest: the largest of the negated ones. */
export class ExtremeCells implements Cells {
  readonly packed: PackedAggregate;
  private readonly extremes = new NumberColumn(-Infinity);
  private readonly sign: 1 | -1;
  constructor(sign: 1 | -1) {
    this.sign = sign;
    this.packed = sign > 0 ? PACKED_MAX : PACKED_MIN;
  }
  reserve(capacity: number): void {
    this.extremes.reserve(capacity);
  }
  reset(slot: number): void {
    this.extremes.set(slot, -Infinity);
  }
  add(slot: number, input: number): void {
    const signed = input * this.sign;
    if (signed > this.extremes.get(slot)) this.extremes.set(slot, signed);
  }
  merge(slot: number, from: ExtremeCells, fromSlot: number): void {
    const signed = from.extremes.get(fromSlot);
    if (signed > this.extremes.get(slot)) this.extremes.set(slot, signed);
  }
  result(slot: number): number {
    return this.extremes.get(slot) * this.sign;
  }
  read(slot: number): number {
    return this.result(slot);
  }
  write(slot: number, extreme: unknown): void {
    this.extremes.set(slot, (extreme as number) * this.sign);
  }
}

/** Any aggregate, one accumulator object per slot. */
export class ObjectCells implements Cells {
  private readonly accumulators = new ObjectColumn<unknown>();
  private readonly definition: AggregateDefinition<never, unknown, unknown>;
  constructor(definition: AggregateDefinition<never, unknown, unknown>) {
    this.definition = definition;
  }
  reserve(capacity: number): void {
    this.accumulators.reserve(capacity);
  }
  reset(slot: number): void {
    this.accumulators.set(slot, this.definition.create());
  }
  add(slot: number, input: unknown): void {
    this.accumulators.set(slot, this.definition.add(this.accumulators.get(slot), input as never));
  }
  merge(slot: number, from: ObjectCells, fromSlot: number): void {
    // The first accumulator is ours to change. The second may become the result as it is, and change with it later: where accumulators
    // change in place it has to be a copy.
    const other = from.accumulators.get(fromSlot);
    const { definition } = this;
    this.accumulators.set(
      slot,
      definition.merge(this.accumulators.get(slot), definition.copy === undefined ? other : definition.copy(other)),
    );
  }
  result(slot: number): unknown {
    return this.definition.result(this.accumulators.get(slot));
  }
  read(slot: number): unknown {
    return this.accumulators.get(slot);
  }
  write(slot: number, accumulator: unknown): void {
    this.accumulators.set(slot, accumulator);
  }
}
