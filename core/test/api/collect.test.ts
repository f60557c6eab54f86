import { expect, test } from 'vitest';
import { forEach, fromArray, StreamEnvironment } from '../../src/index.ts';

test('a second collect() runs the job again and leaves what the first one returned alone', async () => {
  const env = new StreamEnvironment();
  const numbers = env.from(fromArray([1, 2, 3]));
  const first = await numbers.map((n) => n * 2).collect();
  const second = await numbers.map((n) => n * 3).collect();
  expect(first).toEqual([2, 4, 6]);
  expect(second).toEqual([3, 6, 9]);
});

test('what a job runs besides collect() is not changed by it', async () => {
  const env = new StreamEnvironment();
  const seen: number[] = [];
  const numbers = env.from(fromArray([1, 2, 3]));
  numbers.sinkTo(forEach((n) => void seen.push(n)));
  await numbers.collect();
  expect(seen).toEqual([1, 2, 3]);
  await env.execute('again');
  expect(seen).toEqual([1, 2, 3, 1, 2, 3]);
});
