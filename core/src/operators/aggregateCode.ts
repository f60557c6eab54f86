import type { AggregateField } from '../state/aggregateTable.ts';
import type { CodeSite } from './codeSite.ts';

/** Writes `addToFields` out: one monomorphic call per field, the user's `of` inlined beside it. */
export function writeAdd(
  site: CodeSite,
  fields: readonly AggregateField[],
  slot: string,
  cellsOf: readonly string[] = boundCells(site, fields),
): void {
  const inputs = fields.map(({ aggregate, name }) =>
    aggregate.of === undefined ? site.value : site.evaluate(`${site.bind(aggregate.of, `of_${name}`)}(${site.value})`),
  );
  fields.forEach(({ aggregate: { of } }, i) => {
    const add = `${cellsOf[i]!}.add(${slot}, ${inputs[i]!})`;
    // Without an `of` the accumulator itself is the user's code.
    if (of === undefined) site.evaluate(add);
    else site.statement(`${add};`);
  });
}

/** Writes `resultOfFields` out, as an object literal of a shape that never changes. */
export function resultCode(
  site: CodeSite,
  fields: readonly AggregateField[],
  slot: string,
  cellsOf: readonly string[] = boundCells(site, fields),
): string {
  return `{ ${fields.map(({ name }, i) => `${property(name)}: ${cellsOf[i]!}.result(${slot})`).join(', ')} }`;
}

/** `"__proto__": x` in a literal would set the prototype; as a computed name it is a field like any other. */
function property(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}

function boundCells(site: CodeSite, fields: readonly AggregateField[]): string[] {
  return fields.map(({ cells, name }) => site.bind(cells, `cells_${name}`));
}
