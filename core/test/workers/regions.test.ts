import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fixedDelay, type Job, noRestart, type RunOptions } from '../../src/index.ts';
import { readLines } from '../node/committed.ts';
import { recordingLogger } from '../recordingLogger.ts';
import regions, { type RegionFailure, type RegionName } from './fixtures/regions/job.ts';

const ELEMENTS = 400;
/** Each of ten sums, fifty times. */
const SUMS = Array.from({ length: 10 }, (_, key) => 40 * key + 10 * ((39 * 40) / 2));
const EXPECTED = SUMS.flatMap((sum) => Array.from({ length: 50 }, () => sum)).sort((a, b) => a - b);

let root: string;
let temporary: string | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-regions-'));
  temporary = process.env['TMPDIR'];
  process.env['TMPDIR'] = root;
});
afterEach(async () => {
  if (temporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = temporary;
  await rm(root, { recursive: true, force: true });
});

/** Runs the job; `onRestart` is called while it waits to start again. */
async function run(
  options: RunOptions,
  failures: readonly RegionFailure[],
  { onRestart, opaque }: { readonly onRestart?: () => Promise<void>; readonly opaque?: boolean } = {},
): Promise<{ readonly job: Job; readonly results: readonly number[]; readonly calls: (region: RegionName) => number }> {
  const folder = await mkdtemp(join(root, 'job-'));
  const job = await regions.start(
    { folder, elements: ELEMENTS, failures, ...(opaque === true && { opaque }) },
    {
      mode: 'batch',
      parallelism: 2,
      logger: recordingLogger(),
      restart: fixedDelay({ delay: { milliseconds: onRestart === undefined ? 0 : 1000 }, attempts: 5 }),
      ...options,
    },
  );
  let told: Promise<void> | undefined;
  job.onStatus((status) => {
    if (status === 'restarting') told ??= onRestart?.();
  });
  await job.finished;
  await told;
  const results = await readLines<number>(join(folder, 'output'));
  return { job, results: results.sort((a, b) => a - b), calls: (region) => readFileSync(join(folder, region)).length };
}

/** Where the job keeps what finished regions have sent. */
async function keptFiles(): Promise<string[]> {
  const [directory] = (await readdir(root)).filter((name) => name.startsWith('millrace-results-'));
  return directory === undefined ? [] : (await readdir(join(root, directory))).map((name) => join(root, directory, name));
}

const drivers = [['inline'], ['workers'], ['processes']] as const;

describe('what a finished region has sent', { timeout: 180_000 }, () => {
  test.each(drivers)('is read again by those that fail, %s', async (driver) => {
    const { job, results, calls } = await run({ driver }, [
      { region: 'first', call: 100, exit: false },
      { region: 'second', call: 0, exit: false },
      { region: 'second', call: 150, exit: false },
      { region: 'third', call: 3, exit: false },
      { region: 'third', call: 120, exit: false },
    ]);
    expect(results).toEqual(EXPECTED);
    // Two hosts may fail in the same attempt.
    expect(job.attempts).toBeGreaterThan(3);
    expect(calls('first')).toBeLessThan(2 * ELEMENTS);
    expect(calls('second')).toBeLessThan(3 * EXPECTED.length);
    const read = job.metrics().operators.filter(({ uid }) => uid === 'numbers');
    expect(read.reduce((sum, { recordsOut }) => sum + recordsOut, 0)).toBe(ELEMENTS);
    expect(await keptFiles()).toEqual([]);
    expect((await readdir(root)).filter((name) => name.startsWith('millrace-results-'))).toEqual([]);
  });

  test.each([['workers'], ['processes']] as const)('outlives the host that has sent it, and that which reads it, %s', async (driver) => {
    const { job, results, calls } = await run({ driver }, [
      { region: 'second', call: 20, exit: true },
      { region: 'third', call: 20, exit: true },
    ]);
    expect(results).toEqual(EXPECTED);
    expect(job.attempts).toBe(3);
    expect(calls('first')).toBe(ELEMENTS);
    expect(calls('second')).toBeLessThan(2 * EXPECTED.length);
  });

  test.each([
    ['cut', (file: string) => truncateSync(file, readFileSync(file).length - 1)],
    ['gone', (file: string) => rmSync(file)],
  ])('is made again where a file of it is %s', async (_, damage) => {
    const onRestart = async (): Promise<void> => {
      await vi.waitFor(async () => expect((await keptFiles()).length).toBe(2));
      damage((await keptFiles())[0]!);
    };
    const { results, calls } = await run({ driver: 'workers' }, [{ region: 'second', call: 20, exit: false }], { onRestart });
    expect(results).toEqual(EXPECTED);
    expect(calls('first')).toBe(2 * ELEMENTS);
  });

  test('is made again where no file can hold it, and the log says why', async () => {
    const logger = recordingLogger();
    const { results, calls } = await run({ driver: 'workers', parallelism: 1, logger }, [{ region: 'second', call: 20, exit: false }], {
      opaque: true,
    });
    expect(results).toEqual(EXPECTED);
    expect(calls('first')).toBe(2 * ELEMENTS);
    expect(logger.of('warn').some((message) => message.includes('cannot be kept'))).toBe(true);
  });

  test('is not kept where the job is not started again', async () => {
    const failing = run({ driver: 'workers', restart: noRestart() }, [{ region: 'third', call: 20, exit: true }]);
    await expect(failing).rejects.toMatchObject({ code: 'worker/lost' });
  });
});
