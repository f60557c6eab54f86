import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { pause } from '../../src/node/pause.ts';

test('a pause ends with the signal, however long it is', async () => {
  const abort = new AbortController();
  const long = pause(3_600_000, abort.signal);
  abort.abort();
  await long;
  await pause(3_600_000, abort.signal);
});

test('a pause ends with its time, and leaves no listener', async () => {
  const { signal } = new AbortController();
  const short = pause(1, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await short;
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
