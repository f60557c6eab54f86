import type { OperatorDefinition } from './operator.ts';

/** One element out for each that comes in; a function per input. */
export function mapOperator(...fns: readonly ((value: never) => unknown)[]): OperatorDefinition {
  return {
    create: (context) => ({
      inputs: fns.map((fn) => (value: never) => context.emit(fn(value), context.time)),
      inline: (site, input) => site.emit(site.evaluate(`${site.bind(fns[input], 'map')}(${site.value})`)),
    }),
  };
}
