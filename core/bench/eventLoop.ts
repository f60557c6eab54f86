import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { forEach, generator } from '../src/index.ts';
import { benchEnvironment } from './benchEnvironment.ts';
import { type BenchResult, compare } from './measure.ts';
import { closures, type Row, Tally } from './records.ts';

const KEYS = 1000;
const BATCH = 1024;
/** How often a request comes, in ms. */
const EVERY = 10;

type Body = (records: number, tally: Tally) => Promise<void>;

/**
 * How long the event loop keeps others waiting (p99, ms) while a job runs at full speed beside an HTTP server in its process. Against
 * what one writes by hand: `for await` over batches, which never lets the loop turn.
 */
export async function eventLoop(quick: boolean): Promise<BenchResult[]> {
  const records = quick ? 2_000_000 : 20_000_000;
  const side = (body: Body) => (): Promise<number> => delayBeside(body, records);
  return [await compare('core/event-loop', 'ms p99', { rounds: 5, ours: side(job), baseline: side(forAwait), higherIsBetter: false })];
}

async function delayBeside(body: Body, records: number): Promise<number> {
  const server = createServer((_request, response) => response.end('here'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const requests = request(server);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const tally = new Tally();
  delay.enable();
  // The first turn is where the measurement of the second begins.
  await new Promise((resolve) => setTimeout(resolve, 10));
  await body(records, tally);
  // What has waited until now is counted too.
  await new Promise((resolve) => setTimeout(resolve, 20));
  delay.disable();
  await requests.stop();
  await new Promise((resolve) => server.close(resolve));
  if (tally.records === 0 || requests.answered() === 0) throw new Error('the job or the server did nothing');
  return delay.percentile(99) / 1e6;
}

/** A client that asks again and again. */
function request(server: Server): { readonly answered: () => number; readonly stop: () => Promise<void> } {
  const { port } = server.address() as AddressInfo;
  let answered = 0;
  let open = 0;
  const ask = (): void => {
    open++;
    get({ port, host: '127.0.0.1', agent: false }, (response) =>
      response.resume().on('end', () => {
        answered++;
        open--;
      }),
    );
  };
  ask();
  const timer = setInterval(ask, EVERY);
  return {
    answered: () => answered,
    async stop() {
      clearInterval(timer);
      while (open > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
}

function row(i: number): Row {
  return { key: `key-${i % KEYS}`, n: i & 1023 };
}

async function job(records: number, tally: Tally): Promise<void> {
  const { map, filter, key, reduce } = closures();
  const env = benchEnvironment();
  env
    .from(generator({ count: records, create: row }), { uid: 'rows' })
    .map(map)
    .filter(filter)
    .keyBy(key)
    .reduce(reduce, { uid: 'reduced' })
    .sinkTo(forEach(tally.take), { uid: 'sink' });
  await env.execute('full speed');
}

async function forAwait(records: number, tally: Tally): Promise<void> {
  const { map, filter, key, reduce } = closures();
  const state = new Map<string, Row>();
  for await (const batch of batches(records)) {
    for (const each of batch) {
      const mapped = map(each);
      if (!filter(mapped)) continue;
      const before = state.get(key(mapped));
      const after = before === undefined ? mapped : reduce(before, mapped);
      state.set(key(mapped), after);
      tally.take(after);
    }
  }
}

async function* batches(records: number): AsyncGenerator<readonly Row[]> {
  for (let from = 0; from < records; from += BATCH) yield Array.from({ length: BATCH }, (_, i) => row(from + i));
}
