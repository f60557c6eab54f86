import type { Source, SourceBatch, SourceReader } from '../operators/connector.ts';
import type { Duration } from '../time/duration.ts';
import { answered, broken, contractContext, loaded, must, sameBytes, stored, turn } from './connectorContract.ts';
import { deepEqual, missingItems, sameItems } from './deepEqual.ts';

/** Options of {@link checkSource}. */
export interface SourceCheck<T> {
  /** Every element that the source has, in order where it has one split. */
  readonly expected?: readonly T[];
  /** False for a live feed, which cannot be read again behind a position. Default true. */
  readonly resumable?: boolean;
  /** For a source that never ends, even when `context.bounded` asks it to: read so many elements of each of the splits that are found first. */
  readonly limit?: number;
  /** From how many positions of a split reading on is tried. Default 20, spread over the split. */
  readonly positions?: number;
  /** How long an answer may take. Default 10 seconds. */
  readonly patience?: Duration;
}

/**
 * Tries whether a source keeps the contract of {@link SourceReader}, on its real input, which must not change meanwhile: what it acknowledges
 * in `committed` it acknowledges at the end. Give a function where each opening needs a source of its own. Needs no test framework.
 *
 * @throws MillraceError `testing/contract` with the rule that is broken and what was seen.
 * @example
 * await checkSource(fromArray(['a', 'b', 'c']), { expected: ['a', 'b', 'c'] });
 */
export async function checkSource<T>(source: Source<T> | (() => Source<T>), options: SourceCheck<T> = {}): Promise<void> {
  await new SourceContract(typeof source === 'function' ? source : () => source, options).check();
}

/** One batch as it came, and copies of what must not change. */
interface Seen<T> {
  readonly batch: SourceBatch<T, unknown>;
  readonly values: readonly T[];
  readonly position: Uint8Array;
}

/** What a split gave. */
interface Reading<T> {
  readonly values: readonly T[];
  readonly rejected: readonly unknown[];
  readonly batches: readonly Seen<T>[];
}

type Reader<T> = SourceReader<T, unknown>;

class SourceContract<T> {
  private readonly open: () => Source<T>;
  private readonly limit: number;
  private readonly options: SourceCheck<T>;
  private readonly patience: Duration;

  constructor(open: () => Source<T>, options: SourceCheck<T>) {
    this.open = open;
    this.options = options;
    this.limit = options.limit ?? Infinity;
    this.patience = options.patience ?? { seconds: 10 };
  }

  async check(): Promise<void> {
    const { expected, resumable = true } = this.options;
    const first = await this.withReader(async (reader) => {
      const readings = await this.readAll(reader);
      await this.checkSizes(reader, readings);
      return readings;
    });
    if (expected !== undefined) checkComplete(first, expected);
    await this.withReader(async (reader) => sameReadings(first, await this.readAll(reader)));
    await this.withReader(async (reader) => sameReadings(first, await this.readTogether(reader)));
    if (resumable) for (const [split, reading] of first) await this.withReader((reader) => this.checkResume(reader, split, reading));
    await this.checkAborts();
    // Last: what was acknowledged may be gone.
    await this.checkCommitted(first, resumable);
  }

  /** All splits, one after the other as they are found. */
  private async readAll(reader: Reader<T>): Promise<Map<string, Reading<T>>> {
    const readings = new Map<string, Reading<T>>();
    await this.discover(reader, async (found) => {
      for (const split of found) readings.set(split, await this.read(reader, split, undefined));
    });
    return readings;
  }

  /** The splits that are found at a time, at the same time. */
  private async readTogether(reader: Reader<T>): Promise<Map<string, Reading<T>>> {
    const readings = new Map<string, Reading<T>>();
    await this.discover(reader, async (found) => {
      const read = await Promise.all(found.map((split) => this.read(reader, split, undefined)));
      found.forEach((split, i) => readings.set(split, read[i]!));
    });
    return readings;
  }

  private async discover(reader: Reader<T>, onFound: (splits: readonly string[]) => Promise<void>): Promise<void> {
    const known = new Set<string>();
    const abort = new AbortController();
    const take = async (splits: readonly string[]): Promise<void> => {
      must(Array.isArray(splits) && splits.every((split) => typeof split === 'string'), 'splits', () => 'splits() gives no list of names');
      const fresh = [...new Set(splits)].filter((split) => !known.has(split));
      for (const split of fresh) known.add(split);
      await onFound(fresh);
    };
    // Splits are read as they are found, so none is missing when somebody waits for their ends.
    const found = reader.splits(contractContext(abort.signal, () => Promise.resolve()));
    if (!(Symbol.asyncIterator in found)) return take(await answered(() => found, 'splits()', 'splits', this.patience));
    const iterator = found[Symbol.asyncIterator]();
    for (;;) {
      const next = await answered(() => iterator.next(), 'splits()', 'splits', this.patience);
      if (next.done === true) return;
      await take(next.value);
      if (this.limit !== Infinity) break;
    }
    abort.abort();
    await answered(async () => iterator.return?.(), 'splits(), told to end,', 'splits', this.patience);
  }

