import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { discard, fromIterable, type Source, StreamEnvironment } from '../../src/index.ts';
import { follow, openReader, rejectionCode, silent, testContext } from './reading.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function* asyncNumbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** An async iterable that gives elements when it is told to. */
class Feed<T> implements AsyncIterable<T> {
  asked = 0;
  returned = 0;
  private readonly queue: T[] = [];
  private waiting: ((result: IteratorResult<T>) => void) | undefined;

  push(...values: T[]): void {
    this.queue.push(...values);
    if (this.waiting === undefined) return;
    this.waiting({ done: false, value: this.queue.shift()! });
    this.waiting = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => {
        this.asked++;
        if (this.queue.length > 0) return Promise.resolve({ done: false, value: this.queue.shift()! });
        return new Promise((resolve) => (this.waiting = resolve));
      },
      return: () => {
        this.returned++;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

describe('what can be iterated', () => {
  test.each<[string, () => Source<number>]>([
    ['an array', () => fromIterable(numbers(3000))],
    ['a set', () => fromIterable(new Set(numbers(3000)))],
    ['a generator', () => fromIterable(numbers(3000).values())],
    ['an async generator', () => fromIterable(asyncNumbers(3000))],
    ['a function', () => fromIterable(() => numbers(3000))],
    ['an async function', () => fromIterable(async () => asyncNumbers(3000))],
    ['an async generator function', () => fromIterable(() => asyncNumbers(3000))],
    ['a Node stream', () => fromIterable<number>(Readable.from(numbers(3000)))],
    [
      'a web stream',
      () =>
        fromIterable(
          new ReadableStream<number>({
            start(c) {
              numbers(3000).forEach((n) => c.enqueue(n));
              c.close();
            },
          }),
        ),
    ],
    [
      'a web stream by its reader',
      () => {
        const stream = new ReadableStream<number>({
          start(c) {
            numbers(3000).forEach((n) => c.enqueue(n));
            c.close();
          },
        });
        return fromIterable<number>({ getReader: () => stream.getReader() });
      },
    ],
    ['what can be resumed', () => fromIterable({ open: (from = 0) => numbers(3000).slice(from), position: (n) => n + 1 })],
  ])('%s', async (_name, source) => {
    expect(await new StreamEnvironment().from(source()).collect()).toEqual(numbers(3000));
  });

  test('bounded unless it says otherwise', async () => {
    expect(fromIterable([1]).bounded).toBe(true);
    const live = fromIterable(asyncNumbers(Infinity), { bounded: false });
    expect(await rejectionCode(Promise.resolve().then(() => new StreamEnvironment().from(live).collect()))).toBe('graph/unbounded');
    expect(await new StreamEnvironment().from(live).collect({ limit: 5 })).toEqual(numbers(5));
  });
});

describe('batches', () => {
  test('an element that is alone goes at once, those that are there together go together', async () => {
    const feed = new Feed<number>();
    const context = testContext();
    const { batches } = follow(await openReader(fromIterable(feed)), 'iterable', context);
    const seen = (): readonly (readonly number[])[] => batches.map(({ values }) => values);
    await context.platform.settle();
    feed.push(1);
    await context.platform.settle();
    expect(seen()).toEqual([[1]]);
    feed.push(2, 3);
    await context.platform.settle();
    // The first batches are small: how quick the elements are is not known yet.
    expect(seen()).toEqual([[1], [2, 3]]);
    feed.push(...numbers(2000));
    await context.platform.settle();
    expect(
      seen()
        .slice(2)
        .map(({ length }) => length),
    ).toEqual([4, 8, 16, 32, 64, 128, 256, 512, 980]);
    expect(seen().slice(2).flat()).toEqual(numbers(2000));
    expect(batches.at(-1)!.position).toBe(2003);
  });

  test('asks for one element ahead and no more', async () => {
    const feed = new Feed<number>();
    feed.push(...numbers(100));
    const context = testContext();
    const iterator = (await openReader(fromIterable(feed))).read('iterable', undefined, context)[Symbol.asyncIterator]();
    let taken = 0;
    for (let i = 0; i < 4; i++) {
      taken += ((await iterator.next()).value as { values: number[] }).values.length;
      await context.platform.settle();
      expect(feed.asked).toBeLessThanOrEqual(taken + 1);
    }
  });

  test('slow elements come in small batches', async () => {
    const context = testContext();
    function* slow(): Generator<number> {
      for (let i = 0; i < 1000; i++) {
        context.platform.clock.advanceTo(context.platform.clock.now() + 1);
        yield i;
      }
    }
    const { batches, done } = follow(await openReader(fromIterable(slow())), 'iterable', context);
    await done;
    expect(Math.max(...batches.map(({ values }) => values.length))).toBeLessThanOrEqual(4);
  });

  test('any arrival gives every element once, in order, with positions that count them', async () => {
    const arrivals = fc.array(fc.record({ elements: fc.integer({ min: 1, max: 40 }), turns: fc.integer({ min: 0, max: 2 }) }), {
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.nat({ max: 5 }), async (steps, depth) => {
        const feed = new Feed<number>();
        const context = testContext();
        let elements: AsyncIterable<number> = feed;
        for (let i = 0; i < depth; i++) elements = through(elements);
        const { batches } = follow(await openReader(fromIterable(elements)), 'iterable', context);
        let count = 0;
        for (const { elements: many, turns } of steps) {
          feed.push(...numbers(many).map(() => count++));
          for (let i = 0; i < turns; i++) await context.platform.settle();
        }
        await context.platform.settle();
        expect(batches.flatMap(({ values }) => values)).toEqual(numbers(count));
        let total = 0;
        for (const { values, position } of batches) {
          expect(values.length).toBeGreaterThan(0);
          expect(position).toBe((total += values.length));
        }
      }),
      { numRuns: 40 },
    );
  });
});

async function* through(elements: AsyncIterable<number>): AsyncGenerator<number> {
  for await (const element of elements) yield element;
}

describe('reading again', () => {
  test('a live iterable is read once', async () => {
    const source = fromIterable(asyncNumbers(3));
    const env = new StreamEnvironment();
    const stream = env.from(source, { uid: 'live' });
    expect(await stream.collect()).toEqual([0, 1, 2]);
    const again = await new StreamEnvironment()
      .from(source, { uid: 'live' })
      .collect({ logger: silent })
      .catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'source/consumed', uid: 'live' });
  });

  test.each<[string, () => Source<number>]>([
    ['a generator object', () => fromIterable(numbers(9).values())],
    ['a Node stream', () => fromIterable<number>(Readable.from(numbers(9)))],
  ])('%s is live', async (_name, source) => {
    const one = source();
    await new StreamEnvironment().from(one).collect();
    expect(await rejectionCode(new StreamEnvironment().from(one).collect({ logger: silent }))).toBe('source/consumed');
  });

  test('a live iterable cannot be read from a position', async () => {
    const { done } = follow(await openReader(fromIterable(asyncNumbers(3))), 'iterable', testContext(), 2);
    expect(await rejectionCode(done)).toBe('source/consumed');
  });

  test('from any position comes exactly the rest', async () => {
    const sources: Record<string, (values: readonly number[]) => Source<number>> = {
      array: (values) => fromIterable(values),
      function: (values) => fromIterable(() => Readable.from(values)),
      resumable: (values) => fromIterable({ open: (from = 0) => values.slice(from).values(), position: (n) => n + 1 }),
    };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(sources)), fc.nat({ max: 300 }), fc.nat(), async (kind, count, at) => {
        const source = sources[kind]!(numbers(count));
        const context = testContext();
        const run = async (from?: unknown): Promise<ReturnType<typeof follow<number>>> => {
          const read = follow(await openReader(source), 'iterable', context, from);
          await context.platform.settle();
          await read.done;
          return read;
        };
        const { batches } = await run();
        if (batches.length === 0) return;
        const cut = at % batches.length;
        const rest = await run(batches[cut]!.position);
        const before = batches.slice(0, cut + 1).reduce((sum, { values }) => sum + values.length, 0);
        expect(rest.batches.flatMap(({ values }) => values)).toEqual(numbers(count).slice(before));
      }),
      { numRuns: 60 },
    );
  });
});

