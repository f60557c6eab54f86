import { MillraceError } from '../errors/millraceError.ts';
import { DataStream } from './dataStream.ts';

/** The result of an operator with side outputs. They end at the next verb: take them here. */
export class OperatorStream<out T, out O> extends DataStream<T> {
  /**
   * The stream of a side output.
   *
   * @throws MillraceError `output/undeclared` for a name that the operator does not have.
   * @example
   * const env = new StreamEnvironment();
   * const positive = env.from(fromArray([1, -2])).process({
   *   outputs: { negative: output<number>() },
   *   onElement: (n: number, context) => (n > 0 ? [n] : context.output('negative', n)),
   * });
   * console.log(await positive.side('negative').collect()); // [ -2 ]
   */
  side<N extends keyof O & string>(name: N): DataStream<O[N]> {
    const { factory, builder, parts } = this.origin;
    const outputs = builder.graph().nodes[parts[0]!.from]!.outputs;
    if (outputs.includes(name)) return factory.data(this.origin.side(name));
    throw new MillraceError('output/undeclared', `There is no side output "${name}".`, {
      uid: builder.graph().nodes[parts[0]!.from]!.uid,
      remedy: outputs.length === 0 ? 'This operator has none.' : `It has: ${outputs.join(', ')}.`,
    });
  }
}
