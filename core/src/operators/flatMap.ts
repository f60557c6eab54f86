import type { OperatorDefinition } from './operator.ts';
import { emitAll } from './emits.ts';

/** Any number of elements out for each that comes in. */
export function flatMapOperator(fn: (value: never) => Iterable<unknown>): OperatorDefinition {
  return {
    create: (context) => ({
      inputs: [(value) => emitAll(context, fn(value))],
      inline: (site) => site.emitEach(site.evaluate(`${site.bind(fn, 'flatMap')}(${site.value})`)),
    }),
  };
}