describe('errors and ends', () => {
  test('what came before an error is delivered before it', async () => {
    const seen: number[] = [];
    async function* failing(): AsyncGenerator<number> {
      yield* numbers(50);
      throw new Error('cut');
    }
    const env = new StreamEnvironment();
    const failed = await env
      .from(fromIterable(failing()), { uid: 'feed' })
      .map((n) => seen.push(n))
      .collect({ logger: silent })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'source/failed', uid: 'feed' });
    expect(seen).toEqual(numbers(50));
  });

  test('the same for a generator', async () => {
    function* failing(): Generator<number> {
      yield* numbers(50);
      throw new Error('cut');
    }
    const { batches, done } = follow(await openReader(fromIterable(failing())), 'iterable', testContext());
    expect(await rejectionCode(done)).toMatchObject({ message: 'cut' });
    expect(batches.flatMap(({ values }) => values)).toEqual(numbers(50));
  });

  test('a job that is canceled ends the iteration, also while it waits', async () => {
    const feed = new Feed<number>();
    const context = testContext();
    const { batches, done } = follow(await openReader(fromIterable(feed)), 'iterable', context);
    feed.push(1);
    await context.platform.settle();
    context.abort.abort();
    await done;
    expect(feed.returned).toBe(1);
    expect(batches.flatMap(({ values }) => values)).toEqual([1]);
  });

  test('a Node stream is destroyed, a generator gets its finally', async () => {
    const stream = new PassThrough({ objectMode: true });
    let finished = false;
    function* endless(): Generator<number> {
      try {
        for (;;) yield 1;
      } finally {
        finished = true;
      }
    }
    const env = new StreamEnvironment();
    env.from(fromIterable<number>(stream)).sinkTo(discard());
    env.from(fromIterable(endless())).sinkTo(discard());
    const job = await env.start('two');
    while (job.metrics().operators.every(({ recordsIn }) => recordsIn === 0)) await new Promise((resolve) => setImmediate(resolve));
    await job.cancel();
    await new Promise((resolve) => setImmediate(resolve));
    expect([stream.destroyed, finished]).toEqual([true, true]);
  });

  test('an iterator that throws where it should reject', async () => {
    const broken: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          throw new Error('at once');
        },
      }),
    };
    const { done } = follow(await openReader(fromIterable(broken)), 'iterable', testContext());
    expect(await rejectionCode(done)).toMatchObject({ message: 'at once' });
  });
});
