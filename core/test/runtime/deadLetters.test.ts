import { expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import type { RunOptions } from '../../src/api/runOptions.ts';
import { forEach } from '../../src/connectors/forEach.ts';
import { fromArray } from '../../src/connectors/fromArray.ts';
import { DEAD_LETTER_UID } from '../../src/graph/deadLetters.ts';
import { explainText } from '../../src/graph/explain.ts';
import type { ErrorPolicy } from '../../src/graph/builder.ts';
import { defineSource, type Rejected } from '../../src/operators/connector.ts';
import { recordingLogger } from '../recordingLogger.ts';

const NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

const poisoned = (n: number): number => {
  if (n % 4 === 0) throw new Error('poison');
  return n * 10;
};

interface Ran {
  readonly out: number[];
  readonly dead: Rejected[];
  readonly rejected: number;
  readonly passed: number;
  readonly dropped: number;
  readonly error: unknown;
  readonly log: readonly string[];
}

async function run(options: {
  readonly job?: ErrorPolicy;
  readonly operator?: ErrorPolicy;
  readonly mode?: 'batch';
  readonly parallelism?: number;
  readonly generateCode?: boolean;
}): Promise<Ran> {
  const out: number[] = [];
  const dead: Rejected[] = [];
  const logger = recordingLogger();
  const env = new StreamEnvironment({ mode: options.mode ?? 'streaming', parallelism: options.parallelism ?? 1, logger });
  env.deadLetterTo(forEach((rejected) => void dead.push(rejected)));
  env
    .from(fromArray(NUMBERS))
    .map(poisoned, { uid: 'poisoned', ...(options.operator && { onError: options.operator }) })
    .filter((n) => n !== 10)
    .sinkTo(forEach((n) => void out.push(n)));
  const job = await env.start('poison', { onError: options.job ?? 'fail', ...(options.generateCode === false && { generateCode: false }) });
  const error = await job.finished.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const counts = { rejected: 0, passed: 0, dropped: 0 };
  for (const { uid, kind, rejected, recordsOut, dropped } of job.metrics().operators) {
    if (uid === 'poisoned') counts.rejected += rejected;
    if (uid === 'poisoned') counts.passed += recordsOut;
    if (kind === 'filter') counts.dropped += dropped;
  }
  return { out: out.toSorted((a, b) => a - b), dead, ...counts, error, log: logger.of('warn') };
}

const GOOD = [20, 30, 50, 60, 70, 90, 100].filter((n) => n !== 10);
const LETTERS = [4, 8].map((value) => ({ place: 'poisoned', code: 'operator/failed', reason: 'poison', value }));

test('a job fails on the first element that a function throws on, by its uid', async () => {
  const { error, dead } = await run({});
  expect(error).toMatchObject({ code: 'operator/failed', uid: 'poisoned' });
  expect(dead).toEqual([]);
});

for (const mode of [undefined, 'batch'] as const) {
  for (const parallelism of [1, 3]) {
    for (const generateCode of [true, false]) {
      const place = `${mode ?? 'streaming'}, parallelism ${parallelism}, ${generateCode ? 'generated' : 'plain'} driver`;
      const common = { ...(mode && { mode }), parallelism, generateCode };

      test(`dead letters of the job's policy: ${place}`, async () => {
        const ran = await run({ job: 'deadLetter', ...common });
        expect(ran).toMatchObject({ out: GOOD, rejected: 2, passed: 8, dropped: 1, error: undefined });
        expect(ran.dead.toSorted((a, b) => Number(a.value) - Number(b.value))).toEqual(LETTERS);
      });

      test(`an operator has a policy of its own: ${place}`, async () => {
        expect(await run({ operator: 'deadLetter', ...common })).toMatchObject({ out: GOOD, dead: { length: 2 }, error: undefined });
        expect(await run({ job: 'deadLetter', operator: 'skip', ...common })).toMatchObject({
          out: GOOD,
          dead: [],
          rejected: 2,
          error: undefined,
        });
        expect(await run({ job: 'skip', operator: 'fail', ...common })).toMatchObject({
          error: { code: 'operator/failed', uid: 'poisoned' },
        });
      });

      test(`skipped elements are counted and logged: ${place}`, async () => {
        const ran = await run({ job: 'skip', ...common });
        expect(ran).toMatchObject({ out: GOOD, dead: [], rejected: 2, error: undefined });
        expect(ran.log).toEqual([4, 8].map(() => '[operator/failed] uid "poisoned": an element was rejected: poison.'));
      });
    }
  }
}

/** Each element from 1 to 7 is poison to a function of its own. */
async function poisonEverything(options: RunOptions): Promise<{ readonly dead: readonly string[]; readonly out: readonly number[] }> {
  const dead: Rejected[] = [];
  const out: number[] = [];
  const deadLetters = forEach((rejected: Rejected) => void dead.push(rejected));
  const env = new StreamEnvironment({ ...options, onError: 'deadLetter', logger: recordingLogger(), deadLetters });
  const swallow = (n: number, poison: number): void => {
    if (n === poison) throw new TypeError(`no ${n}`);
  };
  env
    .from(fromArray(NUMBERS), { uid: 'source', time: { timestamp: (n) => (swallow(n, 1), n === 2 ? Number.NaN : n) } })
    .flatMap(
      function* each(n) {
        yield n;
        swallow(n, 3);
      },
      { uid: 'flatMap' },
    )
    .keyBy((n) => (swallow(n, 4), n === 5 ? (undefined as unknown as string) : 'key'))
    .reduce((a, b) => (swallow(b, 6), Math.max(a, b)), { uid: 'reduce' })
    .sinkTo(
      forEach((n) => (swallow(n, 7), void out.push(n))),
      { uid: 'sink' },
    );
  await env.execute('everything');
  return { out, dead: dead.map(({ place, code, value }) => `${place} ${code} ${String(value)}`).toSorted() };
}

const EVERYTHING = [
  'flatMap operator/failed 3',
  'reduce key/invalid 5',
  'reduce operator/failed 4',
  'reduce operator/failed 6',
  'source operator/failed 1',
  'source timestamp/invalid 2',
];

test('every kind of function is covered: of time, key, flatMap, reduce, sink', async () => {
  for (const parallelism of [1, 2]) {
    for (const generateCode of [true, false]) {
      expect(await poisonEverything({ parallelism, generateCode })).toEqual({
        out: [3, 8, 9, 10],
        dead: [...EVERYTHING, 'sink operator/failed 7'].toSorted(),
      });
      // One result per key: the sink never sees the poison.
      expect(await poisonEverything({ parallelism, generateCode, mode: 'batch' })).toEqual({ out: [10], dead: EVERYTHING });
    }
  }
});

test('a partitioner that throws is a function of the operator before it', async () => {
  const dead: Rejected[] = [];
  const env = new StreamEnvironment({ parallelism: 2, onError: 'deadLetter', logger: recordingLogger() });
  env.deadLetterTo(forEach((rejected) => void dead.push(rejected)));
  const dealt = env
    .from(fromArray(NUMBERS), { uid: 'numbers' })
    .partitionCustom((n) => (n === 3 ? Number.NaN : poisoned(n)))
    .map((n) => n)
    .collect();
  expect((await dealt).toSorted((a, b) => a - b)).toEqual([1, 2, 5, 6, 7, 9, 10]);
  expect(dead.map(({ place, value }) => `${place} ${String(value)}`).toSorted()).toEqual(['numbers 3', 'numbers 4', 'numbers 8']);
  const strict = new StreamEnvironment({ parallelism: 2, logger: recordingLogger() }).from(fromArray(NUMBERS), { uid: 'numbers' });
  await expect(strict.partitionCustom(poisoned).collect()).rejects.toMatchObject({ code: 'operator/failed', uid: 'numbers' });
});

const refusing = defineSource<number, number>({
  name: 'refusing',
  bounded: true,
  open: () => ({
    splits: async () => ['only'],
    async *read() {
      const refusal = (row: number): Rejected => ({
        place: `rows:${row}`,
        code: 'csv/malformed',
        reason: 'too few columns',
        value: `row ${row}`,
      });
      yield { values: [1, 2], position: 1, rejected: [refusal(3)] };
      yield { values: [], position: 2, rejected: [4, 5, 6].map(refusal) };
    },
  }),
});

test('what a source refuses is a dead letter, unless its side output is taken', async () => {
  const dead: Rejected[] = [];
  const env = new StreamEnvironment({ deadLetters: forEach((rejected) => void dead.push(rejected)) });
  expect(await env.from(refusing).collect()).toEqual([1, 2]);
  expect(dead.map(({ place }) => place)).toEqual(['rows:3', 'rows:4', 'rows:5', 'rows:6']);

  dead.length = 0;
  const other = new StreamEnvironment({ deadLetters: forEach((rejected) => void dead.push(rejected)) });
  const source = other.from(refusing);
  source.sinkTo(forEach(() => undefined));
  expect((await source.side('rejected').collect()).map(({ place }) => place)).toEqual(['rows:3', 'rows:4', 'rows:5', 'rows:6']);
  expect(dead).toEqual([]);
});

test('refusals that nobody takes are counted by reason, and the first are logged', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  env.from(refusing, { uid: 'rows' }).sinkTo(forEach(() => undefined));
  const job = await env.start('refused');
  await job.finished;
  expect(job.metrics().operators[0]).toMatchObject({ recordsIn: 6, recordsOut: 2, rejected: 4, rejectedBy: { 'csv/malformed': 4 } });
  expect(logger.of('warn')).toEqual([
    '[csv/malformed] uid "rows": rows:3 was rejected: too few columns.',
    '[csv/malformed] uid "rows": rows:4 was rejected: too few columns.',
    '[csv/malformed] uid "rows": rows:5 was rejected: too few columns. Further ones are only counted.',
  ]);
});

