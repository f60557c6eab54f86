import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { detect, pattern } from '../src/index.ts';
import { type BenchResult, collectGarbage } from './measure.ts';
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
  const wanted = pattern<Tick>()
    .begin('a')
    .where((tick) => tick.type === 0)
    .followedBy('b')
    .within({ minutes: 1 });
  const env = new StreamEnvironment();
  collectGarbage();
  const before = used();
  let after = 0;
  env
    .from(fromArray([...ticks, { ...ticks[0]!, type: 0, at: keys }, { ...ticks[0]!, at: keys + 1 }]), {
      time: { timestamp: (tick) => tick.at },
    })
    .keyBy((tick) => tick.key)
    .pipe(detect(wanted, () => 'found'))
    .sinkTo(
      forEach(() => {
        collectGarbage();
        after = used();
      }),
    );
  await env.execute('bench');
  const ours = (after - before) / 1_048_576;
  collectGarbage();
  const start = used();
  const objects = new Map(ticks.map(({ key }) => [key, { runs: [] }]));
  collectGarbage();
  const baseline = (used() - start) / 1_048_576;
  if (objects.size !== keys) throw new Error('unreachable');
  return [{ id: 'cep/idle-keys', ours, baseline, unit: 'MB', ratio: baseline / Math.max(ours, 0.01) }];
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
