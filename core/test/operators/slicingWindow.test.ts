import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Aggregate,
  type DataStream,
  type Trigger,
  aggregate,
  avg,
  count,
  defineTrigger,
  discard,
  distinct,
  eventTimeTrigger,
  forEach,
  fromArray,
  list,
  max,
  maxBy,
  min,
  sliding,
  StreamEnvironment,
  sum,
  topK,
} from '../../src/index.ts';
import { everyCheckpoint, type Harness, harness } from '../../src/testing.ts';
import { SlicingWindowOperator } from '../../src/operators/slicingWindow.ts';
import { aggregateOf } from '../../src/operators/windowAggregate.ts';
import { MemoryBackend } from '../../src/state/memoryBackend.ts';
import { errorCode } from '../time/errorCode.ts';
import { storedState } from './steps.ts';

interface Reading {
  readonly key: string;
  readonly at: number;
  readonly value: number;
}

type Step = Reading | number;

interface Windows {
  readonly size: number;
  readonly slide: number;
  readonly offset: number;
}

/** The default trigger, but not the one that the planner knows: makes it choose the generic operator. */
const notTheDefault = defineTrigger(eventTimeTrigger().definition as never) as Trigger<unknown>;

const shape = {
  n: count(),
  total: sum(({ value }: Reading) => value),
  least: min(({ value }: Reading) => value),
  largest: max(({ value }: Reading) => value),
  mean: avg(({ value }: Reading) => value),
  values: distinct(({ value }: Reading) => value),
  // In place, and with an accumulator that is handed from one row to another by `merge`.
  seen: aggregate({
    create: () => [] as number[],
    add: (seen, { value }: Reading) => {
      if (!seen.includes(value)) seen.push(value);
      return seen;
    },
    merge: (a, b) => (a.length === 0 ? b : [...new Set([...a, ...b])]),
    result: (seen) => seen.toSorted((a, b) => a - b).join(),
    copy: (seen) => [...seen],
  }),
};

const assignerOf = ({ size, slide, offset }: Windows) =>
  sliding({ milliseconds: size }, { every: { milliseconds: slide }, offset: { milliseconds: offset } });

const pipelineOf =
  (windows: Windows, trigger?: Trigger<unknown>, aggregates: Readonly<Record<string, Aggregate<Reading, unknown>>> = shape) =>
  (i: { readings: DataStream<Reading> }) => {
    const out = i.readings
      .keyBy(({ key }) => key)
      .window(assignerOf(windows), trigger === undefined ? {} : { trigger })
      .aggregate(aggregates, { uid: 'windows' });
    return { out, late: out.side('late') };
  };

const alignments: fc.Arbitrary<Windows> = fc
  .record({
    size: fc.integer({ min: 1, max: 15 }),
    slide: fc.integer({ min: 1, max: 9 }),
    shift: fc.double({ min: -0.99, max: 0.99, noNaN: true }),
  })
  .map(({ size, slide, shift }) => ({ size, slide, offset: Math.trunc(shift * slide) }));

/** Out of order, across zero, with watermarks that make some of it late. */
function scripts(steps: number): fc.Arbitrary<Step[]> {
  const reading = fc.record({
    key: fc.constantFrom('a', 'b', 'c'),
    at: fc.integer({ min: -25, max: 25 }),
    value: fc.integer({ min: -9, max: 9 }),
  });
  const step = fc.oneof({ weight: 4, arbitrary: reading }, fc.integer({ min: -30, max: 30 }));
  return fc.array(step, { maxLength: steps });
}

/** Windows of many slices, a watermark that creeps, and readings to both sides of it. */
const overlapping: fc.Arbitrary<Windows> = fc
  .record({ size: fc.integer({ min: 6, max: 16 }), slide: fc.integer({ min: 1, max: 3 }) })
  .map((windows) => ({ ...windows, offset: 0 }));
function creeping(steps: number): fc.Arbitrary<Step[]> {
  const reading = fc.record({
    key: fc.constantFrom('a', 'b'),
    ahead: fc.integer({ min: -15, max: 4 }),
    value: fc.integer({ min: -9, max: 9 }),
  });
  const step = fc.oneof({ weight: 2, arbitrary: reading }, fc.integer({ min: 0, max: 3 }));
  return fc.array(step, { minLength: steps / 2, maxLength: steps }).map((drawn) => {
    let watermark = -20;
    return drawn.map((each): Step => {
      if (typeof each === 'number') return (watermark += each);
      return { key: each.key, at: watermark + each.ahead, value: each.value };
    });
  });
}

function play(h: Harness<{ readings: Reading }, unknown>, script: readonly Step[]): void {
  let watermark = Number.MIN_SAFE_INTEGER;
  for (const step of script) {
    if (typeof step === 'number') h.watermark((watermark = Math.max(watermark, step)));
    else h.push('readings', step, step.at);
  }
  h.end();
}

