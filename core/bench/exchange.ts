import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { sharedWays } from '../src/node/ringLinks.ts';
import type { ExchangeWorkerData } from './exchangeWorker.ts';
import { type BenchResult, compare, rate, type Side } from './measure.ts';

/** Records from one thread to another: frames through shared memory, against messages of the same objects in batches of 1,000. */
export async function exchange(quick: boolean): Promise<BenchResult[]> {
  const records = quick ? 200_000 : 1_000_000;
  const ways = sharedWays(3);
  const { port1, port2 } = new MessageChannel();
  const [sender, receiver] = await Promise.all([
    start({ here: 1, ways, port: port1, records }),
    start({ here: 2, ways, port: port2, records }),
  ]);
  const side =
    (how: 'frames' | 'messages'): Side =>
    async () => {
      receiver.postMessage('forget');
      await once(receiver, 'message');
      const began = performance.now();
      sender.postMessage(how);
      await once(receiver, 'message');
      return rate(records, performance.now() - began);
    };
  const sides = { ours: side('frames'), baseline: side('messages'), rounds: quick ? 5 : 9 };
  const result = await compare('core/exchange', 'M records/s', sides);
  await Promise.all([sender.terminate(), receiver.terminate()]);
  return [result];
}

async function start(workerData: ExchangeWorkerData): Promise<Worker> {
  const worker = new Worker(new URL('./exchangeWorker.js', import.meta.url), { workerData, transferList: [workerData.port] });
  await once(worker, 'message');
  return worker;
}
