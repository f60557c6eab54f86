import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  count,
  defineJob,
  discard,
  forEach,
  fromArray,
  generator,
  type JobStatus,
  lifecycleMachine,
  prometheusText,
  StreamEnvironment,
  tumbling,
} from '../../src/index.ts';
import { recordingLogger } from '../recordingLogger.ts';

const logger = recordingLogger();

/** A job whose source never ends, and how often its parts were asked to do something. */
function countingJob(taken: number[] = []) {
  const calls = { build: 0, create: 0 };
  const job = defineJob({
    name: 'counting',
    config: z.object({ first: z.number().default(0) }),
    build(env, { first }) {
      calls.build++;
      const create = (i: number): number => {
        calls.create++;
        return first + i;
      };
      env.from(generator({ create }), { uid: 'numbers' }).sinkTo(
        forEach((n) => void taken.push(n)),
        { uid: 'taken' },
      );
    },
  });
  return { job, calls };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

describe('law 7: a job is a value', () => {
  test('that does nothing until it is built, and reads nothing until it runs', () => {
    const { job, calls } = countingJob();
    expect(calls).toEqual({ build: 0, create: 0 });
    expect(job.explain({ first: 1 })).toContain('source [numbers]');
    expect(calls).toEqual({ build: 1, create: 0 });
    expect(job.definition.name).toBe(job.name);
  });

  test('that can run twice at once, each run with a graph and a configuration of its own', async () => {
    const taken: number[] = [];
    const { job, calls } = countingJob(taken);
    const runs = await Promise.all([job.start({ first: 0 }, { logger }), job.start({ first: 1_000_000_000 }, { logger })]);
    await until(() => taken.includes(5) && taken.includes(1_000_000_005));
    await Promise.all(runs.map((run) => run.stop()));
    expect(calls.build).toBe(2);
  });

  test('whose configuration is checked and completed by its schema; what is refused is named', () => {
    const { job } = countingJob();
    expect(job.parseConfig({})).toEqual({ first: 0 });
    expect(() => job.parseConfig({ first: 'x' })).toThrow(
      expect.objectContaining({ code: 'config/invalid', message: expect.stringMatching(/"counting".*first/) as string }),
    );
  });
});

describe('the handle of a job', () => {
  test('tells its life: running, then finished', async () => {
    const env = new StreamEnvironment({ logger });
    env.from(fromArray([1, 2, 3])).sinkTo(discard());
    const job = await env.start('short');
    expect(job.name).toBe('short');
    const statuses: JobStatus[] = [job.status];
    const unsubscribe = job.onStatus((status) => statuses.push(status));
    await expect(job.finished).resolves.toBeUndefined();
    unsubscribe();
    expect(statuses).toEqual(['running', 'finished']);
    expect(job.attempts).toBe(1);
  });

  test('rejects `finished` with what a function threw, and nothing else does: a failure that nobody awaits ends no process', async () => {
    const env = new StreamEnvironment({ logger });
    const cause = new Error('three');
    env
      .from(fromArray([1, 2, 3]))
      .map(
        (n) => {
          if (n === 3) throw cause;
          return n;
        },
        { uid: 'picky' },
      )
      .sinkTo(discard());
    const job = await env.start('failing');
    await until(() => job.status === 'failed');
    await expect(job.finished).rejects.toMatchObject({ code: 'operator/failed', uid: 'picky', cause });
    await expect(job.stop()).rejects.toMatchObject({ code: 'operator/failed' });
    await job.cancel();
    expect(job.status).toBe('failed');
  });

  test('cancels once, however often it is asked, and `finished` says so', async () => {
    const { job } = countingJob();
    const run = await job.start({ first: 0 }, { logger });
    await Promise.all([run.cancel(), run.cancel()]);
    expect(run.status).toBe('canceled');
    await expect(run.finished).rejects.toMatchObject({ code: 'job/canceled', message: expect.stringContaining('"counting"') as string });
    await run.cancel();
  });

  test.each([true, false])('stops in order, and lets time go to its end if it is told to drain: %s', async (drain) => {
    const results: number[] = [];
    let last = 0;
    const env = new StreamEnvironment({ logger });
    env
      .from(generator({ create: (i) => (last = i) }), { time: { timestamp: () => 5 } })
      .windowAll(tumbling({ seconds: 1 }))
      .aggregate({ n: count() })
      .sinkTo(forEach(({ value }) => void results.push(value.n)));
    const job = await env.start('windows');
    await until(() => last > 10);
    await job.stop({ drain });
    expect(job.status).toBe('finished');
    const taken = job.metrics().operators.find(({ kind }) => kind === 'window aggregate')!.recordsIn;
    expect(results).toEqual(drain ? [taken] : []);
  });

  test('stops when it is canceled while it stops', async () => {
    const { job } = countingJob();
    const run = await job.start({ first: 0 }, { logger });
    const stopped = run.stop();
    await run.cancel();
    await stopped.catch(() => undefined);
    expect(['canceled', 'finished']).toContain(run.status);
  });

  test('has metrics, as an object and as Prometheus reads them, while it runs and after', async () => {
    const taken: number[] = [];
    const { job } = countingJob(taken);
    const run = await job.start({ first: 0 }, { logger });
    await until(() => taken.length > 100);
    const during = run.metrics().operators.find(({ uid }) => uid === 'taken')!;
    expect(during).toMatchObject({ kind: 'sink', subtask: 0, late: 0, rejected: 0, dropped: 0 });
    expect(during.recordsIn).toBeGreaterThan(100);
    await run.stop();
    expect(run.metrics()).toMatchObject({ job: 'counting' });
    expect(prometheusText(run.metrics())).toContain(
      `millrace_records_in_total{job="counting",uid="taken",kind="sink",subtask="0"} ${taken.length}\n`,
    );
  });

  test('is not given for a job that cannot begin: its error comes at once', async () => {
    const env = new StreamEnvironment({ logger });
    expect(() => env.plan()).toThrow(expect.objectContaining({ code: 'graph/empty' }));
    await expect(env.start('empty')).rejects.toMatchObject({ code: 'graph/empty' });
  });
});

describe('the life of a job', () => {
  const { states } = lifecycleMachine.config as {
    readonly states: Readonly<Record<string, { readonly on?: object; readonly type?: string }>>;
  };

  test('ends finished, failed or canceled, and nowhere else', () => {
    const ends = Object.keys(states).filter((name) => states[name]!.type === 'final');
    expect(ends.toSorted()).toEqual(['canceled', 'failed', 'finished']);
  });

  test('can fail and be canceled from everywhere else', () => {
    for (const { on, type } of Object.values(states))
      if (type !== 'final') expect(on).toMatchObject({ fail: 'failed', cancel: 'canceled' });
  });
});