  /** Reads a split from a stored position to its end, or the limit. */
  private async read(reader: Reader<T>, split: string, from: Uint8Array | undefined, limit: number = this.limit): Promise<Reading<T>> {
    const abort = new AbortController();
    const context = contractContext(abort.signal, () => Promise.resolve());
    const iterator = reader.read(split, from === undefined ? undefined : loaded(from), context)[Symbol.asyncIterator]();
    const batches: Seen<T>[] = [];
    try {
      for (let taken = 0; taken < limit; taken += batches.at(-1)!.values.length) {
        const next = await answered(() => iterator.next(), `reading "${split}"`, 'complete', this.patience);
        checkKept(split, batches.at(-1));
        if (next.done === true) break;
        batches.push(see(split, next.value, batches.at(-1)?.position ?? from));
      }
    } finally {
      abort.abort();
      await answered(async () => iterator.return?.(), `reading "${split}", told to end,`, 'abort', this.patience);
    }
    for (const { batch, position } of batches) {
      must(sameBytes(stored(batch.position), position), 'position/plain', () => `a position of "${split}" changed after it was given`);
    }
    const values = batches.flatMap((seen) => seen.values).slice(0, limit);
    return { values, rejected: batches.flatMap(({ batch }) => batch.rejected ?? []), batches };
  }

  private async checkSizes(reader: Reader<T>, readings: ReadonlyMap<string, Reading<T>>): Promise<void> {
    for (const [split, { batches }] of readings) {
      const bytes = batches.reduce((sum, { batch }) => sum + (batch.bytes ?? 0), 0);
      const size = await answered(async () => reader.size?.(split), `size("${split}")`, 'size', this.patience);
      if (size === undefined) continue;
      must(Number.isSafeInteger(size) && size >= 0, 'size', () => `size("${split}") is ${size}`);
      must(bytes <= size, 'size', () => `the batches of "${split}" have ${bytes} bytes, of ${size}`);
    }
  }

  private async checkResume(reader: Reader<T>, split: string, { values, rejected, batches }: Reading<T>): Promise<void> {
    let before = 0;
    let refused = 0;
    const wanted = new Set(spread(batches.length, this.options.positions ?? 20));
    for (const [i, batch] of batches.entries()) {
      before += batch.values.length;
      refused += batch.batch.rejected?.length ?? 0;
      if (!wanted.has(i) || before >= this.limit) continue;
      const expected = values.slice(before);
      const rest = await this.read(reader, split, batch.position, this.limit - before);
      const place = `read from the position behind ${before} elements, "${split}"`;
      must(sameItems(rest.values, expected), 'resume', () => `${place} gives ${difference(rest.values, expected)}`);
      if (this.limit !== Infinity) continue;
      must(sameItems(rest.rejected, rejected.slice(refused)), 'resume', () => `${place} rejects other records`);
    }
  }

  /** Reading that is told to end before it begins, after some batches, and while it waits. */
  private async checkAborts(): Promise<void> {
    for (const batches of [0, 1, 2]) {
      for (const waits of [false, true]) {
        await this.withReader(async (reader) => {
          await this.discover(reader, async (found) => {
            for (const split of found.slice(0, 1)) await this.checkAbort(reader, split, batches, waits);
          });
        });
      }
    }
  }

  private async checkAbort(reader: Reader<T>, split: string, batches: number, waits: boolean): Promise<void> {
    const abort = new AbortController();
    const what = `reading "${split}", told to end after ${batches} batches,`;
    if (batches === 0 && !waits) abort.abort();
    const iterator = reader
      .read(
        split,
        undefined,
        contractContext(abort.signal, () => Promise.resolve()),
      )
      [Symbol.asyncIterator]();
    // A live feed has no more to give than was said.
    for (let i = 0, elements = 0; i < batches && elements < this.limit; i++) {
      const next = await answered(() => iterator.next(), `reading "${split}"`, 'complete', this.patience);
      if (next.done === true) return;
      elements += next.value.values.length;
    }
    const waiting = waits ? iterator.next() : undefined;
    if (waits) await turn();
    abort.abort();
    // What is at hand may still come; an error of the wait that was cut short is a way to end, too.
    let left = 3;
    const end = async (): Promise<void> => {
      let next = await (waiting ?? iterator.next());
      while (next.done !== true && left-- > 0) next = await iterator.next();
      await iterator.return?.();
    };
    await answered(() => end().catch(() => undefined), what, 'abort', this.patience);
    must(left >= 0, 'abort', () => `${what} goes on`);
  }

