import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { detect, pattern } from '../src/index.ts';
import { type BenchResult, collectGarbage } from '../../core/bench/measure.ts';
import type { Tick } from './ticks.ts';

/** What a million keys hold that saw one event which no pattern wants, in MB. The baseline is an object per key. */
export async function memory(quick: boolean): Promise<BenchResult[]> {
  const keys = quick ? 100_000 : 1_000_000;
  const ticks = Array.from({ length: keys }, (_, at): Tick => ({
    key: Buffer.from(`key-${at}`).toString('latin1'),
    type: 9,
    price: 1,
    at,
  }));
  const wanted = [0, 1].map((after): Tick => ({ ...ticks[0]!, type: 0, at: keys + after }));
  // The first run compiles what the second is measured with.
  await held([...ticks.slice(0, 1_000), ...wanted]);
  const ours = await held([...ticks, ...wanted]);
  const start = used();
  const objects = new Map(ticks.map(({ key }) => [key, { runs: [] }]));
  const baseline = used() - start;
  if (objects.size !== keys) throw new Error('unreachable');
  return [{ id: 'cep/idle-keys', ours, baseline, unit: 'MB', ratio: baseline / Math.max(ours, 0.01) }];
}

/** What is held, in MB, when the last two of the ticks are a match. */
async function held(ticks: Tick[]): Promise<number> {
  const pair = pattern<Tick>()
    .begin('a')
    .where((tick) => tick.type === 0)
    .followedBy('b')
    .within({ minutes: 1 });
  const env = new StreamEnvironment();
  const before = used();
  let after = 0;
  env
    .from(fromArray(ticks), { time: { timestamp: (tick) => tick.at } })
    .keyBy((tick) => tick.key)
    .pipe(detect(pair, () => 'found'))
    .sinkTo(forEach(() => void (after = used())));
  await env.execute('bench');
  return after - before;
}

function used(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1_048_576;
}
