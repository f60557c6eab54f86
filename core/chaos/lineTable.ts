import { defineSink, type Sink } from '@millrace/core';
import { sqliteSink } from '@millrace/core/sqlite';
import type { SinkDefinition } from '../src/operators/connector.ts';

const SETUP = 'CREATE TABLE IF NOT EXISTS lines (line TEXT NOT NULL)';

/** A table with a row of JSON for each element. */
export function lineTable(path: string): Sink<unknown> {
  const table = sqliteSink<{ readonly line: string }>(path, { table: 'lines', columns: ['line'], setup: SETUP });
  const { name, open } = table.definition as unknown as SinkDefinition<{ readonly line: string }, unknown>;
  return defineSink<unknown, unknown>({
    name,
    async open(context) {
      const writer = await open(context);
      return {
        write: (values) => writer.write(values.map((value) => ({ line: JSON.stringify(value) }))),
        prepare: (checkpoint) => writer.prepare(checkpoint),
        commit: (committables) => writer.commit(committables),
        recover: (committables, state) => writer.recover!(committables, state),
        close: (failure) => writer.close!(failure),
      };
    },
  });
}
