import { parentPort, workerData } from 'node:worker_threads';
import { work } from './work.ts';

/** What a bare thread is started with. */
export interface BareWorkerData {
  readonly steps: number;
  readonly keys: number;
}

/** Does what the job does for its share of elements, with a `Map`, and tells how many it has done until it is ended. */
const { steps, keys } = workerData as BareWorkerData;
const state = new Map<number, number>();
const LOOK = 10_000;
for (let i = 0; ; i++) {
  const key = i % keys;
  const before = state.get(key);
  state.set(key, before === undefined ? i : work(before ^ i, steps));
  if (i % LOOK === 0) parentPort!.postMessage(i);
}
