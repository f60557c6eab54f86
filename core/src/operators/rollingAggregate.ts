import type { AggregateShape } from '../state/aggregate.ts';
import { AggregateTable } from '../state/aggregateTable.ts';
import type { AggregateState } from '../state/backend.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import { resultCode, writeAdd } from './aggregateCode.ts';
import type { CodeSite } from './codeSite.ts';
import type { OperatorDefinition } from './operator.ts';

/**
 * The aggregates of each key over everything so far: emitted with every element, or once per key at its end in batch mode. With `only`, the
 * value is that one field's. */
export function rollingAggregateOperator(shape: AggregateShape<never>, only?: string): OperatorDefinition {
  return {
    create: (context) => {
      const aggregates = context.subtask.backend.openAggregates('aggregates', shape);
      const rolling = context.subtask.emission === 'rolling';
      const emit = (time: number): void => {
        const result = aggregates.result();
        // All of the key's elements were rejected.
        if (result === undefined) return;
        context.emit({ key: context.key, value: only === undefined ? result : result[only] }, time);
      };
      return {
        ignoresTime: true,
        inputs: [
          (value) => {
            aggregates.add(value);
            if (rolling) emit(context.time);
          },
        ],
        ...(aggregates instanceof AggregateTable && { inline: (site: CodeSite) => writeAggregate(site, aggregates, rolling, only) }),
        onKeyEnd: () => emit(MAX_TIMESTAMP),
      };
    },
  };
}

function writeAggregate(site: CodeSite, table: AggregateState & AggregateTable, rolling: boolean, only: string | undefined): void {
  const row = writeAdd(site, table.fields, () => site.evaluate(`${site.bind(table, 'aggregates')}.rowOf(${site.key})`));
  const result = resultCode(site, table.fields, row);
  if (rolling)
    site.emit(site.evaluate(`{ key: ${site.key}, value: ${only === undefined ? result : `${result}[${JSON.stringify(only)}]`} }`));
}
