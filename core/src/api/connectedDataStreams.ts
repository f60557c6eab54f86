import type { OperatorOptions } from '../graph/builder.ts';
import type { Emits, Emitted } from '../operators/emits.ts';
import { flatMapOperator } from '../operators/flatMap.ts';
import { processOperator } from '../operators/keyedProcess.ts';
import { mapOperator } from '../operators/map.ts';
import type { OperatorDefinition } from '../operators/operator.ts';
import type { OutputShape, OutputStreams } from '../operators/outputs.ts';
import { type Behaviour, declarationsOf, handlersOf, type PlainContext } from './behaviour.ts';
import type { DataStream } from './dataStream.ts';
import type { OperatorStream } from './operatorStream.ts';
import type { StreamOrigin } from './origin.ts';

/** A function for the elements of each side. */
export interface SideFunctions<in L, in R, out RL, out RR> {
  readonly left: (value: L) => RL;
  readonly right: (value: R) => RR;
}

/** A process function over two inputs without a key. */
export interface CoBehaviour<L, RI, OT extends OutputShape, RL extends Emits, RR extends Emits> extends Behaviour<never, never, OT> {
  onLeft(value: L, context: PlainContext<OT>): RL;
  onRight(value: RI, context: PlainContext<OT>): RR;
}

/** Two streams of different elements that meet in one operator. */
export class ConnectedDataStreams<L, RI> {
  protected readonly left: StreamOrigin;
  protected readonly right: StreamOrigin;

  /** @internal */
  constructor(left: StreamOrigin, right: StreamOrigin) {
    this.left = left;
    this.right = right;
  }

  /**
   * One element out for each that comes in on either side.
   *
   * @example
   * const env = new StreamEnvironment();
   * const told = env.from(fromArray([1])).connect(env.from(fromArray(['two']))).map({ left: (n) => `number ${n}`, right: (s) => `word ${s}` });
   * console.log((await told.collect()).toSorted()); // [ 'number 1', 'word two' ]
   */
  map<RL, RR>(functions: SideFunctions<L, RI, RL, RR> & OperatorOptions): DataStream<RL | RR> {
    const { left, right } = functions;
    return this.left.factory.data(this.next('map', functions, mapOperator(left, right)));
  }

  /**
   * Any number of elements out for each that comes in on either side.
   *
   * @example
   * const env = new StreamEnvironment();
   * const parts = env.from(fromArray([12])).connect(env.from(fromArray(['a b']))).flatMap({ left: (n) => [n / 2], right: (s) => s.split(' ') });
   * console.log((await parts.collect()).length); // 3
   */
  flatMap<RL, RR>(functions: SideFunctions<L, RI, Iterable<RL> & object, Iterable<RR> & object> & OperatorOptions): DataStream<RL | RR> {
    const { left, right } = functions;
    return this.left.factory.data(this.next('flatMap', functions, flatMapOperator(left, right)));
  }

  /**
   * A process function with a handler per side. State and timers belong to keys: connect keyed streams for these.
   *
   * @example
   * const env = new StreamEnvironment();
   * const lengths = env.from(fromArray([1])).connect(env.from(fromArray(['two']))).process({
   *   onLeft: (n) => [n],
   *   onRight: (word, { counter }) => { counter('words').add(); return [word.length]; },
   * });
   * console.log((await lengths.collect()).toSorted()); // [ 1, 3 ]
   */
  process<const OT extends OutputShape = {}, RL extends Emits = void, RR extends Emits = void>(
    behaviour: CoBehaviour<L, RI, OT, RL, RR>,
  ): OperatorStream<Emitted<RL> | Emitted<RR>, OutputStreams<OT>> {
    const operator = processOperator(handlersOf(behaviour, ['onLeft', 'onRight']), declarationsOf(behaviour));
    return this.left.factory.operator(this.next('process', behaviour, operator));
  }

  protected next(kind: string, options: OperatorOptions, operator: OperatorDefinition): StreamOrigin {
    return this.left.append({ kind, operator, options }, [this.right]);
  }
}
