import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { RingLinks, type SharedWays } from '../src/node/ringLinks.ts';
import { CreditGate, CreditWindow, DEFAULT_CREDIT } from '../src/runtime/creditWindow.ts';
import { systemClock } from '../src/time/systemClock.ts';

/** What a worker of the benchmark is started with. */
export interface ExchangeWorkerData {
  readonly here: number;
  readonly ways: SharedWays;
  readonly port: MessagePort;
  readonly records: number;
}

interface Row {
  readonly id: number;
  readonly amount: number;
  readonly name: string;
}

const BATCH = 1000;
const { here, ways, port, records } = workerData as ExchangeWorkerData;
const links = new RingLinks(ways, here);
links.watch();

/** All of them made before any is sent. Every seventh name is not ASCII. */
const batches: Row[][] = here === 1 ? Array.from({ length: records / BATCH }, (_, batch) => rows(batch)) : [];
const timestamps = Array.from({ length: BATCH }, (_, i) => 1_700_000_000_000 + i);
let kept: Row[] = [];

function rows(batch: number): Row[] {
  return Array.from({ length: BATCH }, (_, i) => {
    const id = batch * BATCH + i;
    return { id, amount: id * 0.25, name: `${id % 7 === 0 ? 'ü' : 'u'}${100_000_000 + id}` };
  });
}

async function sendFrames(): Promise<void> {
  let free: (() => void) | undefined;
  let isBlocked = false;
  const writer = {
    block: () => void (isBlocked = true),
    unblock: () => {
      isBlocked = false;
      free?.();
    },
  };
  const outlet = links.to(2).outlet(1, new CreditGate(new CreditWindow(DEFAULT_CREDIT, systemClock), writer), 'sender');
  for (const values of batches) {
    outlet.push({ kind: 'records', values, timestamps });
    links.look();
    while (isBlocked) {
      await new Promise<void>((resolve) => (free = resolve));
    }
  }
}

function receiveFrames(): void {
  const queue = links.to(1).inlet(1, () => {
    for (let element = queue.poll(); element !== undefined; element = queue.poll()) {
      if (element.kind === 'records') keep(element.values as Row[]);
    }
  });
}

function keep(values: readonly Row[]): void {
  for (const value of values) kept.push(value);
  if (kept.length < records) return;
  if (kept[records - 1]!.id !== records - 1 || kept[7]!.name.charCodeAt(0) !== 0xfc) throw new Error('Something else has come.');
  parentPort!.postMessage('done');
}

if (here === 2) {
  receiveFrames();
  port.on('message', (values: readonly Row[]) => keep(values));
}
parentPort!.on('message', (message: 'frames' | 'messages' | 'forget') => {
  if (message === 'forget') {
    kept = [];
    (globalThis as { gc?: () => void }).gc?.();
    parentPort!.postMessage('forgotten');
  } else if (message === 'frames') void sendFrames();
  else for (const values of batches) port.postMessage(values);
});
parentPort!.postMessage('ready');
