import { count, forEach, fromArray, sliding, sum, tumbling, type WindowAssigner, type WindowResult } from '../src/index.ts';
import { benchEnvironment } from './benchEnvironment.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from './measure.ts';

/** A payment, in order of time. */
interface Payment {
  readonly card: string;
  readonly at: number;
  readonly cents: number;
}

interface Totals {
  readonly n: number;
  readonly total: number;
}

type Take = (result: WindowResult<string, Totals>) => void;
type Body = (payments: readonly Payment[], take: Take) => void | Promise<void>;

const CARDS = 10_000;
/** An hour of a day of our time: milliseconds that need more than 32 bits, as real ones do. */
const START = 1_760_000_400_000;

/**
 * How many payments and how many cents per card: over each second, and over the last 60 seconds every second. In the first, 100,000
 * payments come per second of event time, ten for a card and window. In the second it is 20,000 per second, two for a card and
 * second, so that all 60 panes of a card hold something, over ten minutes (a quick run: half of the cards, 70 seconds).
 */
export async function windows(quick: boolean): Promise<BenchResult[]> {
  return [await tumblingResult(quick ? 1_000_000 : 4_000_000), await (quick ? slidingResult(70, CARDS / 2) : slidingResult(600, CARDS))];
}

/** Against the faster of two loops that one would write by hand. */
async function tumblingResult(records: number): Promise<BenchResult> {
  const side = (body: Body): Side => timed(records, 100_000, body);
  const ours = side(engine(tumbling({ seconds: 1 })));
  const results: BenchResult[] = [];
  for (const baseline of [mapPerWindow, accumulatorPerKey])
    results.push(await compare('core/tumbling-vs-loop', 'M records/s', { rounds: 5, ours, baseline: side(baseline) }));
  return results.reduce((worst, result) => (result.ratio < worst.ratio ? result : worst));
}

async function slidingResult(seconds: number, cards: number): Promise<BenchResult> {
  const perSecond = 2 * cards;
  const side = (duration: number, body: Body): Side => timed(duration * perSecond, perSecond, body, cards);
  const ours = side(seconds, engine(sliding({ seconds: 60 }, { every: { seconds: 1 } })));
  // A payment costs the loop the same at any time, 60 accumulators, and two minutes of it take as long as an hour of the engine.
  const baseline = side(Math.min(seconds, 120), accumulatorPerWindow);
  return compare('core/sliding-vs-naive', 'M records/s', { rounds: 5, ours, baseline });
}

/** A side over fresh payments; making them is not timed. */
function timed(records: number, perSecond: number, body: Body, cards = CARDS): Side {
  return async () => {
    const payments = freshPayments(records, perSecond, cards);
    collectGarbage();
    let n = 0;
    const start = performance.now();
    await body(payments, ({ value }) => void (n += value.n));
    const took = performance.now() - start;
    if (n < records) throw new Error(`${n} of ${records} payments were counted`);
    return rate(records, took);
  };
}

/** The user functions, made anew for each run: both sides get closures of the same kind. */
function closures(): {
  readonly timestamp: (p: Payment) => number;
  readonly card: (p: Payment) => string;
  readonly cents: (p: Payment) => number;
} {
  return { timestamp: (p) => p.at, card: (p) => p.card, cents: (p) => p.cents };
}

function engine(window: WindowAssigner<unknown>): Body {
  return async (payments, take) => {
    const { timestamp, card, cents } = closures();
    const env = benchEnvironment();
    env
      .from(fromArray(payments), { uid: 'payments', time: { timestamp } })
      .keyBy(card)
      .window(window)
      .aggregate({ n: count(), total: sum(cents) }, { uid: 'totals' })
      .sinkTo(forEach(take), { uid: 'sink' });
    await env.execute('bench');
  };
}

interface Accumulator {
  n: number;
  total: number;
}

const pane = { timing: 'onTime', index: 0, final: true } as const;

/** A `Map` for each window, thrown away when it is over. */
function mapPerWindow(payments: readonly Payment[], take: Take): void {
  const { timestamp, card, cents } = closures();
  let accumulators = new Map<string, Accumulator>();
  let end = START + 1000;
  const fire = (): void => {
    const window = { start: end - 1000, end };
    for (const [key, { n, total }] of accumulators) take({ key, window, value: { n, total }, pane });
    accumulators = new Map();
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    for (; at >= end; end += 1000) fire();
    const key = card(payment);
    let accumulator = accumulators.get(key);
    if (accumulator === undefined) accumulators.set(key, (accumulator = { n: 0, total: 0 }));
    accumulator.n++;
    accumulator.total += cents(payment);
  }
  fire();
}

/** One `Map`, whose accumulators are emptied when a window is over. */
function accumulatorPerKey(payments: readonly Payment[], take: Take): void {
  const { timestamp, card, cents } = closures();
  const accumulators = new Map<string, Accumulator>();
  let end = START + 1000;
  const fire = (): void => {
    const window = { start: end - 1000, end };
    for (const [key, accumulator] of accumulators) {
      const { n, total } = accumulator;
      if (n === 0) continue;
      take({ key, window, value: { n, total }, pane });
      accumulator.n = 0;
      accumulator.total = 0;
    }
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    for (; at >= end; end += 1000) fire();
    const key = card(payment);
    let accumulator = accumulators.get(key);
    if (accumulator === undefined) accumulators.set(key, (accumulator = { n: 0, total: 0 }));
    accumulator.n++;
    accumulator.total += cents(payment);
  }
  fire();
}

/** A `Map` for each window again, of which each payment is in 60. */
function accumulatorPerWindow(payments: readonly Payment[], take: Take): void {
  const { timestamp, card, cents } = closures();
  const windows = new Map<number, Map<string, Accumulator>>();
  let second = START;
  const fire = (until: number): void => {
    for (const [start, accumulators] of windows) {
      if (start + 60_000 > until) break;
      const window = { start, end: start + 60_000 };
      for (const [key, { n, total }] of accumulators) take({ key, window, value: { n, total }, pane });
      windows.delete(start);
    }
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    for (; at >= second + 1000; second += 1000) fire(second + 1000);
    const key = card(payment);
    const amount = cents(payment);
    for (let start = second - 59_000; start <= second; start += 1000) {
      let accumulators = windows.get(start);
      if (accumulators === undefined) windows.set(start, (accumulators = new Map()));
      let accumulator = accumulators.get(key);
      if (accumulator === undefined) accumulators.set(key, (accumulator = { n: 0, total: 0 }));
      accumulator.n++;
      accumulator.total += amount;
    }
  }
  fire(Infinity);
}

/** Payments whose card strings this process has never seen before: see `freshRows`. */
function freshPayments(records: number, perSecond: number, cards: number): Payment[] {
  const payments: Payment[] = [];
  let state = 1;
  for (let i = 0; i < records; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const card = Buffer.from(`card-${Math.floor((state / 4_294_967_296) * cards)}`).toString('latin1');
    payments.push({ card, at: START + Math.floor((i * 1000) / perSecond), cents: 1 + (i & 1023) });
  }
  return payments;
}
