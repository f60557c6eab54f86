import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asyncIterable, fromArray, generator, StreamEnvironment } from '../../src/index.ts';
import { fault, hang, ManualPlatform, testSource } from '../../src/testing.ts';
import { rejectionCode, silent } from './reading.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('asyncIterable', () => {
  test.each([1, 3])('gives every element and ends with the job, with %i subtasks', async (parallelism) => {
    const out = asyncIterable<number>();
    const env = new StreamEnvironment({ parallelism });
    env.from(generator({ count: 10_000, splits: parallelism, create: (i) => i })).sinkTo(out);
    const job = await env.start('all');
    const seen: number[] = [];
    for await (const value of out) seen.push(value);
    await job.finished;
    expect(seen.sort((a, b) => a - b)).toEqual(numbers(10_000));
  });

  test('the job waits for the consumer', async () => {
    const platform = new ManualPlatform();
    let made = 0;
    const out = asyncIterable<number>({ capacity: 100 });
    const env = new StreamEnvironment({ platform });
    env.from(generator({ create: (i) => ((made = i + 1), i) })).sinkTo(out);
    const job = await env.start('slow consumer');
    await platform.settle();
    // What the sink's operator gathers and what the source has ready is all that is under way.
    expect(made).toBeLessThan(5_000);
    const iterator = out[Symbol.asyncIterator]();
    for (let i = 0; i < 20_000; i++) {
      const next = iterator.next();
      if (i % 100 === 0) await platform.settle();
      platform.run();
      expect(await next).toEqual({ done: false, value: i });
      expect(made - i).toBeLessThan(5_000);
    }
    await job.cancel();
  });

  test('fails as the job does, after the elements that were there', async () => {
    const out = asyncIterable<number>();
    const env = new StreamEnvironment({ logger: silent });
    env.from(testSource([1, 2, fault('cut')], { batchSize: 1 }), { uid: 'feed' }).sinkTo(out);
    const job = await env.start('fails');
    const seen: number[] = [];
    const loop = (async () => {
      for await (const value of out) seen.push(value);
    })();
    expect(await loop.catch((error: unknown) => error)).toMatchObject({ code: 'source/failed', uid: 'feed' });
    expect(seen).toEqual([1, 2]);
    expect(await rejectionCode(job.finished)).toBe('source/failed');
    expect(await out[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('an error that nobody waits for is no unhandled rejection, and is not lost', async () => {
    const out = asyncIterable<number>();
    const env = new StreamEnvironment({ logger: silent });
    env.from(testSource<number>([fault('cut')])).sinkTo(out);
    expect(await rejectionCode(env.execute('fails'))).toBe('source/failed');
    expect(await rejectionCode(out[Symbol.asyncIterator]().next())).toBe('source/failed');
  });

  test('a job that is canceled says so, one that is stopped just ends', async () => {
    for (const [end, expected] of [
      ['cancel', 'job/canceled'],
      ['stop', 'fulfilled'],
    ] as const) {
      const out = asyncIterable<number>();
      const env = new StreamEnvironment();
      env.from(testSource([1, hang()])).sinkTo(out);
      const job = await env.start(end);
      const loop = (async () => {
        for await (const value of out) if (value === 1) void job[end]();
      })();
      expect(await rejectionCode(loop)).toBe(expected);
    }
  });

  test('a loop that is left early lets the job go on, with its other sinks', async () => {
    const out = asyncIterable<number>({ capacity: 10 });
    const env = new StreamEnvironment();
    const stream = env.from(fromArray(numbers(20_000)));
    stream.sinkTo(out);
    const all = stream.map((n) => n).collect();
    for await (const value of out) if (value === 5) break;
    expect(await all).toHaveLength(20_000);
    expect(await out[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  test('a consumer that waits when the job ends is told', async () => {
    const out = asyncIterable<number>();
    const waiting = [out[Symbol.asyncIterator]().next(), out[Symbol.asyncIterator]().next()];
    const env = new StreamEnvironment();
    env.from(fromArray([7])).sinkTo(out);
    await env.execute('one');
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: 7 },
      { done: true, value: undefined },
    ]);
  });

  test('any pace of writing and reading gives every element once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        async (steps, capacity) => {
          const sink = asyncIterable<number>({ capacity });
          const open = sink.definition.open as unknown as () => {
            write(values: readonly number[]): void | Promise<void>;
            close(): Promise<void>;
          };
          const writer = open();
          const iterator = sink[Symbol.asyncIterator]();
          const seen: number[] = [];
          let written = 0;
          let pending: Promise<void> | undefined;
          for (const [i, step] of steps.entries()) {
            if (i % 2 === 0 && pending === undefined) {
              const promise = writer.write(numbers(step).map(() => written++));
              // Promised exactly when it is full.
              expect(promise !== undefined).toBe(written - seen.length >= capacity);
              pending = promise?.then(() => (pending = undefined));
            } else for (let n = 0; n < step && seen.length < written; n++) seen.push((await iterator.next()).value!);
            await Promise.resolve();
            if (written - seen.length > capacity / 2) continue;
            await pending;
            expect(pending).toBeUndefined();
          }
          await writer.close();
          for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) seen.push(next.value);
          expect(seen).toEqual(numbers(written));
        },
      ),
    );
  });

  test('a capacity below 1 is refused', async () => {
    expect(await rejectionCode(Promise.resolve().then(() => asyncIterable({ capacity: 0 })))).toBe('config/invalid');
  });
});
