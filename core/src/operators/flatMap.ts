import type { OperatorDefinition } from './operator.ts';
import { emitAll } from './emits.ts';

/** Any number of elements out for each that comes in; a function per input. */
export function flatMapOperator(...fns: readonly ((value: never) => Iterable<unknown>)[]): OperatorDefinition {
  return {
    create: (context) => ({
      inputs: fns.map((fn) => (value: never) => emitAll(context, fn(value))),
      inline: (site, input) => site.emitEach(site.evaluate(`${site.bind(fns[input], 'flatMap')}(${site.value})`)),
    }),
  };
}
