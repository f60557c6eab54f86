import type { AggregateField } from '../state/aggregateTable.ts';
import type { CodeSite } from './codeSite.ts';

/**
 * Writes `AggregateTable.add` out: one monomorphic call per field, the user's `of` inlined beside it. `row` writes the look-up of the row,
 * and its name is returned.
 */
export function writeAdd(site: CodeSite, fields: readonly AggregateField[], row: () => string): string {
  const inputs = fields.map(({ aggregate, name }) =>
    aggregate.of === undefined ? site.value : site.evaluate(`${site.bind(aggregate.of, `of_${name}`)}(${site.value})`),
  );
  const slot = row();
  const cells = boundCells(site, fields);
  fields.forEach(({ aggregate: { of } }, i) => {
    const add = `${cells[i]!}.add(${slot}, ${inputs[i]!})`;
    // Without an `of` the accumulator itself is the user's code.
    if (of === undefined) site.evaluate(add);
    else site.statement(`${add};`);
  });
  return slot;
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
export function property(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}

function boundCells(site: CodeSite, fields: readonly AggregateField[]): string[] {
  return fields.map(({ cells, name }) => site.bind(cells, `cells_${name}`));
}
