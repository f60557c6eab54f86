import { count, forEach, fromArray, sliding, StreamEnvironment, sum, tumbling, type WindowResult } from '../src/index.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from './measure.ts';

/** A payment, in order of time. */
interface Payment {
  readonly card: string;
  readonly at: number;
  readonly cents: number;
}

type Totals = WindowResult<string, { readonly n: number; readonly total: number }>;
type Take = (result: Totals) => void;

const KEYS = 10_000;
const START = 1_760_000_000_000;

/**
 * A count and a sum per card: over each second, at 100,000 payments per second of event time, so ten per card and window; and over
 * the last 60 seconds, every second.
 */
export async function windows(quick: boolean): Promise<BenchResult[]> {
  return [
    await tumblingBench(quick ? 1_000_000 : 2_000_000),
    await slidingBench(quick ? 70 : 600, 20_000),
  ];
}

/** Ours against the better of two loops that one would write by hand. */
async function tumblingBench(records: number): Promise<BenchResult> {
  const options = { records, perSecond: 100_000 };
  const ours = timed(options, (payments, take) => run(payments, tumbling({ seconds: 1 }), take));
  const perWindow = await compare('core/tumbling-vs-loop', 'M records/s', { rounds: 7, ours, baseline: timed(options, mapPerWindow) });
  const perKey = await compare('core/tumbling-vs-loop', 'M records/s', { rounds: 7, ours, baseline: timed(options, accumulatorPerKey) });
  console.error(perWindow, perKey);
  return perWindow.ratio < perKey.ratio ? perWindow : perKey;
}

async function slidingBench(seconds: number, perSecond: number): Promise<BenchResult> {
  const options = { records: seconds * perSecond, perSecond };
  const ours = timed(options, (payments, take) => run(payments, sliding({ seconds: 60 }, { every: { seconds: 1 } }), take));
  const r = await compare('core/sliding-vs-naive', 'M records/s', { rounds: 5, ours, baseline: timed(options, accumulatorPerWindow) });
  console.error(r);
  return r;
}

function timed({ records, perSecond }: { readonly records: number; readonly perSecond: number }, body: (payments: Payment[], take: Take) => void | Promise<void>): Side {
  return async () => {
    const payments = freshPayments(records, perSecond);
    collectGarbage();
    let n = 0;
    let total = 0;
    const start = performance.now();
    await body(payments, (result) => {
      n += result.value.n;
      total += result.value.total;
    });
    const took = performance.now() - start;
    if (n < records || total < n) throw new Error(`not everything was counted: ${n}`);
    return rate(records, took);
  };
}

async function run(payments: Payment[], window: ReturnType<typeof tumbling>, take: Take): Promise<void> {
  const env = new StreamEnvironment();
  env
    .from(fromArray(payments), { time: { timestamp: (p) => p.at } })
    .keyBy((p) => p.card)
    .window(window)
    .aggregate({ n: count(), total: sum((p) => p.cents) })
    .sinkTo(forEach(take));
  await env.execute('bench');
}

interface Accumulator {
  n: number;
  total: number;
}

const pane = { timing: 'onTime', index: 0, final: true } as const;

function mapPerWindow(payments: Payment[], take: Take): void {
  const timestamp = (p: Payment): number => p.at;
  const key = (p: Payment): string => p.card;
  const cents = (p: Payment): number => p.cents;
  let start = -Infinity;
  let accumulators = new Map<string, Accumulator>();
  const flush = (): void => {
    const window = { start, end: start + 1000 };
    for (const [card, { n, total }] of accumulators) take({ key: card, window, value: { n, total }, pane });
    accumulators = new Map();
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    if (at >= start + 1000) {
      if (start > 0) flush();
      start = at - (at % 1000);
    }
    const card = key(payment);
    let accumulator = accumulators.get(card);
    if (accumulator === undefined) accumulators.set(card, (accumulator = { n: 0, total: 0 }));
    accumulator.n++;
    accumulator.total += cents(payment);
  }
  flush();
}

function accumulatorPerKey(payments: Payment[], take: Take): void {
  const timestamp = (p: Payment): number => p.at;
  const key = (p: Payment): string => p.card;
  const cents = (p: Payment): number => p.cents;
  const cards = new Map<string, Accumulator & { start: number }>();
  let start = -Infinity;
  const flush = (): void => {
    const window = { start, end: start + 1000 };
    for (const [card, accumulator] of cards) {
      if (accumulator.n === 0) continue;
      take({ key: card, window, value: { n: accumulator.n, total: accumulator.total }, pane });
      accumulator.n = 0;
      accumulator.total = 0;
    }
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    if (at >= start + 1000) {
      if (start > 0) flush();
      start = at - (at % 1000);
    }
    const card = key(payment);
    let accumulator = cards.get(card);
    if (accumulator === undefined) cards.set(card, (accumulator = { n: 0, total: 0, start }));
    accumulator.n++;
    accumulator.total += cents(payment);
  }
  flush();
}

function accumulatorPerWindow(payments: Payment[], take: Take): void {
  const timestamp = (p: Payment): number => p.at;
  const key = (p: Payment): string => p.card;
  const cents = (p: Payment): number => p.cents;
  const windows = new Map<number, Map<string, Accumulator>>();
  let fired = -Infinity;
  const flush = (until: number): void => {
    for (const [start, cards] of windows) {
      if (start + 60_000 > until) continue;
      const window = { start, end: start + 60_000 };
      for (const [card, { n, total }] of cards) take({ key: card, window, value: { n, total }, pane });
      windows.delete(start);
    }
  };
  for (const payment of payments) {
    const at = timestamp(payment);
    if (at >= fired + 1000) {
      fired = at - (at % 1000);
      flush(fired);
    }
    const card = key(payment);
    const amount = cents(payment);
    const last = at - (at % 1000);
    for (let start = last - 59_000; start <= last; start += 1000) {
      let cards = windows.get(start);
      if (cards === undefined) windows.set(start, (cards = new Map()));
      let accumulator = cards.get(card);
      if (accumulator === undefined) cards.set(card, (accumulator = { n: 0, total: 0 }));
      accumulator.n++;
      accumulator.total += amount;
    }
  }
  flush(Infinity);
}

/** Payments whose card strings this process has never seen: see `freshRows`. */
export function freshPayments(records: number, perSecond: number): Payment[] {
  const payments: Payment[] = [];
  let state = 1;
  for (let i = 0; i < records; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const card = Math.floor((state / 4_294_967_296) * KEYS);
    payments.push({ card: Buffer.from(`card-${card}`).toString('latin1'), at: START + Math.floor((i * 1000) / perSecond), cents: 1 + (i & 1023) });
  }
  return payments;
}

export function sides(records: number, kind: string): Side {
  const options = { records, perSecond: 100_000 };
  if (kind === 'ours') return timed(options, (payments, take) => run(payments, tumbling({ seconds: 1 }), take));
  if (kind === 'slide') return timed({ records, perSecond: 20_000 }, (payments, take) => run(payments, sliding({ seconds: 60 }, { every: { seconds: 1 } }), take));
  if (kind === 'window') return timed(options, mapPerWindow);
  return timed(options, accumulatorPerKey);
}
