import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from, groupBy, mergeMap, scan } from 'rxjs';
import { type DataStream, forEach, fromArray } from '../src/index.ts';
import { benchEnvironment } from './benchEnvironment.ts';
import { type BenchResult, collectGarbage, compare, rate, type Side } from './measure.ts';
import { closures, freshRows, numberClosures, type Row, Tally } from './records.ts';

const KEYS = 1000;

/** Chains of one thread against a hand-written loop, RxJS 7 and Node's object streams, over the same closures. */
export async function chain(quick: boolean): Promise<BenchResult[]> {
  const count = quick ? 500_000 : 3_000_000;
  const few = quick ? 200_000 : 1_000_000;
  const rounds = 5;
  const results = [
    await compare('core/chain-vs-loop', 'M records/s', { rounds, ours: timed(count, runChain), baseline: timed(count, loopChain) }),
    await compare('core/stateless-vs-loop', 'M records/s', {
      rounds,
      ours: timed(count, runStateless),
      baseline: timed(count, loopStateless),
    }),
    await compare('core/keyed-reduce-vs-rxjs', 'M records/s', { rounds, ours: timed(count, runReduce), baseline: timed(few, rxReduce) }),
    // What no engine can exceed over these closures: the bare loop, against the same baselines.
    await compare('core/keyed-reduce-loop-vs-rxjs', 'M records/s', {
      rounds,
      ours: timed(count, loopReduce),
      baseline: timed(few, rxReduce),
    }),
    await compare('core/stateless-loop-vs-node-streams', 'M records/s', {
      rounds,
      ours: timed(count, loopStateless),
      baseline: timed(few, nodeStateless),
    }),
    await compare('core/chain-vs-node-streams', 'M records/s', { rounds, ours: timed(count, runChain), baseline: timed(few, nodeChain) }),
    await compare('core/stateless-vs-node-streams', 'M records/s', {
      rounds,
      ours: timed(count, runStateless),
      baseline: timed(few, nodeStateless),
    }),
  ];
  await runOthers();
  results.splice(
    1,
    0,
    await compare('core/chain-after-others-vs-loop', 'M records/s', {
      rounds,
      ours: timed(count, runChain),
      baseline: timed(count, loopChain),
    }),
  );
  return results;
}

/** A side over fresh rows; making them is not timed. */
function timed(count: number, run: (rows: Row[], tally: Tally) => void | Promise<void>): Side {
  return async () => {
    const rows = freshRows(count, KEYS);
    const tally = new Tally();
    collectGarbage();
    const start = performance.now();
    await run(rows, tally);
    const took = performance.now() - start;
    if (tally.records === 0) throw new Error('nothing arrived');
    return rate(count, took);
  };
}

async function execute<R>(rows: Row[], take: (result: R) => void, build: (stream: DataStream<Row>) => DataStream<R>): Promise<void> {
  const env = benchEnvironment();
  build(env.from(fromArray(rows), { uid: 'rows', time: { timestamp: (row) => row.n } })).sinkTo(forEach(take), { uid: 'sink' });
  await env.execute('bench');
}

function runChain(rows: Row[], tally: Tally): Promise<void> {
  const { map, filter, key, reduce } = closures();
  return execute(rows, tally.take, (stream) => stream.map(map).filter(filter).keyBy(key).reduce(reduce, { uid: 'reduced' }));
}

function loopChain(rows: Row[], { take }: Tally): void {
  const { map, filter, key, reduce } = closures();
  const state = new Map<string, Row>();
  for (const row of rows) {
    const mapped = map(row);
    if (!filter(mapped)) continue;
    const k = key(mapped);
    const before = state.get(k);
    const after = before === undefined ? mapped : reduce(before, mapped);
    state.set(k, after);
    take(after);
  }
}

function runStateless(rows: Row[], tally: Tally): Promise<void> {
  const { read, filter, map } = numberClosures();
  return execute(rows, tally.takeNumber, (stream) => stream.map(read).filter(filter).map(map));
}

function loopStateless(rows: Row[], { takeNumber }: Tally): void {
  const { read, filter, map } = numberClosures();
  for (const row of rows) {
    const n = read(row);
    if (filter(n)) takeNumber(map(n));
  }
}

function runReduce(rows: Row[], tally: Tally): Promise<void> {
  const { key, reduce } = closures();
  return execute(rows, tally.take, (stream) => stream.keyBy(key).reduce(reduce, { uid: 'reduced' }));
}

function loopReduce(rows: Row[], { take }: Tally): void {
  const { key, reduce } = closures();
  const state = new Map<string, Row>();
  for (const row of rows) {
    const k = key(row);
    const before = state.get(k);
    const after = before === undefined ? row : reduce(before, row);
    state.set(k, after);
    take(after);
  }
}

function rxReduce(rows: Row[], { take }: Tally): void {
  const { key, reduce } = closures();
  from(rows)
    .pipe(
      groupBy(key),
      mergeMap((group) => group.pipe(scan(reduce))),
    )
    .subscribe(take);
}

function transform<T = Row, R = Row>(step: (element: T, push: (result: R) => void) => void): Transform {
  return new Transform({
    objectMode: true,
    transform(element: T, _encoding, done) {
      step(element, (out) => this.push(out));
      done();
    },
  });
}

function sink<T>(take: (element: T) => void): Writable {
  return new Writable({
    objectMode: true,
    write(element: T, _encoding, done) {
      take(element);
      done();
    },
  });
}

async function nodeChain(rows: Row[], { take }: Tally): Promise<void> {
  const { map, filter, key, reduce } = closures();
  const state = new Map<string, Row>();
  await pipeline(
    Readable.from(rows),
    transform((row, push) => push(map(row))),
    transform((row, push) => {
      if (filter(row)) push(row);
    }),
    transform((row, push) => {
      const k = key(row);
      const before = state.get(k);
      const after = before === undefined ? row : reduce(before, row);
      state.set(k, after);
      push(after);
    }),
    sink(take),
  );
}

async function nodeStateless(rows: Row[], { takeNumber }: Tally): Promise<void> {
  const { read, filter, map } = numberClosures();
  await pipeline(
    Readable.from(rows),
    transform<Row, number>((row, push) => push(read(row))),
    transform<number, number>((n, push) => {
      if (filter(n)) push(n);
    }),
    transform<number, number>((n, push) => push(map(n))),
    sink(takeNumber),
  );
}

/** Twenty other pipelines, all different, so that nothing in the engine stays tuned to the one that is measured. */
async function runOthers(): Promise<void> {
  const builds: ((stream: DataStream<Row>, i: number) => DataStream<Row>)[] = [
    (s, i) => s.map((row) => ({ ...row, n: row.n * i })),
    (s, i) => s.filter((row) => row.n > i),
    (s) => s.flatMap((row) => [row, row]),
    (s, i) => s.keyBy((row) => row.n % (i + 2)).reduce((a, b) => (a.n > b.n ? a : b), { uid: 'most' }),
    (s) => s.keyBy((row) => [row.key, row.n % 3]).process({ uid: 'same', onElement: (row) => [row] }),
    (s) =>
      s
        .map((row) => ({ n: row.n, extra: true, key: row.key }))
        .rebalance()
        .filter((row) => row.extra),
  ];
  for (let i = 0; i < 20; i++) {
    const build = builds[i % builds.length]!;
    await execute(freshRows(50_000, 100), new Tally().take, (stream) =>
      build(
        stream.map((row) => row),
        i,
      ),
    );
  }
}