/** What comes out of each step: results and late elements as sorted text. */
function outputsOf(pipeline: ReturnType<typeof pipelineOf>, script: readonly Step[], generateCode = true): string[][] {
  const h = harness(pipeline, { run: { generateCode } });
  const steps: string[][] = [];
  const drain = (): void => {
    const out = h.drainTimed('out').map(({ value, timestamp }) => JSON.stringify([timestamp, value]));
    steps.push([...out, ...h.drain('late').map((late) => JSON.stringify(late))].sort());
  };
  play(
    {
      push: (...a: [never, never, never]) => (h.push(...a), drain()),
      watermark: (w: number) => (h.watermark(w), drain()),
      end: () => (h.end(), drain()),
    } as never,
    script,
  );
  return steps;
}

/** By definition: every window keeps its elements until the watermark reaches its last ms. */
function oracle({ size, slide, offset }: Windows, script: readonly Step[]): string[][] {
  const held: { window: number; reading: Reading }[] = [];
  let watermark = Number.MIN_SAFE_INTEGER;
  const fire = (to: number): string[] => {
    const fired: string[] = [];
    watermark = to;
    const due = held.filter(({ window }) => window + size - 1 <= to);
    for (const { window, reading } of due) {
      const mine = due.filter((other) => other.window === window && other.reading.key === reading.key);
      if (mine[0]!.reading !== reading) continue;
      const values = mine.map((other) => other.reading.value);
      const distinctValues = [...new Set(values)];
      const total = values.reduce((a, b) => a + b, 0);
      const value = {
        n: values.length,
        total,
        least: Math.min(...values),
        largest: Math.max(...values),
        mean: total / values.length,
        values: distinctValues.length,
        seen: distinctValues.sort((a, b) => a - b).join(),
      };
      const pane = { timing: 'onTime', index: 0, final: true };
      fired.push(JSON.stringify([window + size - 1, { key: reading.key, window: { start: window, end: window + size }, value, pane }]));
    }
    for (const each of due) held.splice(held.indexOf(each), 1);
    return fired.sort();
  };
  const steps = script.map((step): string[] => {
    if (typeof step === 'number') return fire(Math.max(watermark, step));
    const windows = [];
    for (let start = step.at - size + 1; start <= step.at; start++) if ((start - offset) % slide === 0) windows.push(start);
    const open = windows.filter((start) => start + size - 1 > watermark);
    for (const window of open) held.push({ window, reading: { ...step } });
    return open.length === 0 && step.at <= watermark ? [JSON.stringify(step)] : [];
  });
  return [...steps, fire(Number.MAX_SAFE_INTEGER)];
}

