import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import { forEach } from '../../src/connectors/forEach.ts';
import { fromArray } from '../../src/connectors/fromArray.ts';
import { defineSink, defineSource, type Source } from '../../src/operators/connector.ts';
import type { LocalJob } from '../../src/runtime/job.ts';
import type { JobStatus } from '../../src/runtime/lifecycle.ts';
import { recordingLogger } from '../recordingLogger.ts';

const BATCH = Array.from({ length: 1_000 }, (_, i) => i);

/** Gives elements as fast as they are taken, without end. */
function endless(closed: string[] = []): Source<number> {
  return defineSource<number, number>({
    name: 'endless',
    bounded: false,
    open: () => ({
      splits: async () => ['only'],
      async *read(_split, from = 0, { signal }) {
        for (let position = from; !signal.aborted; position += BATCH.length) yield { values: BATCH, position };
      },
      close: async () => void closed.push('source'),
    }),
  });
}

interface Started {
  readonly job: LocalJob;
  /** What was closed, in order. */
  readonly closed: readonly string[];
  /** Resolves when elements arrive. */
  readonly arrived: Promise<void>;
  readonly count: () => number;
}

async function startEndless(options: { readonly signal?: AbortSignal } = {}): Promise<Started> {
  const closed: string[] = [];
  let count = 0;
  let arrived: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (arrived = resolve));
  const sink = defineSink<number>({
    name: 'counting',
    open: () => ({
      write(values) {
        count += values.length;
        arrived();
      },
      prepare: async () => [],
      commit: async () => void closed.push('commit'),
      close: async () => void closed.push('sink'),
    }),
  });
  const env = new StreamEnvironment({ logger: recordingLogger(), ...options });
  env
    .from(endless(closed))
    .map((n) => n + 1)
    .sinkTo(sink);
  const job = await env.start('endless');
  return { job, closed, arrived: first, count: () => count };
}

test('a signal cancels a running job, and everything is closed', async () => {
  const controller = new AbortController();
  const { job, closed, arrived } = await startEndless({ signal: controller.signal });
  await arrived;
  controller.abort();
  await expect(job.finished).rejects.toMatchObject({ code: 'job/canceled' });
  expect(job.status).toBe('canceled');
  expect(closed.toSorted()).toEqual(['sink', 'source']);
});

test('a signal that was given before cancels a job before it begins', async () => {
  let opened = 0;
  const env = new StreamEnvironment({ signal: AbortSignal.abort(), logger: recordingLogger() });
  env.from(endless()).sinkTo(
    defineSink<number>({
      name: 'never',
      open: () => {
        opened++;
        throw new Error('not to be opened');
      },
    }),
  );
  await expect(env.start('too late')).rejects.toMatchObject({ code: 'job/canceled' });
  expect(opened).toBe(0);
});

test('a signal that comes while sinks are opened cancels the job', async () => {
  const controller = new AbortController();
  const env = new StreamEnvironment({ signal: controller.signal, logger: recordingLogger() });
  let written = 0;
  env.from(endless()).sinkTo(
    defineSink<number>({
      name: 'slow to open',
      open: async () => {
        controller.abort();
        return { write: () => void written++, prepare: async () => [], commit: async () => undefined };
      },
    }),
  );
  await expect(env.start('interrupted')).rejects.toMatchObject({ code: 'job/canceled' });
  expect(written).toBe(0);
});

test('a signal outlives the jobs that it was given to', async () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) await new StreamEnvironment({ signal }).from(fromArray([1])).collect();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('leaving the scope of a job cancels it', async () => {
  let started: Started | undefined;
  {
    started = await startEndless();
    await using job = started.job;
    await started.arrived;
    expect(job.status).toBe('running');
  }
  expect(started.job.status).toBe('canceled');
  expect(started.closed.toSorted()).toEqual(['sink', 'source']);
});

test('leaving the scope of a job that is over does nothing', async () => {
  const env = new StreamEnvironment();
  env.from(fromArray([1])).sinkTo(forEach(() => undefined));
  let finished: LocalJob;
  {
    await using job = await env.start('short');
    await job.finished;
    finished = job;
  }
  expect(finished.status).toBe('finished');
});

test('a job that is stopped delivers what it took, and commits', async () => {
  const { job, closed, arrived, count } = await startEndless();
  const statuses: JobStatus[] = [];
  job.onStatus((status) => statuses.push(status));
  await arrived;
  await job.stop();
  expect(statuses).toEqual(['stopping', 'finished']);
  expect(closed).toEqual(['commit', 'sink', 'source']);
  const { operators } = job.metrics();
  expect(operators.map(({ recordsIn }) => recordsIn)).toEqual([count(), count(), count()]);
});