  /** Positions that are told as those of complete checkpoints, each by two readers: the second after a failure. */
  private async checkCommitted(readings: ReadonlyMap<string, Reading<T>>, resumable: boolean): Promise<void> {
    const tell = async (positions: ReadonlyMap<string, unknown>, ended: ReadonlySet<string>): Promise<void> => {
      const told = positions.size === ended.size ? 'the ends of all splits' : 'a position of each split';
      for (const again of ['', ', told again,']) {
        await this.withReader(async (reader) => {
          await answered(async () => reader.committed?.(positions, ended), `committed()${again} with ${told}`, 'committed', this.patience);
        });
      }
    };
    const begun = new Map(
      [...readings].flatMap(([split, { batches }]) => (batches.length > 1 ? [[split, loaded(batches[0]!.position)]] : [])),
    );
    await tell(begun, new Set());
    for (const split of resumable ? begun.keys() : []) {
      const { values, batches } = readings.get(split)!;
      const taken = batches[0]!.values.length;
      if (taken >= this.limit) continue;
      const rest = await this.withReader((reader) => this.read(reader, split, batches[0]!.position, this.limit - taken));
      const expected = values.slice(taken);
      must(
        sameItems(rest.values, expected),
        'committed',
        () => `"${split}" gives ${difference(rest.values, expected)} behind a position that was told`,
      );
    }
    if (this.limit !== Infinity) return;
    const ends = [...readings].flatMap(([split, { batches }]) =>
      batches.length > 0 ? [[split, loaded(batches.at(-1)!.position)] as const] : [],
    );
    await tell(new Map(ends), new Set(readings.keys()));
  }

  private async withReader<R>(use: (reader: Reader<T>) => Promise<R>): Promise<R> {
    const reader = await answered(
      () => this.open().definition.open() as unknown as Reader<T> | Promise<Reader<T>>,
      'open()',
      'open',
      this.patience,
    );
    try {
      return await use(reader);
    } finally {
      await answered(async () => reader.close?.(), 'close()', 'close', this.patience);
    }
  }
}

/** Checks a batch by itself and against the position before it. */
function see<T>(split: string, batch: SourceBatch<T, unknown>, before: Uint8Array | undefined): Seen<T> {
  const { values, position, rejected = [], bytes = 0 } = batch;
  must(Array.isArray(values), 'batch', () => `a batch of "${split}" has no array of values`);
  must(position !== undefined, 'batch', () => `a batch of "${split}" has no position`);
  must(Array.isArray(rejected), 'batch', () => `in a batch of "${split}" rejected is no array`);
  must(bytes >= 0, 'size', () => `a batch of "${split}" has ${bytes} bytes`);
  let bytesOfPosition: Uint8Array;
  try {
    bytesOfPosition = stored(position);
  } catch (error) {
    throw broken('position/plain', `a position of "${split}" cannot be stored`, error);
  }
  const moves = before === undefined || bytes > 0 || !sameBytes(before, bytesOfPosition);
  must(
    values.length > 0 || rejected.length > 0 || moves,
    'batch/progress',
    () => `a batch of "${split}" holds nothing and stays where it is`,
  );
  return { batch, values: [...values], position: bytesOfPosition };
}

/** A batch that is being worked on while the next is asked for. */
function checkKept(split: string, seen: Seen<unknown> | undefined): void {
  if (seen === undefined) return;
  const { batch, values } = seen;
  const kept = batch.values.length === values.length && values.every((value, i) => Object.is(value, batch.values[i]));
  must(kept, 'batch/owned', () => `a batch of "${split}" changed when the next was asked for`);
}

function checkComplete<T>(readings: ReadonlyMap<string, Reading<T>>, expected: readonly T[]): void {
  const all = [...readings.values()].flatMap(({ values }) => values);
  if (sameItems(all, expected)) return;
  const missing = missingItems(expected, all).length;
  const extra = missingItems(all, expected).length;
  must(
    missing + extra === 0,
    'complete',
    () => `of ${expected.length} elements expected ${missing} are missing, and there are ${extra} others`,
  );
  must(readings.size > 1, 'complete', () => 'the elements come in another order than expected');
}

function sameReadings<T>(first: ReadonlyMap<string, Reading<T>>, second: ReadonlyMap<string, Reading<T>>): void {
  const names = (readings: ReadonlyMap<string, unknown>): string => [...readings.keys()].sort().join(', ');
  must(names(first) === names(second), 'splits', () => `the splits are "${names(first)}" once and "${names(second)}" then`);
  for (const [split, { values, rejected }] of first) {
    const again = second.get(split)!;
    must(sameItems(values, again.values), 'repeat', () => `read again, "${split}" gives ${difference(again.values, values)}`);
    must(deepEqual(rejected, again.rejected), 'repeat', () => `read again, "${split}" rejects other records`);
  }
}

function difference(actual: readonly unknown[], expected: readonly unknown[]): string {
  const at = expected.findIndex((value, i) => !deepEqual(value, actual[i]));
  const first = at < 0 ? expected.length : at;
  return `${actual.length} elements instead of ${expected.length}, and the first difference is at ${first}`;
}

/** Up to `count` of the numbers below `length`, evenly, the first and the last among them. */
function spread(length: number, count: number): number[] {
  if (length <= count) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / Math.max(1, count - 1)));
}
