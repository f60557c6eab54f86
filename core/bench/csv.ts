/**
 * Reading CSV: a file of six columns (three of them numbers) through `csvFile`, held against what one writes by hand for a file without
 * quotes: read it whole, split the lines, split the cells, `Number` on the numeric ones. Both begin with a file on disk and end with objects.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { csvFile } from '../src/node/csvFile.ts';
import type { DiscoveryContext, Source, SourceReader } from '../src/operators/connector.ts';
import { systemClock } from '../src/time/systemClock.ts';

/** One figure: what ours did and what the hand-written loop did, in the same run. */
export interface CsvResult {
  readonly id: string;
  readonly ours: number;
  readonly baseline: number;
  readonly unit: string;
  /** `ours / baseline`: more than 1 when ours is faster. */
  readonly ratio: number;
}

const Payment = z.object({
  id: z.coerce.number(),
  at: z.coerce.number(),
  card: z.string(),
  terminal: z.string(),
  amount: z.coerce.number(),
  country: z.string(),
});
type Payment = z.infer<typeof Payment>;

/** Measures both, in interleaved rounds; the figures are medians. */
export async function csv(quick: boolean): Promise<CsvResult[]> {
  const rows = quick ? 100_000 : 600_000;
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const path = join(directory, 'payments.csv');
  try {
    await writeFile(path, payments(rows));
    const contenders = {
      loop: () => Promise.resolve(splitAndNumber(path)),
      untyped: () => drain(csvFile(path), (row) => row['amount']!.length),
      zod: () => drain(csvFile(path, Payment), (row) => row.amount),
    };
    const seconds = await interleave(contenders, rows, quick ? 5 : 9);
    const rate = (name: keyof typeof contenders): number => rows / seconds[name];
    return [result('core/csv-vs-split', rate('zod'), rate('loop')), result('core/csv-untyped-vs-split', rate('untyped'), rate('loop'))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function result(id: string, ours: number, baseline: number): CsvResult {
  return { id, ours: Math.round(ours), baseline: Math.round(baseline), unit: 'rows/s', ratio: Number((ours / baseline).toFixed(3)) };
}

/** The loop by hand. */
function splitAndNumber(path: string): number {
  const lines = readFileSync(path, 'utf8').split('\n');
  const rows: Payment[] = [];
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index]!;
    if (line === '') continue;
    const cells = line.split(',');
    rows.push({
      id: Number(cells[0]),
      at: Number(cells[1]),
      card: cells[2]!,
      terminal: cells[3]!,
      amount: Number(cells[4]),
      country: cells[5]!,
    });
    if (rows.length === 2_000) rows.length = 0; // as little is kept as by the source
  }
  return lines.length - 2;
}

async function drain<T>(source: Source<T>, touch: (row: T) => number): Promise<number> {
  const reader = (await source.definition.open()) as unknown as SourceReader<T, never>;
  const signal = new AbortController().signal;
  const context: DiscoveryContext = { signal, bounded: true, clock: systemClock, later: setImmediate, ended: async () => undefined };
  const splits = (await reader.splits(context)) as readonly string[];
  let count = 0;
  let sum = 0;
  for (const split of splits) {
    for await (const { values } of reader.read(split, undefined, context)) {
      for (let index = 0; index < values.length; index++) sum += touch(values[index]!);
      count += values.length;
    }
  }
  return sum > 0 ? count : 0;
}

/** Seconds per round, as medians: one round of each, then the next, so that what else the machine does hits all alike. */
async function interleave<N extends string>(
  contenders: Readonly<Record<N, () => Promise<number>>>,
  rows: number,
  rounds: number,
): Promise<Record<N, number>> {
  const names = Object.keys(contenders) as N[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<N, number[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now();
      const count = await contenders[name]();
      if (count !== rows) throw new Error(`${name} read ${count} of ${rows} rows`);
      if (round >= 0) times[name].push((performance.now() - start) / 1_000); // the first round warms up
    }
  }
  return Object.fromEntries(names.map((name) => [name, times[name].toSorted((a, b) => a - b)[rounds >> 1]!])) as Record<N, number>;
}

function payments(rows: number): string {
  let seed = 42;
  const below = (limit: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return Math.floor((seed / 2_147_483_647) * limit);
  };
  const lines = ['id,at,card,terminal,amount,country'];
  for (let id = 0; id < rows; id++) {
    const amount = (below(20_000) / 100).toFixed(2);
    lines.push(
      `${id},${1_760_000_000_000 + id * 37},card-${below(5_000)},terminal-${below(10_000)},${amount},${['DE', 'GB', 'FR', 'US'][below(4)]}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
