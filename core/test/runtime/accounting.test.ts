import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  count,
  type DataStream,
  defineSource,
  forEach,
  type JobMetrics,
  list,
  type OperatorReport,
  type OperatorStream,
  type Plan,
  type Rejected,
  type RunOptions,
  sliding,
  StreamEnvironment,
  tumbling,
} from '../../src/index.ts';
import { recordingLogger } from '../recordingLogger.ts';

/** An element that can be told from all others. */
interface Item {
  readonly id: number;
  readonly key: string;
  readonly at: number;
}

/** Every operator meets elements that it cannot deal with: those whose id leaves this remainder. */
const POISON = 7;

function poisoned(i: number): (item: Item) => Item {
  return (item) => {
    if (item.id % POISON === i % POISON) throw new Error('poison');
    return item;
  };
}

/** Gives an operator's late elements to the job's collection of them. */
type TakeLate = (stream: DataStream<Item>) => void;

/**
 * Steps that give out each element that they take in once: as a result, late, refused or let go. `i` varies them and is the end of
 * their uids.
 */
const STEPS: Readonly<Record<string, (s: DataStream<Item>, i: number, late: TakeLate) => DataStream<Item>>> = {
  map: (s, i) => s.map(poisoned(i), { uid: `map ${i}` }),
  filter: (s, i) => s.filter((item) => poisoned(i)(item).id % 3 !== 0, { uid: `filter ${i}` }),
  process: (s, i) => s.keyBy((item) => poisoned(i)(item).key).process({ uid: `process ${i}`, onElement: (item) => [item] }),
  badKey: (s, i) =>
    s
      .keyBy(({ id, key }) => (id % POISON === i % POISON ? (undefined as unknown as string) : key))
      .process({ uid: `keyed ${i}`, onElement: (item) => [poisoned(i + 1)(item)] }),
  partition: (s, i) =>
    s.partitionCustom(({ id }, subtasks) => poisoned(i)({ id, key: '', at: 0 }).id % subtasks).map((item) => item, { uid: `dealt ${i}` }),
  asyncMap: (s, i) => s.asyncMap({ run: async (item) => poisoned(i)(item), capacity: 3 }, { uid: `async ${i}` }),
  failed(s, i) {
    const mapped = s.asyncMap({ run: async (item) => poisoned(i)(item), order: 'completion' }, { uid: `async ${i}` });
    mapped.side('failed').sinkTo(forEach(() => undefined), { uid: `failed ${i}` }); // prettier-ignore
    return mapped;
  },
  withTime: (s, i) =>
    s.withTime(
      { timestamp: ({ id, at }) => (id % POISON === i % POISON ? Number.NaN : at), outOfOrder: { milliseconds: i } },
      { uid: `time ${i}` },
    ),
  over(s, i, late) {
    const over = s.keyBy(({ key }) => key).over({ last: { milliseconds: 20 } }, { n: count() }, { uid: `over ${i}` });
    late(over.side('late'));
    return over.map(({ value }) => value, { uid: `value ${i}` });
  },
};

/** Steps whose results hold several elements; the flatMap behind them counts these. */
const GATHERING: Readonly<
  Record<string, (s: DataStream<Item>, i: number) => OperatorStream<{ readonly value: { readonly all: readonly Item[] } }, { late: Item }>>
> = {
  tumbling: (s, i) =>
    s
      .keyBy(({ key }) => key)
      .window(tumbling({ milliseconds: 10 + i }))
      .aggregate({ all: list<Item>() }, { uid: `gather ${i}` }),
  // With gaps between the windows, in which elements belong nowhere.
  gaps: (s, i) =>
    s
      .keyBy(({ key }) => key)
      .window(sliding({ milliseconds: 6 }, { every: { milliseconds: 10 } }), { allowedLateness: { milliseconds: i } })
      .aggregate({ all: list<Item>() }, { uid: `gather ${i}` }),
  process: (s, i) =>
    s
      .windowAll(tumbling({ milliseconds: 10 + i }))
      .process({ uid: `gather ${i}`, onWindow: (all: readonly Item[]) => [{ all: [...all] }] }),
};

interface Description {
  readonly items: readonly Item[];
  readonly steps: readonly string[];
  readonly gathering: string | undefined;
  readonly takesLate: boolean;
  readonly options: RunOptions;
}

const description: fc.Arbitrary<Description> = fc.record({
  items: fc
    .array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c'),
        at: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(Number.NaN), fc.constant(0.5)),
      }),
      { maxLength: 60 },
    )
    .map((items) => items.map((item, id) => ({ id, ...item }))),
  steps: fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength: 6 }),
  gathering: fc.option(fc.constantFrom(...Object.keys(GATHERING)), { nil: undefined }),
  takesLate: fc.boolean(),
  options: fc.record({
    mode: fc.constantFrom('streaming', 'batch'),
    parallelism: fc.integer({ min: 1, max: 3 }),
    generateCode: fc.boolean(),
    onError: fc.constantFrom('skip', 'deadLetter'),
  }),
});

/** A source whose reader refuses every ninth row. */
function rows(items: readonly Item[]): ReturnType<typeof defineSource<Item, number>> {
  return defineSource<Item, number>({
    name: 'rows',
    bounded: true,
    open: () => ({
      splits: async () => ['even', 'odd'],
      async *read(split) {
        const mine = items.filter(({ id }) => (id % 2 === 0) === (split === 'even'));
        for (const [i, item] of mine.entries()) {
          const isRefused = item.id % 9 === 4;
          const rejected: Rejected[] = isRefused ? [{ place: `${split}:${i}`, code: 'csv/malformed', reason: 'refused', value: item }] : [];
          yield { values: isRefused ? [] : [item], position: i + 1, rejected };
        }
      },
    }),
  });
}