describe('slices give what windows give', () => {
  test('slicing, generic and naive windows agree step by step', () => {
    fc.assert(
      fc.property(alignments, scripts(60), (windows, script) => {
        // The naive one tells readings apart by identity.
        const wanted = oracle(
          windows,
          script.map((step) => (typeof step === 'number' ? step : { ...step })),
        );
        expect(outputsOf(pipelineOf(windows), script)).toEqual(wanted);
        expect(outputsOf(pipelineOf(windows), script, false)).toEqual(wanted);
        expect(outputsOf(pipelineOf(windows, notTheDefault), script)).toEqual(wanted);
      }),
      { numRuns: 250 },
    );
  });

  test('they agree where much comes behind the watermark, but in time for a window to come', () => {
    fc.assert(
      fc.property(overlapping, creeping(60), (windows, script) => {
        const wanted = oracle(
          windows,
          script.map((step) => (typeof step === 'number' ? step : { ...step })),
        );
        expect(outputsOf(pipelineOf(windows), script)).toEqual(wanted);
        expect(outputsOf(pipelineOf(windows, notTheDefault), script)).toEqual(wanted);
      }),
      { numRuns: 150 },
    );
  });

  test('a crash between any two steps changes nothing', () => {
    fc.assert(
      fc.property(alignments, scripts(25), (windows, script) => {
        everyCheckpoint(pipelineOf(windows), (h) => play(h as never, script));
      }),
      { numRuns: 40 },
    );
    fc.assert(
      fc.property(overlapping, creeping(30), (windows, script) => {
        everyCheckpoint(pipelineOf(windows), (h) => play(h as never, script));
      }),
      { numRuns: 30 },
    );
  });

  test('a crash changes no bit of a sum whose result depends on the order of its terms', () => {
    fc.assert(
      fc.property(creeping(30), (script) => {
        const tenths = { total: sum(({ value }: Reading) => value / 10), mean: avg(({ value }: Reading) => value / 7) };
        everyCheckpoint(pipelineOf({ size: 12, slide: 1, offset: 0 }, undefined, tenths), (h) => play(h as never, script));
      }),
      { numRuns: 30 },
    );
  });

  test('in time order, aggregates that depend on the order of elements agree as well', () => {
    const ordered = { all: list<Reading>(), best: maxBy(({ value }: Reading) => value), top: topK(2, ({ value }: Reading) => value) };
    fc.assert(
      fc.property(alignments, scripts(50), (windows, script) => {
        const inOrder = script.filter((step) => typeof step !== 'number').sort((a, b) => a.at - b.at);
        // The watermark follows closely.
        const steps = inOrder.flatMap((reading): Step[] => [reading, reading.at - 1]);
        expect(outputsOf(pipelineOf(windows, undefined, ordered), steps)).toEqual(
          outputsOf(pipelineOf(windows, notTheDefault, ordered), steps),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('a reduce agrees', () => {
    const reduced = (windows: Windows, trigger?: Trigger<unknown>) => (i: { readings: DataStream<Reading> }) => {
      const out = i.readings
        .keyBy(({ key }) => key)
        .window(assignerOf(windows), trigger === undefined ? {} : { trigger })
        .reduce((a, b) => ({ key: a.key, at: Math.max(a.at, b.at), value: a.value + b.value }), { uid: 'windows' });
      return { out, late: out.side('late') };
    };
    fc.assert(
      fc.property(alignments, scripts(50), (windows, script) => {
        const wanted = outputsOf(reduced(windows, notTheDefault) as never, script);
        expect(outputsOf(reduced(windows) as never, script)).toEqual(wanted);
        expect(outputsOf(reduced(windows) as never, script, false)).toEqual(wanted);
      }),
      { numRuns: 100 },
    );
  });

  test('batch mode gives what streaming gives', async () => {
    await fc.assert(
      fc.asyncProperty(alignments, scripts(60), async (windows, script) => {
        const readings = script.filter((step) => typeof step !== 'number').sort((a, b) => a.at - b.at);
        const run = async (mode: 'streaming' | 'batch'): Promise<string[]> => {
          const env = new StreamEnvironment({ mode });
          const source = env.from(fromArray(readings), { time: { timestamp: ({ at }) => at } });
          return (await pipelineOf(windows)({ readings: source }).out.collect()).map((result) => JSON.stringify(result)).sort();
        };
        expect(await run('batch')).toEqual(await run('streaming'));
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is not added to a window', () => {
  const tens: Windows = { size: 10, slide: 10, offset: 0 };

  test('an element in a gap is counted as dropped, and is late once the watermark has passed it', async () => {
    const h = harness(pipelineOf({ size: 2, slide: 5, offset: 0 }));
    h.push('readings', { key: 'a', at: 3, value: 1 }, 3).watermark(3).push('readings', { key: 'a', at: 2, value: 2 }, 2);
    expect(h.drain('late')).toEqual([{ key: 'a', at: 2, value: 2 }]);
    const env = new StreamEnvironment();
    const source = env.from(fromArray([1, 2, 3, 4, 5, 6].map((at) => ({ key: 'a', at, value: 1 }))), {
      time: { timestamp: ({ at }) => at },
    });
    pipelineOf({ size: 2, slide: 5, offset: 0 })({ readings: source }).out.sinkTo(discard());
    const job = await env.start('gaps');
    await job.finished;
    expect(job.metrics().operators.find(({ uid }) => uid === 'windows')).toMatchObject({ dropped: 3, late: 0 });
  });

  test('an element without a timestamp is an error that names the window', () => {
    const h = harness(pipelineOf(tens));
    expect(errorCode(() => h.push('readings', { key: 'a', at: 0, value: 1 }))).toBe('timestamp/invalid');
  });

  test('an element whose function throws leaves nothing behind', () => {
    const failing = { n: count(), total: sum(({ value }: Reading) => (value < 0 ? fail() : value)) };
    for (const generateCode of [true, false]) {
      const h = harness(pipelineOf(tens, undefined, failing), { run: { onError: 'skip', generateCode } });
      h.push('readings', { key: 'a', at: 1, value: -1 }, 1).push('readings', { key: 'b', at: 1, value: 1 }, 1).watermark(9);
      expect(h.drain('out').map(({ key, value }) => [key, value])).toEqual([['b', { n: 1, total: 1 }]]);
    }
  });

  test('a key whose result throws does not take the others with it', () => {
    const failing = {
      n: aggregate({
        create: () => '',
        add: (_, { key }: Reading) => key,
        merge: (a, b) => a + b,
        result: (key) => (key === 'b' ? fail() : key),
      }),
    };
    const h = harness(pipelineOf(tens, undefined, failing), { run: { onError: 'skip' } });
    for (const key of ['a', 'b', 'c']) h.push('readings', { key, at: 1, value: 1 }, 1);
    h.end();
    expect(h.drain('out').map(({ key }) => key)).toEqual(['a', 'c']);
  });
});

describe('state', () => {
  const stateOf = (h: Harness<{ readings: Reading }, unknown>) =>
    storedState(h.snapshot(), 'windows').keyed.flatMap(({ state, key, userKey }) =>
      state === '(slices)' && userKey !== 'prefix' ? [[key, userKey]] : [],
    );

  test('a slice is kept as long as a window to come holds it, and not for windows that have fired', () => {
    const h = harness(pipelineOf({ size: 30, slide: 10, offset: 0 }));
    h.push('readings', { key: 'a', at: 5, value: 1 }, 5).push('readings', { key: 'a', at: 15, value: 1 }, 15);
    expect(stateOf(h)).toEqual([['a', 0], ['a', 10]]); // prettier-ignore
    h.watermark(19);
    expect(stateOf(h)).toEqual([['a', 0], ['a', 10]]); // prettier-ignore
    h.watermark(29);
    expect(stateOf(h)).toEqual([['a', 10]]);
    h.watermark(39);
    expect(stateOf(h)).toEqual([]);
  });

  test('a sparse key takes no more than its slices, however many windows they are in', () => {
    const h = harness(pipelineOf({ size: 1000, slide: 1, offset: 0 }));
    for (const at of [0, 400, 800]) h.push('readings', { key: 'a', at, value: 1 }, at).watermark(at);
    h.watermark(900);
    expect(stateOf(h).length).toBeLessThanOrEqual(4);
  });

  test('windows that change under the same uid are refused', () => {
    const h = harness(pipelineOf({ size: 10, slide: 10, offset: 0 })).push('readings', { key: 'a', at: 11, value: 1 }, 11);
    const restore = h.snapshot();
    expect(errorCode(() => harness(pipelineOf({ size: 7, slide: 7, offset: 0 }), { restore }))).toBe('state/incompatible');
  });

  test('windows at the end of time fire when the input ends', () => {
    const h = harness(pipelineOf({ size: 1000, slide: 500, offset: 0 }));
    const at = Number.MAX_SAFE_INTEGER - 10;
    h.push('readings', { key: 'a', at, value: 1 }, at).end();
    expect(h.drainTimed('out').map(({ value, timestamp }) => [value.window.end, timestamp])).toEqual([
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ]);
  });
});

test('a firing stops when there is no credit and goes on where it stopped', async () => {
  const env = new StreamEnvironment();
  const readings = Array.from({ length: 300 }, (_, i) => ({ key: `${i % 100}`, at: Math.floor(i / 100) * 10, value: 1 }));
  let underWay = 0;
  let most = 0;
  const taken: string[] = [];
  pipelineOf({ size: 20, slide: 10, offset: 0 })({
    readings: env.from(fromArray(readings), { time: { timestamp: ({ at }) => at } }),
  }).out.sinkTo(
    forEach(async ({ key, window }) => {
      most = Math.max(most, ++underWay);
      taken.push(`${window.start}/${key}`);
      await Promise.resolve();
      underWay--;
    }),
  );
  await env.execute('slow');
  expect(most).toBe(1);
  expect(taken.length).toBe(400);
  expect(new Set(taken).size).toBe(400);
  expect(taken.map((each) => Number(each.split('/')[0]))).toEqual(taken.map((_, i) => Math.floor(i / 100) * 10 - 10));
});

test('a key is kept for one window longer than it holds anything, and no longer', () => {
  const backend = new MemoryBackend({ now: () => 0 } as never);
  const context = { watermark: Number.MIN_SAFE_INTEGER, emit: () => undefined, hasCredit: () => true, subtask: { backend } };
  const operator = new SlicingWindowOperator(context as never, {
    name: 'tens',
    alignment: { size: 10, slide: 10, offset: 0 },
    aggregate: aggregateOf({ n: count() }),
    keyed: true,
  });
  const { index } = backend.table;
  const add = (key: string, at: number): void => expect(operator.place(key, at)).toBeGreaterThanOrEqual(0);
  add('a', 1);
  add('b', 2);
  operator.onWatermark(9);
  expect(index.size).toBe(2);
  add('a', 11);
  operator.onWatermark(18);
  expect(index.size).toBe(2);
  operator.onWatermark(19);
  expect(index.find('b')).toBe(-1);
  expect(index.size).toBe(1);
  operator.onWatermark(29);
  expect(index.size).toBe(0);
});

function fail(): never {
  throw new Error('no such thing');
}
