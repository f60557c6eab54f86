import { describe, expect, expectTypeOf, test } from 'vitest';
import { forEach, type Source, StreamEnvironment } from '../../src/index.ts';
import { batchEnd, checkSource, earlyEnd, fault, hang, ManualPlatform, rejection, silence, testSource } from '../../src/testing.ts';
import { follow, openReader, rejectionCode, silent, testContext } from '../connectors/reading.ts';

async function batchesOf<T>(source: Source<T>, from?: unknown): Promise<[unknown[], unknown][]> {
  const { batches, done } = follow(await openReader(source), 'test', testContext(), from);
  await done;
  return batches.map(({ values, position }) => [[...values], position]);
}

describe('a script', () => {
  test('infers its elements, not its steps', () => {
    expectTypeOf(testSource([1, 2, fault('x')])).toEqualTypeOf<Source<number>>();
    expectTypeOf(testSource([{ at: 1 }, hang(), { at: 2 }])).toEqualTypeOf<Source<{ at: number }>>();
  });

  test('batches end at steps, and where they are told to', async () => {
    expect(await batchesOf(testSource([1, 2, batchEnd(), 3, 4, 5]))).toEqual([
      [[1, 2], 2],
      [[3, 4, 5], 6],
    ]);
    expect(await batchesOf(testSource([1, 2, batchEnd(), 3, 4, 5], { batchSize: 2 }))).toEqual([
      [[1, 2], 2],
      [[3, 4], 5],
      [[5], 6],
    ]);
    expect(await batchesOf(testSource([]))).toEqual([]);
    expect(await rejectionCode(Promise.resolve().then(() => testSource([1], { batchSize: 0 })))).toBe('testing/contract');
  });

  test('a fault throws once, after what came before it; a reader that begins again comes past it', async () => {
    const source = testSource([1, 2, fault('cut'), 3]);
    const first = follow(await openReader(source), 'test', testContext());
    expect(await rejectionCode(first.done)).toMatchObject({ message: 'cut' });
    expect(first.batches).toEqual([{ values: [1, 2], position: 2 }]);
    expect(await batchesOf(source, 2)).toEqual([[[3], 4]]);
  });

  test('a fault can be stubborn', async () => {
    const source = testSource([fault('down', { times: 2 }), 1]);
    expect(await rejectionCode(batchesOf(source))).toMatchObject({ message: 'down' });
    expect(await rejectionCode(batchesOf(source))).toMatchObject({ message: 'down' });
    expect(await batchesOf(source)).toEqual([[[1], 2]]);
  });

  test('an early end, and what stands behind it', async () => {
    const source = testSource([1, earlyEnd(), 2]);
    expect(await batchesOf(source)).toEqual([
      [[1], 1],
      [[], 2],
    ]);
    expect(await batchesOf(source, 2)).toEqual([[[2], 3]]);
    expect(await new StreamEnvironment().from(source).collect()).toEqual([1]);
  });

  test('silence lasts by the clock of the job', async () => {
    const platform = new ManualPlatform();
    const env = new StreamEnvironment({ platform });
    const seen: [number, number][] = [];
    env
      .from(testSource([1, silence({ seconds: 5 }), 2, silence({ minutes: 1 }), 3]))
      .sinkTo(forEach((n) => seen.push([n, platform.clock.now()])));
    const job = await env.start('silence');
    await platform.advanceTo(100_000);
    await job.finished;
    expect(seen).toEqual([
      [1, 0],
      [2, 5_000],
      [3, 65_000],
    ]);
  });

  test('hangs until the job is canceled', async () => {
    const env = new StreamEnvironment();
    const seen: number[] = [];
    let first: () => void = () => undefined;
    const came = new Promise<void>((resolve) => (first = resolve));
    env.from(testSource([1, hang(), 2])).sinkTo(forEach((n) => (seen.push(n), first())));
    const job = await env.start('hangs');
    await came;
    await job.cancel();
    expect([seen, job.status]).toEqual([[1], 'canceled']);
  });

  test('rejected records go where rejected records go', async () => {
    const env = new StreamEnvironment();
    const stream = env.from(testSource([1, rejection('x;y', 'two cells instead of three'), 2]));
    const rejected = stream.side('rejected').collect();
    expect(await rejected).toEqual([{ place: 'test:1', code: 'source/rejected', reason: 'two cells instead of three', value: 'x;y' }]);
  });

  test('a fault fails the job with the uid of its source', async () => {
    const env = new StreamEnvironment({ logger: silent });
    const failed = await env
      .from(testSource([1, fault('cut')]), { uid: 'feed' })
      .collect()
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'source/failed', uid: 'feed' });
  });

  test('splits have scripts of their own', async () => {
    const source = testSource({ a: [1, 2], b: [3] });
    expect((await new StreamEnvironment().from(source).collect()).sort((a, b) => a - b)).toEqual([1, 2, 3]);
    await checkSource(source, { expected: [1, 2, 3] });
  });
});
