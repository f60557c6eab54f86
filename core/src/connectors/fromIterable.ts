import { MillraceError } from '../errors/millraceError.ts';
import { defineSource, type ReadContext, type Source, type SourceBatch } from '../operators/connector.ts';
import { availableBatches } from './availableBatches.ts';
import { BatchSize } from './batchSize.ts';
import { type Elements, isSynchronous, pullFrom } from './pull.ts';

/** Elements that can be taken up again behind a position, such as the offset in a log. */
export interface Resumable<T, P> {
  /** The elements behind a position; all of them when there is none. */
  open(position: P | undefined): Elements<T> | Promise<Elements<T>>;
  /** The position behind an element: plain data. */
  position(value: T): P;
}

/** Options of {@link fromIterable}. */
export interface IterableOptions {
  /** False for a feed that never ends: `mode: 'automatic'` then streams, and `collect()` asks for a limit. Default true. */
  readonly bounded?: boolean;
  /** What people read. Default `iterable`. */
  readonly name?: string;
}

/**
 * The elements of anything that can be iterated: arrays and sets, generators, async iterables, Node's `Readable`, the web's
 * `ReadableStream`. An element goes on as soon as it is there; those that are there together go together.
 *
 * What can be iterated only once (generators, streams, every async iterable) can be read by one job only, and from its beginning. To
 * read again, as recovery does, give a function that makes the elements anew (the first so many are then passed over), or say how to
 * go on behind a position: {@link Resumable}.
 *
 * A job that ends early ends the iteration, and destroys a Node stream.
 *
 * @throws MillraceError when it runs: `source/consumed` if the elements were read before, `source/failed` for what the iteration throws.
 * @example
 * async function* readings() { yield 20.5; yield 21; }
 * const once = await env.from(fromIterable(readings())).collect(); // [20.5, 21]
 * const again = fromIterable(() => readings());
 * const log = [{ offset: 0 }, { offset: 1 }];
 * const resumable = fromIterable({ open: (offset = 0) => log.slice(offset), position: (entry) => entry.offset + 1 });
 */
export function fromIterable<T, P = number>(
  values: Elements<T> | (() => Elements<T> | Promise<Elements<T>>) | Resumable<T, P>,
  options: IterableOptions = {},
): Source<T> {
  const { bounded = true, name = 'iterable' } = options;
  const origin = originOf(values);
  return defineSource<T, P | number>({
    name,
    bounded,
    open: () => {
      origin.checkUnread();
      return { splits: async () => ['iterable'], read: (_split, from, context) => readFrom(origin, from, context) };
    },
  });
}

/** Where elements come from, in one shape. */
interface Origin<T> {
  /** Throws if nothing can be read any more. */
  checkUnread(): void;
  open(from: unknown): Elements<T> | Promise<Elements<T>>;
  /** How many elements are passed over to come to a position; 0 where `open` does so itself. */
  passOver(from: unknown): number;
  /** The position behind the last of `taken` elements. */
  position(taken: number, last: T): unknown;
}

function originOf<T, P>(values: Elements<T> | (() => Elements<T> | Promise<Elements<T>>) | Resumable<T, P>): Origin<T> {
  if (typeof values === 'function') return countedOrigin(() => values());
  if (!isIterable(values)) {
    return {
      checkUnread: () => undefined,
      open: (from) => values.open(from as P | undefined),
      passOver: () => 0,
      position: (_taken, last) => values.position(last),
    };
  }
  return isSynchronous(values) && !isItsOwnIterator(values) ? countedOrigin(() => values) : liveOrigin(values);
}

/** What can be iterated again and again: a position is the number of elements before it. */
function countedOrigin<T>(open: () => Elements<T> | Promise<Elements<T>>): Origin<T> {
  return { checkUnread: () => undefined, open, passOver: (from = 0) => from as number, position: (taken) => taken };
}

function liveOrigin<T>(values: Elements<T>): Origin<T> {
  let read = false;
  const checkUnread = (): void => {
    if (read) throw consumed('These elements can be iterated only once, and were.');
  };
  return {
    checkUnread,
    open: (from) => {
      if (from !== undefined) throw consumed('These elements can be iterated only from their beginning, not from a saved position.');
      checkUnread();
      read = true;
      return values;
    },
    passOver: () => 0,
    position: (taken) => taken,
  };
}

function consumed(problem: string): MillraceError {
  return new MillraceError('source/consumed', problem, {
    remedy: 'Give a function that makes them anew, fromIterable(() => …), or { open: (position) => …, position: (value) => … }.',
  });
}

async function* readFrom<T>(
  origin: Origin<T>,
  from: unknown,
  context: ReadContext,
): AsyncGenerator<SourceBatch<T, never>, void, undefined> {
  let skip = origin.passOver(from);
  let taken = 0;
  const elements = await origin.open(from);
  for await (const batch of isSynchronous(elements)
    ? synchronousBatches(elements, context)
    : availableBatches(pullFrom(elements), context)) {
    taken += batch.length;
    if (skip >= batch.length) {
      skip -= batch.length;
      // Nothing is yielded, so nobody else would let the event loop turn.
      await new Promise<void>(context.later);
      continue;
    }
    const values = skip === 0 ? batch : batch.slice(skip);
    skip = 0;
    yield { values, position: origin.position(taken, values.at(-1)!) as never };
  }
}

async function* synchronousBatches<T>(elements: Iterable<T>, { signal, clock }: ReadContext): AsyncGenerator<T[], void, undefined> {
  const size = new BatchSize(clock);
  let batch: T[] = [];
  size.begin();
  try {
    for (const element of elements) {
      batch.push(element);
      if (batch.length < size.limit) continue;
      size.end(batch.length);
      yield batch;
      batch = [];
      if (signal.aborted) return;
      size.begin();
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}

function isIterable<T, P>(values: Elements<T> | Resumable<T, P>): values is Elements<T> {
  const object = Object(values) as object;
  return Symbol.asyncIterator in object || Symbol.iterator in object || 'getReader' in object;
}

/** True for generators and other iterators: there is one iteration, and it is under way. */
function isItsOwnIterator(values: Iterable<unknown>): boolean {
  return (values[Symbol.iterator]() as unknown) === values;
}
