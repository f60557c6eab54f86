import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixedDelay, memoryStorage, type RunOptions } from '../../src/index.ts';
import { directory } from '../../src/node.ts';
import { readLines } from '../node/committed.ts';
import differing from './fixtures/differing/job.ts';
import totals, { type TotalsConfig } from './fixtures/totals/job.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const ELEMENTS = 20_000;

let root: string;
let folders = 0;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'millrace-workers-'))));
afterAll(async () => rm(root, { recursive: true, force: true }));

const folder = (): string => join(root, `${folders++}`);

async function results(options: RunOptions, config: Partial<TotalsConfig> = {}): Promise<readonly string[]> {
  const output = folder();
  await totals.run({ output, elements: ELEMENTS, ...config }, { logger: SILENT, ...options });
  return (await readLines(output)).map((line) => JSON.stringify(line)).sort();
}

describe('on worker threads', { timeout: 180_000 }, () => {
  test('a job gives what it gives on one', async () => {
    const expected = await results({});
    expect(expected.length).toBe((5 * ELEMENTS) / 1000);
    expect(await results({ parallelism: 2, driver: 'workers' })).toEqual(expected);
    expect(await results({ parallelism: 3 })).toEqual(expected);
    expect(await results({ parallelism: 2, mode: 'batch' })).toEqual(expected);
    expect(await results({ parallelism: 2, credit: 1 })).toEqual(expected);
  });

  test('a job whose subtask fails, or whose worker dies, goes on from its checkpoint and writes everything once', async () => {
    const expected = await results({});
    for (const exit of [false, true]) {
      const options = {
        parallelism: 2,
        checkpoint: { storage: memoryStorage(), every: { milliseconds: 20 } },
        restart: fixedDelay({ delay: {} }),
      };
      expect(await results(options, { failAt: 7_000, marker: folder(), exit, rate: 20_000 })).toEqual(expected);
    }
  });

  test('the same in child processes', async () => {
    const expected = await results({});
    expect(await results({ parallelism: 2, driver: 'processes' })).toEqual(expected);
    const options: RunOptions = {
      driver: 'processes',
      parallelism: 2,
      checkpoint: { storage: memoryStorage(), every: { milliseconds: 20 } },
      restart: fixedDelay({ delay: {} }),
    };
    expect(await results(options, { failAt: 7_000, marker: folder(), exit: true, rate: 20_000 })).toEqual(expected);
  });

  test('a job goes on in another number of threads', async () => {
    const expected = await results({});
    const output = folder();
    const checkpoint = { storage: directory(folder()), every: { milliseconds: 20 } };
    for (const parallelism of [2, 3, 1]) {
      const job = await totals.start(
        { output, elements: ELEMENTS, rate: 20_000 },
        { logger: SILENT, parallelism, checkpoint, restore: 'latest' },
      );
      await job.checkpoint();
      await job.stop();
    }
    await totals.run({ output, elements: ELEMENTS }, { logger: SILENT, parallelism: 2, checkpoint, restore: 'latest' });
    expect((await readLines(output)).map((line) => JSON.stringify(line)).sort()).toEqual(expected);
  });

  test('its metrics come together', async () => {
    const job = await totals.start({ output: folder(), elements: ELEMENTS }, { logger: SILENT, parallelism: 2 });
    await job.finished;
    const of = (uid: string): number =>
      job
        .metrics()
        .operators.filter((o) => o.uid === uid)
        .reduce((sum, o) => sum + o.recordsIn, 0);
    expect([of('elements'), of('fail'), of('totals'), of('output')]).toEqual([ELEMENTS, ELEMENTS, ELEMENTS, (5 * ELEMENTS) / 1000]);
    expect(job.progress()?.fraction).toBe(1);
  });

  test('can be canceled, and stopped', async () => {
    const canceled = await totals.start({ output: folder(), elements: 10 ** 9 }, { logger: SILENT, parallelism: 2 });
    await canceled.cancel();
    await expect(canceled.finished).rejects.toMatchObject({ code: 'job/canceled' });
    const stopped = await totals.start({ output: folder(), elements: 10 ** 9 }, { logger: SILENT, parallelism: 2 });
    await stopped.stop({ drain: true });
    expect(stopped.status).toBe('finished');
  });

  test("without checkpoints a failure there is the job's, with the place", async () => {
    const failing = totals.run({ output: folder(), elements: ELEMENTS, failAt: 5, marker: folder() }, { logger: SILENT, parallelism: 2 });
    await expect(failing).rejects.toMatchObject({ code: 'operator/failed', uid: 'fail' });
    const lost = totals.run(
      { output: folder(), elements: ELEMENTS, failAt: 5, marker: folder(), exit: true },
      { logger: SILENT, parallelism: 2 },
    );
    await expect(lost).rejects.toMatchObject({ code: 'worker/lost' });
  });

  test('a worker that builds another graph is refused', async () => {
    const run = differing.run(undefined, { logger: SILENT, parallelism: 2 });
    await expect(run).rejects.toMatchObject({ code: 'worker/graph', uid: 'second' });
  });

  test('dead letters come to the sink that the run was given', async () => {
    const rejected: unknown[] = [];
    const { defineSink } = await import('../../src/index.ts');
    const gather = defineSink<unknown>({
      name: 'gather',
      open: () => ({ write: (values) => void rejected.push(...values), prepare: async () => [], commit: async () => undefined }),
    });
    await results({ parallelism: 2, onError: 'deadLetter', deadLetters: gather }, { failAt: 5, marker: folder() });
    expect(rejected).toMatchObject([{ place: 'fail', code: 'operator/failed', value: { i: 5 } }]);
  });

  test('an instance of a class cannot go from one to another: the error names who emitted it', async () => {
    const run = totals.run({ output: folder(), elements: 100, instances: true }, { logger: SILENT, parallelism: 2 });
    await expect(run).rejects.toMatchObject({ code: 'codec/unsupported', uid: 'fail' });
  });

  test('only a module can be run on them', async () => {
    const { StreamEnvironment, fromArray, discard } = await import('../../src/index.ts');
    const env = new StreamEnvironment();
    env.from(fromArray([1])).sinkTo(discard());
    await expect(env.execute('script', { driver: 'workers' })).rejects.toMatchObject({ code: 'graph/option' });
  });
});
