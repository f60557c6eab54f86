import { ExternalSorter, type RecordFormat } from '../state/externalSorter.ts';
import { compareKeys, type Key } from '../state/key.ts';
import { ValueCodec } from '../state/valueCodec.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** What is done with a subtask's whole input: its elements, in the order that was asked for, to results. */
export interface WholeInput {
  /** What the elements are sorted by; the order of arrival when left out. */
  readonly by?: { readonly key: (value: never) => Key; readonly order: 'ascending' | 'descending' };
  readonly results: (elements: Iterable<unknown>) => Iterable<unknown>;
}

/**
 * Gathers everything that a subtask is given, on disk when memory is short, and gives out what a function makes of it at the end:
 * mapPartition, sortPartition.
 */
export function atEndOperator(whole: WholeInput): OperatorDefinition {
  return { create: (context) => new AtEndOperator(context, whole) };
}

/** An element, boxed, since `undefined` is one too and ends a cursor; with its key, which is asked for once. */
interface Boxed {
  readonly value: unknown;
  readonly key: Key;
}

class AtEndOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => this.add(value)];
  readonly ignoresTime = true;
  private readonly context: OperatorContext;
  private readonly whole: WholeInput;
  private readonly sorter: ExternalSorter<Boxed>;
  private results: Iterator<unknown> | undefined;
  /** Results that a checkpoint held, of input that had ended. */
  private restored: unknown[] | undefined;
  private hasElements = false;

  constructor(context: OperatorContext, whole: WholeInput) {
    this.context = context;
    this.whole = whole;
    const codec = new ValueCodec();
    const format: RecordFormat<Boxed> = {
      write: ({ value }, writer) => codec.write(value, writer),
      read: (reader) => this.boxed(codec.read(reader)),
    };
    this.sorter = new ExternalSorter(comparison(whole), format, context.subtask.workspace);
  }

  onEnd(): boolean {
    this.results ??= this.allResults();
    while (this.context.hasCredit()) {
      const result = this.results.next();
      if (result.done === true) return true;
      this.context.emit(result.value, MAX_TIMESTAMP);
    }
    return false;
  }

  close(): void {
    this.sorter.dispose();
  }

  operatorEntries(): Iterable<OperatorStateEntry> {
    if (this.results !== undefined) {
      // What is left of them, and the sign that the input had ended although there may be nothing left.
      const left = [...rest(this.results)];
      this.results = left[Symbol.iterator]();
      return [
        { state: 'results', mode: 'split', items: left },
        { state: 'ended', mode: 'union', items: [true] },
      ];
    }
    const items = [...this.elements()];
    return items.length === 0 ? [] : [{ state: 'elements', mode: 'split', items }];
  }

  restoreOperatorEntry({ state, items }: OperatorStateEntry): void {
    if (state === 'elements') for (const value of items) this.add(value);
    else this.restored = [...(this.restored ?? []), ...(state === 'results' ? items : [])];
  }

  private add(value: unknown): void {
    this.hasElements = true;
    this.sorter.add(this.boxed(value));
  }

  private boxed(value: unknown): Boxed {
    return { value, key: this.whole.by?.key(value as never) ?? 0 };
  }

  private *allResults(): Iterator<unknown> {
    if (this.restored !== undefined) yield* this.restored;
    if (this.restored === undefined || this.hasElements) yield* this.whole.results(this.elements());
  }

  private *elements(): Generator<unknown> {
    const cursor = this.sorter.sorted();
    for (let record = cursor.next(); record !== undefined; record = cursor.next()) yield record.value;
  }
}

function* rest(iterator: Iterator<unknown>): Generator<unknown> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value;
}

function comparison({ by }: WholeInput): (a: Boxed, b: Boxed) => number {
  if (by === undefined) return () => 0;
  const sign = by.order === 'descending' ? -1 : 1;
  return (a, b) => sign * compareKeys(a.key, b.key);
}
