import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { defineSource, forEach, generator, type Source } from '../src/index.ts';
import { benchEnvironment } from './benchEnvironment.ts';
import { type BenchResult, median } from './measure.ts';

/** An element, and when it was due on the clock that `performance.now` shows. */
interface Tick {
  readonly key: number;
  readonly n: number;
  readonly due: number;
}

const RATE = 100_000;
const KEYS = 1000;
const MICRO_BATCH = 500;
const ROUNDS = 5;
/** Scavenges of a large young generation are what the slowest records wait for. */
const SEMI_SPACE = 1;

/** Percentiles of the time from when an element was due to the sink, in µs. */
interface Latency {
  readonly p99: number;
  readonly p999: number;
}

/**
 * How long an element takes from its scheduled time to the sink, 100,000 of them a second, beside the same pipeline when its elements
 * come in micro-batches of 500 ms, and beside a loop that does the same by hand. In a process of its own, with a young generation of 1 MB.
 */
export function latency(quick: boolean): Promise<BenchResult[]> {
  return new Promise((resolve, reject) => {
    const execArgv = ['--conditions=@millrace/source', '--import=tsx', `--max-semi-space-size=${SEMI_SPACE}`];
    const child = fork(fileURLToPath(import.meta.url), [quick ? 'quick' : 'full'], { execArgv });
    child.on('message', (results) => resolve(results as BenchResult[]));
    child.on('exit', (code) => reject(new Error(`The measurement of latency ended with ${code}.`)));
  });
}

async function measure(quick: boolean): Promise<BenchResult[]> {
  const seconds = quick ? 1 : 5;
  const ours: Latency[] = [];
  const baseline: Latency[] = [];
  const byHand: Latency[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [one, other, bare] = [await run(scheduled(seconds), seconds), await run(microBatches(seconds), seconds), await loop(seconds)];
    // The first round warms up.
    if (round === 0) continue;
    ours.push(one);
    baseline.push(other);
    byHand.push(bare);
  }
  return [
    result('core/latency', 'p99', ours, baseline),
    result('core/latency-p99.9', 'p999', ours, baseline),
    result('core/latency-vs-loop', 'p99', ours, byHand),
  ];
}

function result(id: string, of: keyof Latency, ours: readonly Latency[], baseline: readonly Latency[]): BenchResult {
  const [a, b] = [median(ours.map((latencies) => latencies[of])), median(baseline.map((latencies) => latencies[of]))];
  const ratio = median(ours.map((latencies, round) => baseline[round]![of] / latencies[of]));
  return { id, ours: a, baseline: b, unit: `µs, semi-space ${SEMI_SPACE} MB`, ratio };
}

async function run(source: Source<Tick>, seconds: number): Promise<Latency> {
  const latencies = new Float64Array(RATE * seconds);
  let arrived = 0;
  const env = benchEnvironment();
  env
    .from(source, { uid: 'ticks', time: { timestamp: ({ due }) => Math.floor(due) } })
    .map(({ key, n, due }) => ({ key, n: n + 1, due }))
    .filter(({ n }) => n > 0)
    .keyBy(({ key }) => key)
    .reduce((a, b) => ({ key: a.key, n: a.n + b.n, due: b.due }), { uid: 'reduced' })
    .sinkTo(
      forEach(({ due }) => void (latencies[arrived++] = performance.now() - due)),
      { uid: 'sink' },
    );
  await env.execute('latency');
  if (arrived !== latencies.length) throw new Error(`${arrived} of ${latencies.length} elements arrived`);
  return percentiles(latencies);
}

/** What this machine can do at best: the same elements and steps, in turns of the event loop. */
async function loop(seconds: number): Promise<Latency> {
  const latencies = new Float64Array(RATE * seconds);
  const state = new Map<number, Tick>();
  const start = performance.now();
  for (let i = 0; i < latencies.length;) {
    const due = Math.min(latencies.length, Math.floor(((performance.now() - start) * RATE) / 1000));
    for (; i < due; i++) {
      const { key, n, due: at } = tick(i, start + (i * 1000) / RATE);
      const mapped = { key, n: n + 1, due: at };
      if (mapped.n <= 0) continue;
      const before = state.get(key);
      const after = before === undefined ? mapped : { key, n: before.n + mapped.n, due: mapped.due };
      state.set(key, after);
      latencies[i] = performance.now() - after.due;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return percentiles(latencies);
}

function percentiles(latencies: Float64Array): Latency {
  latencies.sort();
  const at = (share: number): number => latencies[Math.floor(share * latencies.length)]! * 1000;
  return { p99: at(0.99), p999: at(0.999) };
}

function tick(i: number, due: number): Tick {
  return { key: i % KEYS, n: i & 1023, due };
}

function scheduled(seconds: number): Source<Tick> {
  return generator({ count: RATE * seconds, rate: RATE, create: (i, _random, { due }) => tick(i, due) });
}

/** The same elements, due at the same times, when they are only looked at twice a second. */
function microBatches(seconds: number): Source<Tick> {
  const size = (RATE * MICRO_BATCH) / 1000;
  return defineSource<Tick, number>({
    name: 'micro-batches',
    bounded: true,
    open: () => ({
      splits: async () => ['all'],
      async *read() {
        const start = performance.now();
        for (let from = 0; from < RATE * seconds; from += size) {
          const over = start + ((from + size) * 1000) / RATE;
          await new Promise((resolve) => setTimeout(resolve, over - performance.now()));
          const values = Array.from({ length: size }, (_, i) => tick(from + i, start + ((from + i) * 1000) / RATE));
          yield { values, position: from + size };
        }
      },
    }),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.send!(await measure(process.argv[2] === 'quick'));
  process.disconnect();
}
