import type { OperatorDefinition } from './operator.ts';

/** One element out for each that comes in. */
export function mapOperator(fn: (value: never) => unknown): OperatorDefinition {
  return {
    create: (context) => ({
      inputs: [(value) => context.emit(fn(value), context.time)],
      inline: (site) => site.emit(site.evaluate(`${site.bind(fn, 'map')}(${site.value})`)),
    }),
  };
}