test('a job at full speed shares its process with an HTTP server', async () => {
  const { job, arrived, count } = await startEndless();
  const server = createServer((_request, response) => response.end(job.status));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await arrived;
  const counts: number[] = [];
  for (let request = 0; request < 25; request++) {
    expect(await (await fetch(url)).text()).toBe('running');
    counts.push(count());
  }
  // The job went on between the answers: all of them came while it ran.
  expect(counts.at(-1)!).toBeGreaterThan(counts[0]!);
  expect(job.status).toBe('running');
  await job.stop();
  await new Promise((resolve) => server.close(resolve));
});

test('progress: bytes where every split knows its size, over all bounded sources', async () => {
  const sizes: Readonly<Record<string, number>> = { a: 100, b: 300 };
  let goOn: () => void = () => undefined;
  const half = new Promise<void>((resolve) => (goOn = resolve));
  let reached: () => void = () => undefined;
  const atHalf = new Promise<void>((resolve) => (reached = resolve));
  const files = defineSource<string, number>({
    name: 'files',
    bounded: true,
    open: () => ({
      splits: async () => Object.keys(sizes),
      async *read(split) {
        yield { values: [split], position: 1, bytes: sizes[split]! / 2 };
        yield { values: [split], position: 2 };
        if (split === 'b') {
          reached();
          await half;
        }
        yield { values: [split], position: 3, bytes: sizes[split]! / 2 };
      },
      size: async (split) => sizes[split],
    }),
  });
  const env = new StreamEnvironment();
  env
    .from(files, { uid: 'files' })
    .map((n) => n)
    .union(env.from(fromArray(['x', 'y']), { uid: 'few' }))
    .sinkTo(forEach(() => undefined));
  const job = await env.start('progress');
  await atHalf;
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(job.progress()).toEqual({
    fraction: 250 / 400,
    sources: [
      { uid: 'files', unit: 'bytes', read: 250, total: 400 },
      { uid: 'few', unit: 'records', read: 2, total: 2 },
    ],
  });
  goOn();
  await job.finished;
  expect(job.progress()?.fraction).toBe(1);
});

test('progress is not known of a source that is endless, or of which one split does not know its size', async () => {
  const unknown = defineSource<number, number>({
    name: 'unknown',
    bounded: true,
    open: () => ({
      splits: async () => ['a', 'b', 'c'],
      async *read() {
        yield { values: [1], position: 1, bytes: 10 };
      },
      async size(split) {
        if (split === 'c') throw new Error('no such thing');
        return split === 'a' ? 10 : undefined;
      },
    }),
  });
  const env = new StreamEnvironment();
  env.from(unknown).sinkTo(forEach(() => undefined));
  const job = await env.start('unknown');
  await job.finished;
  expect(job.progress()).toBeUndefined();
  const { job: running } = await startEndless();
  expect(running.progress()).toBeUndefined();
  await running.stop();
});

test('what the engine has to say goes to the logger that is given', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  const failure = new Error('no luck');
  env
    .from(fromArray([1]))
    .map(
      () => {
        throw failure;
      },
      { uid: 'unlucky' },
    )
    .sinkTo(forEach(() => undefined));
  const job = await env.start('broken');
  await expect(job.finished).rejects.toMatchObject({ code: 'operator/failed', uid: 'unlucky', cause: failure });
  expect(logger.entries).toEqual([
    {
      level: 'error',
      message: expect.stringMatching(/^The job "broken" failed: \[operator\/failed\] uid "unlucky": .*no luck/) as string,
      details: { error: expect.objectContaining({ code: 'operator/failed' }) as unknown },
    },
  ]);
});

test('the logger of the start goes before that of the environment', async () => {
  const [ofEnvironment, ofStart] = [recordingLogger(), recordingLogger()];
  const env = new StreamEnvironment({ logger: ofEnvironment, onError: 'skip' });
  env
    .from(fromArray([1, 2]))
    .map((n) => {
      if (n === 1) throw new Error('one');
      return n;
    })
    .sinkTo(forEach(() => undefined));
  await env.execute('logged', { logger: ofStart });
  expect(ofStart.of('warn')).toHaveLength(1);
  expect(ofEnvironment.entries).toEqual([]);
});
