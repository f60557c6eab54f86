import type { Evictor, WindowElement } from '../time/evictor.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Pane, TimeWindow } from '../time/window.ts';
import { WindowAccumulators } from './windowAccumulators.ts';
import type { WindowAggregate } from './windowAggregate.ts';

/** The firing of a window, as those see it who make its results. */
export interface WindowFiring {
  readonly key: unknown;
  readonly window: TimeWindow;
  readonly pane: Pane;
}

/** Makes the results of a window out of its elements, and appends them to `results`. */
export type WindowFunction<E> = (elements: E, firing: WindowFiring, results: unknown[]) => void;

/** How windows hold their elements, and what they make of them. `C` is what one window holds. */
export interface WindowContents<C> {
  /** Adds an element; `contents` is `undefined` for a window's first. `input` is the input that it came from. */
  add(contents: C | undefined, value: unknown, timestamp: Timestamp, input: number): C;
  /** What two windows hold that become one; both are given up for it. */
  merge(first: C, second: C): C;
  /** Gives up what a window held. */
  release(contents: C): void;
  /** Appends the window's results, and gives what it holds from then on. */
  fire(contents: C, firing: WindowFiring, results: unknown[]): C | undefined;
  /** As plain data, and back. */
  save(contents: C): unknown;
  load(saved: unknown): C;
}

/** A row of accumulators in place of the elements. */
export class AggregatedContents implements WindowContents<number> {
  private readonly accumulators: WindowAccumulators;

  constructor(aggregate: WindowAggregate) {
    this.accumulators = new WindowAccumulators(aggregate);
  }

  add(row: number | undefined, value: unknown): number {
    this.accumulators.take(value);
    const added = row ?? this.accumulators.allocate();
    this.accumulators.addTaken(added);
    return added;
  }

  merge(first: number, second: number): number {
    this.accumulators.merge(first, second);
    this.accumulators.release(second);
    return first;
  }

  release(row: number): void {
    this.accumulators.release(row);
  }

  fire(row: number, _firing: WindowFiring, results: unknown[]): number {
    results.push(this.accumulators.result(row));
    return row;
  }

  save(row: number): unknown {
    return this.accumulators.read(row);
  }

  load(saved: unknown): number {
    const row = this.accumulators.allocate();
    this.accumulators.write(row, saved as Readonly<Record<string, unknown>>);
    return row;
  }
}

/** The elements themselves, for a function that wants to see them all. */
export class BufferedContents implements WindowContents<unknown[]> {
  private readonly fn: WindowFunction<readonly unknown[]>;

  constructor(fn: WindowFunction<readonly unknown[]>) {
    this.fn = fn;
  }

  add(values: unknown[] | undefined, value: unknown): unknown[] {
    if (values === undefined) return [value];
    values.push(value);
    return values;
  }

  merge(first: unknown[], second: unknown[]): unknown[] {
    return [...first, ...second];
  }

  release(): void {}

  fire(values: unknown[], firing: WindowFiring, results: unknown[]): unknown[] {
    // A copy: the function may pass the list on, and the window goes on filling its own.
    this.fn([...values], firing, results);
    return values;
  }

  save(values: unknown[]): unknown {
    return [...values];
  }

  load(saved: unknown): unknown[] {
    return [...(saved as unknown[])];
  }
}

/** Elements that an evictor takes some of whenever their window fires. */
export class EvictedContents implements WindowContents<readonly WindowElement<unknown>[]> {
  private readonly evictor: Evictor<unknown>;
  private readonly fn: WindowFunction<readonly unknown[]>;

  constructor(evictor: Evictor<unknown>, fn: WindowFunction<readonly unknown[]>) {
    this.evictor = evictor;
    this.fn = fn;
  }

  add(elements: readonly WindowElement<unknown>[] | undefined, value: unknown, timestamp: Timestamp): readonly WindowElement<unknown>[] {
    const element = { value, timestamp };
    if (elements === undefined) return [element];
    (elements as WindowElement<unknown>[]).push(element);
    return elements;
  }

  merge(first: readonly WindowElement<unknown>[], second: readonly WindowElement<unknown>[]): readonly WindowElement<unknown>[] {
    return [...first, ...second];
  }

  release(): void {}

  fire(
    elements: readonly WindowElement<unknown>[],
    firing: WindowFiring,
    results: unknown[],
  ): readonly WindowElement<unknown>[] | undefined {
    const { evictor } = this;
    const before = evictor.when === 'before' ? [...evictor.keep(elements, firing.window)] : elements;
    if (before.length === 0) return undefined;
    this.fn(
      before.map(({ value }) => value),
      firing,
      results,
    );
    const kept = evictor.when === 'after' ? [...evictor.keep(before, firing.window)] : before;
    return kept.length === 0 ? undefined : kept;
  }

  save(elements: readonly WindowElement<unknown>[]): unknown {
    return [...elements];
  }

  load(saved: unknown): readonly WindowElement<unknown>[] {
    return [...(saved as readonly WindowElement<unknown>[])];
  }
}

/** Aggregates elements that are held: what an aggregate is where an evictor may take some of them. */
export function foldAll(aggregate: WindowAggregate): WindowFunction<readonly unknown[]> {
  const accumulators = new WindowAccumulators(aggregate);
  const row = accumulators.allocate();
  return (elements, _firing, results) => {
    accumulators.clear(row);
    for (const element of elements) {
      accumulators.take(element);
      accumulators.addTaken(row);
    }
    results.push(accumulators.result(row));
  };
}
