import { expect, test } from 'vitest';
import { defineSink, defineSource, fromArray, StreamEnvironment } from '../../src/index.ts';
import { silent } from '../connectors/reading.ts';

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('when a sink or source cannot be opened, those that open later are closed again', async () => {
  const closed: unknown[] = [];
  const slowSink = defineSink<number>({
    name: 'slow',
    open: async () => {
      await later();
      return {
        write: () => undefined,
        prepare: async () => [],
        commit: async () => undefined,
        close: async (failure) => void closed.push(failure),
      };
    },
  });
  const shut = defineSink<number>({ name: 'shut', open: () => Promise.reject(new Error('shut')) });
  const env = new StreamEnvironment({ logger: silent });
  const stream = env.from(fromArray([1]));
  stream.sinkTo(slowSink);
  stream.sinkTo(shut, { uid: 'shut' });
  const failure: unknown = await env.execute('opens').catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'sink/failed', uid: 'shut' });
  expect(closed).toEqual([failure]);
});

test('the same for sources', async () => {
  let closed = 0;
  const slow = defineSource<number, number>({
    name: 'slow',
    bounded: true,
    open: async () => {
      await later();
      return { splits: async () => [], async *read() {}, close: async () => void closed++ };
    },
  });
  const shut = defineSource<number, number>({ name: 'shut', bounded: true, open: () => Promise.reject(new Error('shut')) });
  const env = new StreamEnvironment({ logger: silent });
  const failure: unknown = await env
    .from(shut, { uid: 'shut' })
    .union(env.from(slow))
    .collect()
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ uid: 'shut' });
  expect(closed).toBe(1);
});
