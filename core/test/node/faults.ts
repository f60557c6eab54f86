import { fromArray } from '../../src/connectors/fromArray.ts';
import {
  type CheckpointStorage,
  defineSource,
  fixedDelay,
  memoryStorage,
  noRestart,
  type RunOptions,
  type Sink,
  type Source,
  StreamEnvironment,
  valueState,
} from '../../src/index.ts';
import type { SinkDefinition, SinkWriter } from '../../src/operators/connector.ts';

/** Numbers in [0, 1) that depend on nothing but the seed. */
export function chance(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

export const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** An event, as a row of a table. */
export interface Row {
  readonly id: string;
  readonly key: number;
  readonly at: number;
  readonly count: number;
}

const COUNT = 900;
const SPLITS = 3;

const eventsOf = (splits: number): Source<{ readonly key: number; readonly at: number }> =>
  defineSource<{ readonly key: number; readonly at: number }, number>({
    name: 'events',
    bounded: true,
    concurrentSplits: splits,
    open: () => ({
      splits: async () => Array.from({ length: splits }, (_, i) => String(i)),
      async *read(split, from = 0) {
        for (let at = from; at < COUNT; at += 17) {
          await new Promise((resolve) => setImmediate(resolve));
          const size = Math.min(17, COUNT - at);
          yield { values: Array.from({ length: size }, (_, i) => ({ key: Number(split), at: at + i })), position: at + size };
        }
      },
    }),
  });

/** Counts per key, so that a state which is restored wrongly shows in what is written. */
function build(env: StreamEnvironment, sink: Sink<Row>, splits: number, onElement: () => void): void {
  env
    .from(eventsOf(splits), { uid: 'events' })
    .keyBy(({ key }) => key)
    .process({
      uid: 'count',
      state: { n: valueState({ initial: 0 }) },
      onElement({ key, at }, { state }) {
        onElement();
        const count = state.n.value() + 1;
        state.n.update(count);
        return [{ id: `${key}/${at}`, key, at, count }];
      },
    })
    .sinkTo(sink, { uid: 'sink' });
}

/** What the sink has to hold in the end. */
export const EXPECTED: readonly Row[] = Array.from({ length: SPLITS * COUNT }, (_, i) => {
  const key = i % SPLITS;
  const at = Math.floor(i / SPLITS);
  return { id: `${key}/${at}`, key, at, count: at + 1 };
});

/** A sink that fails now and then, before or after it has done what it was asked to; and may be left open, as by a killed process. */
class FaultySink {
  readonly sink: Sink<Row>;
  isCalm = false;
  readonly #random: () => number;
  readonly #zombies: boolean;
  readonly #abandoned: SinkWriter<Row, unknown>[] = [];

  constructor(sink: Sink<Row>, random: () => number, zombies: boolean) {
    this.#random = random;
    this.#zombies = zombies;
    const { name, open } = sink.definition as unknown as SinkDefinition<Row, unknown>;
    this.sink = {
      kind: 'sink',
      definition: { name, open: async (context) => this.#wrap(await open(context)) } satisfies SinkDefinition<Row, unknown> as never,
    };
  }

  /** What a killed process never did, long after. */
  async closeAbandoned(): Promise<void> {
    for (const writer of this.#abandoned) await writer.close?.(new Error('late')).catch(() => undefined);
  }

  #wrap(writer: SinkWriter<Row, unknown>): SinkWriter<Row, unknown> {
    return {
      write: (values) => this.#perhaps(0.004, () => writer.write(values)),
      prepare: (checkpoint) => this.#perhaps(0.03, () => writer.prepare(checkpoint)),
      commit: (committables) => this.#perhaps(0.05, () => writer.commit(committables)),
      ...(writer.state !== undefined && { state: () => writer.state!() }),
      ...(writer.recover !== undefined && {
        recover: (committables: readonly unknown[], state: readonly unknown[]) =>
          this.#perhaps(0.1, async () => writer.recover!(committables, state)),
      }),
      close: async (failure) => {
        if (this.#zombies && failure !== undefined && this.#random() < 0.5) this.#abandoned.push(writer);
        else await writer.close?.(failure);
      },
    };
  }

  async #perhaps<R>(likelihood: number, work: () => R | Promise<R>): Promise<R> {
    const fate = this.isCalm ? 1 : this.#random() / likelihood;
    if (fate < 0.5) throw new Error('before');
    const result = await work();
    if (fate < 1) throw new Error('after');
    return result;
  }
}

/** The seed of a run without faults. */
export const UNDISTURBED = -1;

/** What is done to a job until it comes to its end. */
export interface FaultOptions {
  /** The same number of subtasks always; else another each time. */
  readonly parallelism?: number;
  readonly storage?: CheckpointStorage;
  /** Whether writers of runs that have failed may wake up later. Default: true. */
  readonly zombies?: boolean;
  /** Of the source. Default: 3, which are read at the same time. With one the order of elements is always the same. */
  readonly splits?: number;
}

/** Runs a job until it has come to its end: it fails and is canceled at random places, and goes on from its latest checkpoint each time. */
export async function runWithFaults(
  sink: Sink<Row>,
  seed: number,
  { parallelism, storage = memoryStorage(), splits = SPLITS, zombies = true }: FaultOptions = {},
): Promise<number> {
  const random = chance(seed);
  const faulty = new FaultySink(sink, random, zombies);
  let starts = 0;
  for (let isDone = false; !isDone; starts++) {
    faulty.isCalm = starts > 12 || seed === UNDISTURBED;
    let left = faulty.isCalm ? Infinity : Math.floor(random() * 6000);
    const env = new StreamEnvironment();
    build(env, faulty.sink, splits, () => {
      if (left-- === 0) throw new Error('a failure on purpose');
    });
    const options: RunOptions = {
      logger: SILENT,
      parallelism: parallelism ?? 1 + Math.floor(random() * 3),
      checkpoint: { storage, every: { milliseconds: 1 } },
      restore: 'latest',
      restart: random() < 0.5 ? noRestart() : fixedDelay({ delay: {}, attempts: 2 }),
    };
    isDone = await runOnce(env, options, faulty.isCalm ? Infinity : random() * 200);
  }
  await faulty.closeAbandoned();
  return starts;
}

async function runOnce(env: StreamEnvironment, options: RunOptions, turns: number): Promise<boolean> {
  let isOver = false;
  try {
    const job = await env.start('faults', options);
    const ended = job.finished.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    for (let turn = 0; turn < turns && !isOver; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (!isOver) await job.cancel();
    await ended;
    await job.finished;
    return true;
  } catch {
    return false;
  }
}

/** A bounded job without checkpoints. */
export async function runBatch<T>(sink: Sink<T>, values: readonly T[], options: RunOptions = {}): Promise<void> {
  const env = new StreamEnvironment();
  env.from(fromArray(values)).sinkTo(sink);
  await env.execute('batch', { logger: SILENT, mode: 'batch', ...options });
}
