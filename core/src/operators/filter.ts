import type { OperatorDefinition } from './operator.ts';

/** Lets pass what the predicate says yes to; the rest shows as the difference of its two record counts. */
export function filterOperator(predicate: (value: never) => unknown): OperatorDefinition {
  return {
    create: (context) => ({
      inputs: [
        (value) => {
          if (predicate(value)) context.emit(value, context.time);
        },
      ],
      inline: (site) =>
        site.block(`if (${site.evaluate(`${site.bind(predicate, 'filter')}(${site.value})`)})`, () => site.emit(site.value)),
    }),
  };
}