test('without a place to send to, elements are counted and logged, and the job says so when it starts', async () => {
  const logger = recordingLogger();
  const env = new StreamEnvironment({ logger });
  const out: number[] = [];
  env
    .from(fromArray(NUMBERS))
    .map(poisoned, { uid: 'poisoned', onError: 'deadLetter' })
    .sinkTo(forEach((n) => void out.push(n)));
  const job = await env.start('nowhere');
  await job.finished;
  expect(out).toHaveLength(8);
  expect(job.metrics().operators.find(({ uid }) => uid === 'poisoned')).toMatchObject({
    rejected: 2,
    rejectedBy: { 'operator/failed': 2 },
  });
  expect(logger.entries[0]).toMatchObject({
    level: 'warn',
    message: expect.stringMatching(/"nowhere" has no place for dead letters.*--dead-letter FILE/) as string,
    details: { operators: ['poisoned'] },
  });
  expect(logger.of('warn')).toHaveLength(3);
});

test('the sink is part of the plan, and of the plan only', () => {
  const env = new StreamEnvironment({ onError: 'deadLetter' });
  env.deadLetterTo(forEach(() => undefined));
  env
    .from(fromArray(NUMBERS), { uid: 'numbers' })
    .map(poisoned, { uid: 'poisoned' })
    .sinkTo(
      forEach(() => undefined),
      { uid: 'out' },
    );
  expect(explainText(env.plan())).toContain('sink "dead letters" [dead-letters]');
  expect(env.plan().graph.nodes.map(({ uid }) => uid)).toEqual(['numbers', 'poisoned', 'out', DEAD_LETTER_UID]);
  expect(env.builder.graph().nodes).toHaveLength(3);
});

test('a sink for dead letters that fails fails the job', async () => {
  const broken = forEach(() => {
    throw new Error('disk full');
  });
  const env = new StreamEnvironment({ onError: 'deadLetter', deadLetters: broken, logger: recordingLogger() });
  const collected = env.from(fromArray(NUMBERS)).map(poisoned).collect();
  await expect(collected).rejects.toMatchObject({ uid: DEAD_LETTER_UID });
});