interface Ran {
  readonly results: readonly Item[];
  readonly late: readonly Item[];
  readonly dead: readonly Rejected[];
  readonly metrics: JobMetrics;
  readonly plan: Plan;
}

async function run({ items, steps, gathering, takesLate, options }: Description): Promise<Ran> {
  const results: Item[] = [];
  const late: Item[] = [];
  const dead: Rejected[] = [];
  const env = new StreamEnvironment({
    ...options,
    logger: recordingLogger(),
    deadLetters: forEach((rejected) => void dead.push(rejected)),
  });
  let stream: DataStream<Item> = env.from(rows(items), {
    uid: 'rows',
    time: { timestamp: ({ at }) => at, outOfOrder: { milliseconds: 15 } },
  });
  let sinks = 0;
  const take: TakeLate = (side) => {
    if (takesLate) side.sinkTo(forEach((item) => void late.push(item)), { uid: `late ${sinks++}` }); // prettier-ignore
  };
  for (const [i, step] of steps.entries()) stream = STEPS[step]!(stream, i, take);
  if (gathering !== undefined) {
    const windows = GATHERING[gathering]!(stream, steps.length);
    take(windows.side('late'));
    stream = windows.flatMap(({ value }) => value.all, { uid: 'apart' });
  }
  stream.sinkTo(
    forEach((item) => void results.push(item)),
    { uid: 'results' },
  );
  const job = await env.start('accounts');
  await job.finished;
  return { results, late, dead, metrics: job.metrics(), plan: env.plan() };
}

type Counts = Record<'in' | 'out' | 'late' | 'rejected' | 'dropped', number>;

function countsByUid({ operators }: JobMetrics): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const { uid, recordsIn, recordsOut, ...report } of operators as readonly OperatorReport[]) {
    const before = counts.get(uid) ?? { in: 0, out: 0, late: 0, rejected: 0, dropped: 0 };
    counts.set(uid, {
      in: before.in + recordsIn,
      out: before.out + recordsOut,
      late: before.late + report.late,
      rejected: before.rejected + report.rejected,
      dropped: before.dropped + report.dropped,
    });
  }
  return counts;
}

function total(counts: ReadonlyMap<string, Counts>, of: keyof Counts): number {
  return [...counts.values()].reduce((sum, each) => sum + each[of], 0);
}

describe('law 9: nothing is lost in silence', () => {
  test('what an operator takes in, it gives out, or it is late, rejected or dropped, by the metrics', async () => {
    await fc.assert(
      fc.asyncProperty(description, async (job) => {
        const { metrics } = await run(job);
        const counts = countsByUid(metrics);
        expect(counts.get('rows')!.in).toBe(job.items.length);
        for (const [uid, { in: taken, out, late, rejected, dropped }] of counts) {
          if (uid.startsWith('gather') || uid === 'apart' || isSink(metrics, uid)) continue;
          expect({ uid, in: taken }).toEqual({ uid, in: out + late + rejected + dropped });
        }
        const gather = [...counts].find(([uid]) => uid.startsWith('gather'));
        if (gather === undefined) return;
        const [, { in: taken, late, rejected, dropped }] = gather;
        expect(taken).toBe(counts.get('apart')!.out + late + rejected + dropped);
      }),
      { numRuns: 150 },
    );
  });

  test('what an operator gives out, the next one takes in', async () => {
    await fc.assert(
      fc.asyncProperty(description, async (job) => {
        const { metrics, plan } = await run(job);
        const counts = countsByUid(metrics);
        for (const { uid, edges } of plan.graph.nodes) {
          const [edge, another] = edges;
          if (edge === undefined || another !== undefined || edge.output !== null) continue;
          const { uid: producer } = plan.graph.nodes[edge.from]!;
          expect([uid, counts.get(uid)!.in]).toEqual([uid, counts.get(producer)!.out]);
        }
      }),
      { numRuns: 75 },
    );
  });

  test('every element is somewhere, once: among the results, the late, the dead letters, or counted as gone', async () => {
    await fc.assert(
      fc.asyncProperty(description, async (job) => {
        const { results, late, dead, metrics } = await run(job);
        const counts = countsByUid(metrics);
        const { onError } = job.options;
        expect(results.length + total(counts, 'late') + total(counts, 'rejected') + total(counts, 'dropped')).toBe(job.items.length);
        if (job.takesLate) expect(late.length).toBe(total(counts, 'late'));
        const seen = [...results, ...late, ...dead.map(({ value }) => value as Item)].map(({ id }) => id);
        expect(new Set(seen).size).toBe(seen.length);
        // What an asynchronous call failed on goes to its own side output where that is taken.
        const failed = [...counts].filter(([uid]) => uid.startsWith('failed')).reduce((sum, [, counted]) => sum + counted.in, 0);
        const refusedByReader = job.items.filter(({ id, at }) => id % 9 === 4 || !Number.isSafeInteger(at)).length;
        expect(dead.length).toBe(onError === 'deadLetter' ? total(counts, 'rejected') - failed : refusedByReader);
        expect(counts.get('dead-letters')?.in ?? 0).toBe(dead.length);
      }),
      { numRuns: 150 },
    );
  });
});

function isSink({ operators }: JobMetrics, uid: string): boolean {
  return operators.some((report) => report.uid === uid && report.kind === 'sink');
}
