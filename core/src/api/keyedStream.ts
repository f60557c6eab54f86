import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import { processOperator } from '../operators/keyedProcess.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import { reduceOperator } from '../operators/reduce.ts';
import { rollingAggregateOperator } from '../operators/rollingAggregate.ts';
import { type Aggregate, type AggregateResult, type AggregateShape, max, min, sum } from '../state/aggregate.ts';
import type { StateShape } from '../state/descriptor.ts';
import type { TimerShape } from '../state/keyedTimers.ts';
import { declarationsOf, handlersOf, type KeyedBehaviour } from './behaviour.ts';
import { DataStream } from './dataStream.ts';
import type { OperatorStream } from './operatorStream.ts';

/** A key and a number over its elements. */
export interface KeyedNumber<K> {
  readonly key: K;
  readonly value: number;
}

/** A stream whose elements of one key meet in one place: state, timers, windows and joins are per key. */
export class KeyedStream<K, out T> extends DataStream<T> {
  /** Filtering keeps the key. */
  override filter<R extends T>(fn: (value: T) => value is R, options?: OperatorOptions): KeyedStream<K, R>;
  override filter(fn: (value: T) => boolean, options?: OperatorOptions): KeyedStream<K, T>;
  override filter(fn: (value: T) => boolean, options?: OperatorOptions): KeyedStream<K, T> {
    const { factory, key } = this.origin;
    const filtered = factory.data<T>(this.origin.exchanged('forward')).filter(fn, options);
    return factory.keyed(filtered.origin.keyed(key!));
  }

  /** A process function: handlers over the key's state, timers and side outputs, all declared beside them. */
  process<
    const S extends StateShape = {},
    const TM extends TimerShape = {},
    const OT extends OutputShape = {},
    R extends Emits = void,
    RT extends Emits = void,
  >(behaviour: KeyedBehaviour<K, T, S, TM, OT, R, RT>): OperatorStream<Emitted<R> | Emitted<RT>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onElement']), declarationsOf(behaviour));
    return this.origin.factory.operator(this.origin.append({ kind: 'process', operator, options: behaviour }));
  }

  /** The aggregates of each key over everything so far: with every element, or once per key at the end in batch mode. */
  aggregate<const A extends AggregateShape<T>>(
    aggregates: A,
    options?: OperatorOptions,
  ): DataStream<{ readonly key: K; readonly value: AggregateResult<A> }> {
    const operator = rollingAggregateOperator(aggregates as AggregateShape<never>);
    return this.origin.factory.data(
      this.origin.append({ kind: 'aggregate', operator, options, traits: { stateful: true }, details: shapeDetails(aggregates) }),
    );
  }

  /** Folds the elements of a key into one, associatively: with every element, or once per key at the end in batch mode. */
  reduce(fn: (a: T, b: T) => T, options?: OperatorOptions): DataStream<T> {
    return this.rolling('reduce', fn, options);
  }

  /** The running sum of a number per element; once per key at the end in batch mode. */
  sum(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('sum', sum(of), options);
  }

  /** The smallest number so far. */
  min(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('min', min(of), options);
  }

  /** The largest number so far. */
  max(of: (value: T) => number, options?: OperatorOptions): DataStream<KeyedNumber<K>> {
    return this.single('max', max(of), options);
  }

  /** The element with the smallest number so far; the first of equals. */
  minBy(of: (value: T) => number, options?: OperatorOptions): DataStream<T> {
    return this.rolling('minBy', (a, b) => (of(b) < of(a) ? b : a), options);
  }

  /** The element with the largest number so far; the first of equals. */
  maxBy(of: (value: T) => number, options?: OperatorOptions): DataStream<T> {
    return this.rolling('maxBy', (a, b) => (of(b) > of(a) ? b : a), options);
  }

  private rolling(kind: string, fn: (a: T, b: T) => T, options: OperatorOptions | undefined): DataStream<T> {
    return this.origin.factory.data(this.origin.append({ kind, operator: reduceOperator(fn), options, traits: { stateful: true } }));
  }

  private single(kind: string, aggregate: Aggregate<T, number>, options: OperatorOptions | undefined): DataStream<KeyedNumber<K>> {
    const operator = rollingAggregateOperator({ value: aggregate } as AggregateShape<never>, 'value');
    return this.origin.factory.data(this.origin.append({ kind, operator, options, traits: { stateful: true } }));
  }
}

function shapeDetails(aggregates: AggregateShape<never>): Record<string, string> {
  return {
    aggregates: Object.entries(aggregates)
      .map(([name, { name: kind }]) => `${name}: ${kind}`)
      .join(', '),
  };
}
