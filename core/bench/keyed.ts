import { count, forEach, fromArray } from '../src/index.ts';
import { KeyedTable } from '../src/state/keyedTable.ts';
import { AggregateTable } from '../src/state/aggregateTable.ts';
import { benchEnvironment } from './benchEnvironment.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from './measure.ts';
import { freshRows, type Row } from './records.ts';

/** A count per key, for a thousand and for a million keys, and what a key costs in memory. */
export async function keyed(quick: boolean): Promise<BenchResult[]> {
  const few = quick ? 500_000 : 3_000_000;
  const many = quick ? 1_000_000 : 4_000_000;
  return [
    await compare('core/keyed-count-1k-vs-loop', 'M records/s', {
      rounds: 5,
      ours: timed(few, 1000, run),
      baseline: timed(few, 1000, loop),
    }),
    await compare('core/keyed-count-1m-vs-loop', 'M records/s', {
      rounds: 5,
      ours: timed(many, 1_000_000, run),
      baseline: timed(many, 1_000_000, loop),
    }),
    memory('core/keyed-memory-1.0m', 1_000_000),
    memory('core/keyed-memory-1.1m', 1_100_000),
  ];
}

interface Counted {
  readonly key: string;
  readonly value: { readonly n: number };
}

function timed(records: number, keys: number, body: (rows: Row[], take: (counted: Counted) => void) => void | Promise<void>): Side {
  return async () => {
    const rows = freshRows(records, keys);
    collectGarbage();
    let total = 0;
    const start = performance.now();
    await body(rows, ({ value }) => void (total += value.n));
    const took = performance.now() - start;
    if (total < records) throw new Error('not everything was counted');
    return rate(records, took);
  };
}

async function run(rows: Row[], take: (counted: Counted) => void): Promise<void> {
  const env = benchEnvironment();
  env
    .from(fromArray(rows), { uid: 'rows', time: { timestamp: (row) => row.n } })
    .keyBy((row) => row.key)
    .aggregate({ n: count() }, { uid: 'counts' })
    .sinkTo(forEach(take), { uid: 'sink' });
  await env.execute('bench');
}

/** What one would write by hand: an object per key in a `Map`, and the same result object for each record. */
function loop(rows: Row[], take: (counted: Counted) => void): void {
  const state = new Map<string, { n: number }>();
  for (const row of rows) {
    const { key } = row;
    let counted = state.get(key);
    if (counted === undefined) state.set(key, (counted = { n: 0 }));
    counted.n++;
    take({ key, value: { n: counted.n } });
  }
}

/** Bytes per key beyond the key itself, against a `Map` of objects. The ratio is above 1 when ours takes less. */
function memory(id: string, keys: number): BenchResult {
  const names = Array.from({ length: keys }, (_, i) => Buffer.from(`key-${i}`).toString('latin1'));
  const table = new KeyedTable();
  const ours = grown(() => {
    const counts = new AggregateTable('counts', { n: count() }, table);
    for (const name of names) {
      table.enter(name);
      counts.add(undefined);
    }
    return counts;
  });
  const baseline = grown(() => new Map(names.map((name) => [name, { n: 1 }])));
  return { id, ours: ours / keys, baseline: baseline / keys, unit: 'bytes/key', ratio: baseline / ours };
}

function grown(make: () => object): number {
  collectGarbage();
  const before = process.memoryUsage();
  const made = make();
  collectGarbage();
  const after = process.memoryUsage();
  // Still in use here, so that it was not collected.
  if (Object.keys(made).length < 0) throw new Error('unreachable');
  return after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
}
