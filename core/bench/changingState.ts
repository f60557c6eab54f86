import {
  aggregate,
  aggregatingState,
  type DataStream,
  defineSource,
  type Source,
  type StreamEnvironment,
  valueState,
} from '../src/index.ts';

const BATCH = 1024;
/** One in so many elements is the only one of its key, which is forgotten after a while (ms). */
const ONCE = 10;
const KEPT_FOR = 2000;

/** What a key that stays has seen. Changed in place by each of its elements. */
interface Totals {
  n: number;
  sum: number;
}

/** What is held for a key. */
export interface Held {
  readonly key: number;
  readonly totals: Totals | undefined;
  readonly once: number | undefined;
}

interface Expected {
  readonly to: number;
  readonly counts: Int32Array;
  readonly sums: Float64Array;
}

/** Is told what a restored job holds. */
export interface Questioner {
  onNext(i: number): void;
  onHeld(held: Held): void;
}

/**
 * State that changes in every way. Element i is the number i: the first `keys` of them give each key that stays its first content; those
 * behind change these keys' accumulators in an order that looks random, but for one in ten, whose key is new and expires.
 */
export class ChangingState {
  readonly keys: number;
  /** Where the source stood, and when: pairs. */
  private readonly log: number[] = [];

  constructor(keys: number) {
    this.keys = keys;
  }

  /** Keys from `keys` on expire. */
  keyOf(i: number): number {
    if (i < 0) return -1 - i;
    if (i < this.keys) return i;
    if (i % ONCE === 0) return this.keys + i;
    return (Math.imul(i ^ (i >>> 15), 0x9e3779b1) >>> 0) % this.keys;
  }

  /** All elements from 0 on, without an end; `onBatch` is told of each. */
  elements(onBatch: (from: number) => void): Source<number> {
    const { log } = this;
    return numbers(async function* (from) {
      for (let i = from; ; i += BATCH) {
        onBatch(i);
        log.push(i, Date.now());
        yield Array.from({ length: BATCH }, (_, n) => i + n);
      }
    });
  }

  /** Asks for what is held for each key, once, behind the batch that it would have gone on with. */
  questions(): Source<number> {
    const { keys } = this;
    return numbers(async function* (from) {
      yield Array.from({ length: BATCH }, (_, n) => from + n);
      for (let key = 0; key < keys + from + BATCH; key += BATCH) yield Array.from({ length: BATCH }, (_, n) => -1 - key - n);
    }, true);
  }

  /**
   * The job's own part. With `questioner` nothing changes and nothing expires: it is told of the element with which the job would have gone on,
   * then what is held for each key that is asked for.
   */
  build(env: StreamEnvironment, source: Source<number>, questioner?: Questioner): DataStream<number> {
    const { keys } = this;
    const mutable = aggregate<number, Totals, Totals>({
      create: () => ({ n: 0, sum: 0 }),
      add(totals, i) {
        totals.n++;
        totals.sum += i;
        return totals;
      },
      merge: (a, b) => ({ n: a.n + b.n, sum: a.sum + b.sum }),
      result: (totals) => totals,
    });
    return env
      .from(source, { uid: 'elements' })
      .keyBy((i) => this.keyOf(i))
      .process({
        uid: 'state',
        state: {
          totals: aggregatingState({ aggregate: mutable }),
          once: valueState<number>(questioner === undefined ? { ttl: { milliseconds: KEPT_FOR } } : {}),
        },
        onElement(i: number, { state: { totals, once }, key }) {
          if (questioner !== undefined) {
            if (i < 0) questioner.onHeld({ key, totals: totals.get(), once: once.value() });
            else questioner.onNext(i);
          } else if (key < keys) totals.add(i);
          else once.update(i);
          return [i];
        },
      });
  }

  /**
   * Compares what a restored job holds with what a loop over the same elements leaves, and throws where they differ. `keptAt`: when its
   * checkpoint was complete.
   */
  checker(keptAt: number): Questioner & { finish(): void } {
    const { keys } = this;
    // What has expired may be there until it is swept; with its time to live it would not be seen.
    const mustBeFrom = this.standAt(keptAt - KEPT_FOR) + BATCH;
    let expected: Expected | undefined;
    let seen = 0;
    return {
      onNext: (i) => (expected ??= this.expected(i)),
      onHeld: (held) => {
        if (held.key < keys) seen++;
        const wrong =
          held.key < keys ? wrongTotals(held, expected!) : wrongOnce(held, this.writtenOnce(held.key, expected!.to), mustBeFrom);
        if (wrong) throw new Error(`key ${held.key} holds ${JSON.stringify(held)}`);
      },
      finish() {
        if (seen !== keys) throw new Error(`${seen} of ${keys} keys were asked for`);
      },
    };
  }

  /** The element before `to` that had this key, which expires; `undefined` if there was none. */
  private writtenOnce(key: number, to: number): number | undefined {
    const i = key - this.keys;
    return i % ONCE === 0 && i >= this.keys && i < to ? i : undefined;
  }

  /** What a stopped copy would hold after the elements before `to`. */
  private expected(to: number): Expected {
    const counts = new Int32Array(this.keys);
    const sums = new Float64Array(this.keys);
    for (let i = 0; i < to; i++) {
      const key = this.keyOf(i);
      if (key >= this.keys) continue;
      counts[key]!++;
      sums[key]! += i;
    }
    return { to, counts, sums };
  }

  /** How far the source was. */
  private standAt(time: number): number {
    let at = 0;
    for (let entry = 0; entry < this.log.length && this.log[entry + 1]! <= time; entry += 2) at = this.log[entry]!;
    return at;
  }
}

function wrongTotals({ key, totals }: Held, { counts, sums }: Expected): boolean {
  return (totals?.n ?? 0) !== counts[key] || (totals?.sum ?? 0) !== sums[key];
}

/** `written`: the key's element. `mustBeFrom`: from which one on elements must be there still. */
function wrongOnce({ once }: Held, written: number | undefined, mustBeFrom: number): boolean {
  return once === undefined ? written !== undefined && written >= mustBeFrom : once !== written;
}

function numbers(read: (from: number) => AsyncGenerator<number[]>, bounded = false): Source<number> {
  return defineSource<number, number>({
    name: 'elements',
    bounded,
    open: () => ({
      splits: async () => ['all'],
      async *read(_split, from = 0) {
        let position = from;
        for await (const values of read(from)) yield { values, position: (position += values.length) };
      },
    }),
  });
}
