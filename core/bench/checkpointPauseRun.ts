import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompletedCheckpoint, discard, forEach, noRestart, StreamEnvironment } from '../src/index.ts';
import { directory } from '../src/node.ts';
import { ChangingState } from './changingState.ts';

/** What a run of the child process tells. */
export interface PauseFigures {
  /** The longest time between two elements that follow each other at the sink, in ms. */
  readonly pause: number;
  /** Millions of elements a second. */
  readonly rate: number;
  /** How many checkpoints were complete within the time. */
  readonly checkpoints: number;
}

/** How often the clock is looked at: every so many elements. */
const LOOK = 32;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

const [keys, seconds, isCheckpointed] = process.argv.slice(2).map(Number) as [number, number, number];
const state = new ChangingState(keys);
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const checkpoint = { storage: directory(folder), every: { seconds: 1 } };
try {
  process.send!(await run());
} finally {
  await rm(folder, { recursive: true });
  process.disconnect();
}

async function run(): Promise<PauseFigures> {
  let isFilled: () => void;
  const filled = new Promise<void>((resolve) => (isFilled = resolve));
  let arrived = 0;
  let last = 0;
  let longest = 0;
  const env = new StreamEnvironment();
  const source = state.elements((from) => {
    if (from > keys) isFilled();
  });
  state.build(env, source).sinkTo(
    forEach(() => {
      if (++arrived % LOOK !== 0) return;
      const now = performance.now();
      if (now - last > longest) longest = now - last;
      last = now;
    }),
    { uid: 'sink' },
  );
  const job = await env.start('state', { logger: SILENT, ...(isCheckpointed === 1 && { checkpoint }) });
  await filled;
  const [from, start, before] = [arrived, performance.now(), job.checkpoints()?.completed ?? 0];
  longest = 0;
  const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
  await wait(seconds * 1000);
  // Longer where the machine is slow: there has to be a checkpoint to speak of.
  while (isCheckpointed === 1 && job.checkpoints()!.completed === before) await wait(100);
  const figures = {
    pause: longest,
    rate: (arrived - from) / (performance.now() - start) / 1000,
    checkpoints: (job.checkpoints()?.completed ?? 0) - before,
  };
  // As a crash would: what is under way is lost.
  await job.cancel();
  const latest = job.checkpoints()?.recent[0];
  if (latest !== undefined) await check(latest);
  return figures;
}

/** Goes on from the latest checkpoint and asks for what is held. */
async function check({ startedAt, took }: CompletedCheckpoint): Promise<void> {
  const checker = state.checker(startedAt + took);
  const env = new StreamEnvironment();
  state.build(env, state.questions(), checker).sinkTo(discard(), { uid: 'sink' });
  await env.execute('state', { logger: SILENT, checkpoint: { storage: directory(folder) }, restore: 'latest', restart: noRestart() });
  checker.finish();
}
