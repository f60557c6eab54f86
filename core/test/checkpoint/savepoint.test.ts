import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  aggregatingState,
  avg,
  type CheckpointStorage,
  type Codec,
  defineSource,
  type EncodedValue,
  fixedDelay,
  forEach,
  type Job,
  listState,
  mapState,
  memoryStorage,
  readSavepoint,
  reducingState,
  type RunOptions,
  savepointState,
  type StateEntry,
  StreamEnvironment,
  valueState,
  writeSavepoint,
  type WrittenEntry,
} from '../../src/index.ts';
import { checkSource } from '../../src/testing.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const DECLARED = {
  last: valueState<number>(),
  seen: listState<number>(),
  by: mapState<string, number>(),
  most: reducingState<number>({ reduce: Math.max }),
  mean: aggregatingState({ aggregate: avg((n: number) => n) }),
};

interface Event {
  readonly key: string;
  readonly n: number;
  readonly at: number;
}

/** Gives so many events, one by one, then waits for ever, or ends. */
function eventSource(events: readonly Event[], ends: boolean) {
  return defineSource<Event, number>({
    name: 'events',
    bounded: ends,
    open: () => ({
      splits: async () => ['all'],
      async *read(_split, from = 0, { signal }) {
        for (let at = from; at < events.length; at++) yield { values: [events[at]!], position: at + 1 };
        if (!ends) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    }),
  });
}

/** All kinds of state, and a timer; each element tells what the state is then. */
function build(env: StreamEnvironment, events: readonly Event[], ends: boolean, out: (line: string) => void): void {
  env
    .from(eventSource(events, ends), { uid: 'events', time: { timestamp: ({ at }) => at } })
    .keyBy(({ key }) => key)
    .process({
      uid: 'states',
      state: DECLARED,
      timers: { tick: 'eventTime' },
      onElement({ key, n, at }, { state, timers }) {
        state.last.update(n);
        state.seen.add(n);
        state.by.put(n % 2 === 0 ? 'even' : 'odd', n);
        state.most.add(n);
        state.mean.add(n);
        timers.set('tick', at + 1000);
        return [
          `${key} ${state.last.value()} ${[...state.seen.get()].join()} ${[...state.by.entries()].join(';')} ${state.most.get()} ${state.mean.get()}`,
        ];
      },
      onTimer: ({ at }, { key }) => [`${key} at ${at}`],
    })
    .sinkTo(forEach(out), { uid: 'output' });
}

/** Runs until all events have been seen, and stops, so that the last checkpoint holds everything. */
async function runOver(events: readonly Event[], storage: CheckpointStorage, options: RunOptions = {}): Promise<string[]> {
  const env = new StreamEnvironment();
  const lines: string[] = [];
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  build(env, events, false, (line) => {
    if (lines.push(line) === events.length) done();
  });
  const job: Job = await env.start('states', { logger: SILENT, checkpoint: { storage }, ...options });
  await all;
  await job.checkpoint();
  await job.stop();
  return lines;
}

async function runFrom(savepoint: CheckpointStorage, events: readonly Event[], parallelism = 1): Promise<string[]> {
  const env = new StreamEnvironment();
  const lines: string[] = [];
  build(env, events, true, (line) => void lines.push(line));
  await env.execute('states', { logger: SILENT, parallelism, checkpoint: { storage: memoryStorage() }, restore: { savepoint } });
  return lines.sort();
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

const byAddress = (a: WrittenEntry, b: WrittenEntry): number =>
  JSON.stringify([a.key, a.state, a.userKey]).localeCompare(JSON.stringify([b.key, b.state, b.userKey]));
const EVENTS: readonly Event[] = [
  { key: 'a', n: 3, at: 1 },
  { key: 'b', n: 8, at: 2 },
  { key: 'a', n: 4, at: 3 },
];

describe('reading', () => {
  test.each([1, 3])('what a job at parallelism %i holds, of every kind', async (parallelism) => {
    const storage = memoryStorage();
    await runOver(EVENTS, storage, { parallelism });
    const savepoint = await readSavepoint(storage);
    expect(savepoint).toMatchObject({ job: 'states', kind: 'checkpoint', version: 1, maxParallelism: 128, passedOver: [] });
    expect(savepoint.uids.toSorted()).toEqual(['events', 'output', 'states']);
    await savepoint.verify();
    const entries = (await all(savepoint.entries('states'))).map(({ state, key, userKey, value }) => ({ state, key, userKey, value }));
    const expected: StateEntry[] = [
      { key: 'a', state: '(timers)', userKey: 'tick', value: { times: [1001, 1003], ranks: expect.anything() } },
      { key: 'a', state: 'by', userKey: 'even', value: 4 },
      { key: 'a', state: 'by', userKey: 'odd', value: 3 },
      { key: 'a', state: 'last', userKey: undefined, value: 4 },
      { key: 'a', state: 'mean', userKey: undefined, value: { accumulator: expect.anything() } },
      { key: 'a', state: 'most', userKey: undefined, value: 4 },
      { key: 'a', state: 'seen', userKey: undefined, value: [3, 4] },
    ];
    expect(entries.filter(({ key }) => key === 'a').sort(byAddress)).toEqual(expected.sort(byAddress));
    expect(await savepoint.lists('states')).toEqual([]);
  });

  test('an operator that holds nothing, and a place without a checkpoint', async () => {
    const storage = memoryStorage();
    await expect(readSavepoint(storage)).rejects.toMatchObject({ code: 'checkpoint/not-found' });
    await runOver(EVENTS, storage);
    const savepoint = await readSavepoint(storage);
    await expect(all(savepoint.entries('other'))).rejects.toThrow(/"other" holds no state.*These do: .*states/);
    await expect(readSavepoint(storage, { manifest: 'manifests/1.json' })).rejects.toMatchObject({ code: 'checkpoint/not-found' });
    const env = new StreamEnvironment();
    await expect(env.from(savepointState(storage, { uid: 'other', state: 'n' })).collect({ logger: SILENT })).rejects.toMatchObject({
      code: 'checkpoint/not-found',
    });
  });

  test('a damaged newest checkpoint is passed over, which is said', async () => {
    const storage = memoryStorage();
    await runOver(EVENTS, storage);
    const [older, newest] = (await storage.list('manifests/')).slice(-2);
    await storage.write(newest!, [(await storage.read(newest!))!.subarray(0, 100)]);
    const savepoint = await readSavepoint(storage);
    expect(savepoint.name).toBe(older);
    expect(savepoint.passedOver).toEqual([expect.stringContaining(newest!)]);
    await expect(readSavepoint(storage, { manifest: newest! })).rejects.toMatchObject({ code: 'checkpoint/corrupt' });
  });
});

describe('as a source', () => {
  const entries = Array.from({ length: 5000 }, (_, i): WrittenEntry => ({ state: 'n', key: `k${i}`, value: i }));
  async function written(): Promise<CheckpointStorage> {
    const storage = memoryStorage();
    const other = entries.map(({ key }) => ({ state: 'other', key, value: 'x' }));
    await writeSavepoint(storage, {
      job: 'j',
      operators: { op: { state: { n: valueState<number>(), other: valueState<string>() }, entries: [...entries, ...other] } },
    });
    return storage;
  }

  test('gives one state, whatever the parallelism, and what its schema refuses to the side', async () => {
    const storage = await written();
    const env = new StreamEnvironment({ parallelism: 3 });
    const small = env.from(savepointState(storage, { uid: 'op', state: 'n', schema: z.number().max(4000) }));
    const refused: unknown[] = [];
    small.side('rejected').sinkTo(forEach(({ place, code, value }) => void refused.push([place, code, value])));
    const values = (await small.collect()).map(({ key, value }) => ({ key, value }));
    expect(values.toSorted((a, b) => a.value - b.value)).toEqual(entries.slice(0, 4001).map(({ key, value }) => ({ key, value })));
    const again = new StreamEnvironment();
    const stream = again.from(savepointState(storage, { uid: 'op', state: 'n', schema: z.number().max(4998) }));
    stream.side('rejected').sinkTo(forEach((rejected) => void refused.push(rejected)));
    stream.sinkTo(forEach(() => undefined));
    await again.execute('read', { logger: SILENT });
    expect(refused.at(-1)).toMatchObject({ place: 'op/n', code: 'schema/invalid', value: { key: 'k4999', value: 4999 } });
  });

  test('keeps the contract of sources', async () => {
    const storage = await written();
    await checkSource(savepointState(storage, { uid: 'op', state: 'n' }));
  });
});

describe('writing', () => {
  test.each([1, 2, 5])('a job at parallelism %i begins with what was written', async (parallelism) => {
    const storage = memoryStorage();
    await writeSavepoint(storage, {
      job: 'states',
      operators: {
        states: {
          state: { ...DECLARED, '(timers)': 'raw' },
          entries: [
            { state: 'last', key: 'a', value: 100 },
            { state: 'seen', key: 'b', value: [7] },
            { state: 'seen', key: 'a', add: 1 },
            { state: 'by', key: 'a', userKey: 'odd', value: 1 },
            { state: '(timers)', key: 'c', userKey: 'tick', value: { times: [5], ranks: [0] } },
            { state: 'seen', key: 'a', add: 2 },
            { state: 'most', key: 'b', add: 50 },
            { state: 'most', key: 'b', add: 60 },
            { state: 'mean', key: 'a', add: 10 },
          ],
        },
      },
    });
    const lines = await runFrom(
      storage,
      [
        { key: 'a', n: 4, at: 10 },
        { key: 'b', n: 2, at: 20 },
      ],
      parallelism,
    );
    expect(lines).toEqual(['a 4 1,2,4 odd,1;even,4 4 7', 'a at 1010', 'b 2 7,2 even,2 60 2', 'b at 1020', 'c at 5'].sort());
  });

  test('read, changed, written: the rest stays, also where the source stood', async () => {
    const storage = memoryStorage();
    await runOver(EVENTS, storage, { parallelism: 2 });
    const edited = memoryStorage();
    const before = await readSavepoint(storage);
    async function* doubled(): AsyncGenerator<WrittenEntry> {
      for await (const entry of before.entries('states')) {
        if (entry.state === 'seen') yield { ...entry, value: (entry.value as number[]).map((n) => n * 2) };
      }
    }
    await writeSavepoint(edited, {
      job: 'states',
      from: storage,
      operators: { states: { state: { seen: DECLARED.seen }, entries: doubled() } },
    });
    const more = [...EVENTS, { key: 'b', n: 9, at: 30 }];
    const expected = ['a at 1001', 'a at 1003', 'b 9 16,9 even,8;odd,9 9 8.5', 'b at 1002', 'b at 1030'];
    for (const parallelism of [2, 1, 3]) expect(await runFrom(edited, more, parallelism)).toEqual(expected);
    // And once more, from the edited one.
    const twice = memoryStorage();
    const without = {
      job: 'states',
      from: edited,
      operators: { states: { state: { seen: DECLARED.seen, '(timers)': 'raw' as const }, entries: [] } },
    };
    await writeSavepoint(twice, without);
    expect(await runFrom(twice, more)).toEqual(['b 9 9 even,8;odd,9 9 8.5', 'b at 1030']);
    expect((await readSavepoint(twice)).kind).toBe('savepoint');
  });

  test('an operator can be left out, and a stream can be what is written', async () => {
    const storage = memoryStorage();
    await runOver(EVENTS, storage);
    const env = new StreamEnvironment();
    const entries = env
      .from(savepointState(storage, { uid: 'states', state: 'most', schema: z.number() }))
      .map(({ key, value }) => ({ state: 'n', key, value: -value }));
    const target = memoryStorage();
    await writeSavepoint(target, {
      job: 'x',
      from: storage,
      without: ['states', 'events'],
      operators: { other: { state: { n: valueState<number>() }, entries } },
    });
    const savepoint = await readSavepoint(target);
    expect(savepoint.uids.toSorted()).toEqual(['other', 'output']);
    expect(
      (await all(savepoint.entries('other')))
        .map(({ key, value }) => [key, value])
        .toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    ).toEqual([
      ['a', -4],
      ['b', -8],
    ]);
    await savepoint.verify();
  });

  test('whatever is written is read back, and a job holds it', async () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.bigInt(),
      fc.boolean(),
      fc.double({ noNaN: true }).map((n) => n + 0),
      fc.tuple(fc.string(), fc.integer()),
    );
    const value = fc.oneof(fc.jsonValue(), fc.bigInt(), fc.date(), fc.uint8Array(), fc.constant(Number.NaN)).filter((v) => v !== undefined);
    const entry = fc.oneof(
      fc.record({ state: fc.constant('v'), key, value }),
      fc.record({ state: fc.constant('m'), key, userKey: key, value }),
      fc.record({ state: fc.constant('r'), key, value }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 30 }), async (entries) => {
        const storage = memoryStorage();
        await writeSavepoint(storage, { job: 'j', operators: { op: { state: { v: valueState(), m: mapState(), r: 'raw' }, entries } } });
        const address = (e: WrittenEntry): string => JSON.stringify([e.state, text(e.key), 'userKey' in e ? text(e.userKey) : '']);
        // Of a value the last one counts; what is raw is taken as it comes.
        const expected = new Map(entries.map((e, i) => [e.state === 'r' ? `${address(e)} ${i}` : address(e), e]));
        const read = await all((await readSavepoint(storage)).entries('op'));
        const lines = (list: Iterable<WrittenEntry>): string[] =>
          [...list].map((e) => `${address({ ...e, ...(e.userKey === undefined ? {} : { userKey: e.userKey }) })} ${text(e.value)}`).sort();
        expect(lines(read.map(({ userKey, ...rest }) => (userKey === undefined ? rest : { ...rest, userKey })))).toEqual(
          lines(expected.values()),
        );
      }),
      { numRuns: 60 },
    );
  });

  test.each<[string, Partial<WrittenEntry>, RegExp]>([
    ['an unknown state', { state: 'x' }, /"x" is not declared/],
    ['no value', { value: undefined }, /without a value/],
    ['a user key', { userKey: 'k' }, /is no map/],
    ['an item for a value', { add: 1 }, /cannot be added to/],
    ['no list', { state: 'seen', value: 1 }, /is a list, and its value is number/],
    ['no accumulator', { state: 'mean', value: 1 }, /no accumulator/],
    ['a key that is none', { key: Number.NaN }, /key/],
    ['a map without its key', { state: 'by', value: 1 }, /key/],
  ])('%s is refused', async (_name, change, message) => {
    const entries = [{ state: 'last', key: 'a', value: 1, ...change } as WrittenEntry];
    await expect(writeSavepoint(memoryStorage(), { job: 'j', operators: { op: { state: DECLARED, entries } } })).rejects.toThrow(message);
  });

  test('a place that has a checkpoint, other key groups, and damage are refused', async () => {
    const storage = memoryStorage();
    await runOver(EVENTS, storage);
    const nothing = { job: 'j', operators: {} };
    await expect(writeSavepoint(storage, nothing)).rejects.toMatchObject({ code: 'checkpoint/storage' });
    await expect(writeSavepoint(memoryStorage(), { ...nothing, from: storage, maxParallelism: 256 })).rejects.toMatchObject({
      code: 'checkpoint/unmatched',
    });
    for (const name of await storage.list('state/'))
      await storage.write(name, [(await storage.read(name))!.map((byte, i) => (i === 5 ? byte ^ 1 : byte))]);
    await expect(writeSavepoint(memoryStorage(), { ...nothing, from: storage })).rejects.toMatchObject({ code: 'checkpoint/corrupt' });
  });
});

test('a job restored from a savepoint begins from it again when it fails before its first checkpoint, whatever is in its own location', async () => {
  const old = memoryStorage();
  await runOver([{ key: 'a', n: 1000, at: 1 }], old);
  expect(await old.list('manifests/')).toHaveLength(2);
  const savepoint = memoryStorage();
  await writeSavepoint(savepoint, {
    job: 'states',
    operators: { states: { state: { last: DECLARED.last, most: DECLARED.most }, entries: [{ state: 'most', key: 'a', value: 5 }] } },
  });
  const env = new StreamEnvironment();
  const lines: string[] = [];
  let failures = 1;
  build(env, [{ key: 'a', n: 1, at: 1 }], true, (line) => {
    if (failures-- > 0) throw new Error('on purpose');
    lines.push(line);
  });
  await env.execute('states', { logger: SILENT, checkpoint: { storage: old }, restore: { savepoint }, restart: fixedDelay({ delay: {} }) });
  expect(lines[0]).toBe('a 1 1 odd,1 5 1');
});

function text(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`;
    if (typeof each === 'number' && !Number.isFinite(each)) return String(each);
    return ArrayBuffer.isView(each) ? [...(each as Uint8Array)].join() : each;
  });
}

describe('states with a codec of their own', () => {
  const strokes: Codec<number> = {
    name: 'strokes',
    version: 2,
    reads: [1],
    write: (n, writer) => writer.text('|'.repeat(n)),
    read: (reader) => reader.text().length,
  };
  const state = { n: valueState<number>({ codec: strokes }), all: listState<number>({ codec: strokes }) };
  const entries: WrittenEntry[] = [
    { state: 'n', key: 'a', value: 3 },
    { state: 'all', key: 'a', value: [1, 2] },
  ];
  const valuesOf = async (storage: CheckpointStorage, options = {}): Promise<unknown[]> =>
    (await all((await readSavepoint(storage, options)).entries('count'))).map(({ value }) => value);

  async function coded(): Promise<CheckpointStorage> {
    const storage = memoryStorage();
    await writeSavepoint(storage, { job: 'coded', operators: { count: { state, entries } } });
    return storage;
  }

  test('are read with that codec, and are bytes without it, which say of what', async () => {
    const storage = await coded();
    expect(await valuesOf(storage, { codecs: [strokes] })).toEqual([3, [1, 2]]);
    for (const codecs of [[], [{ ...strokes, version: 1, reads: [] }], [{ ...strokes, name: 'other' }]]) {
      const [n, list] = (await valuesOf(storage, { codecs })) as [EncodedValue, EncodedValue[]];
      expect(n).toMatchObject({ codec: 'strokes', version: 2, bytes: new Uint8Array([3, 124, 124, 124]) });
      expect(list.map(({ bytes }) => bytes.length)).toEqual([2, 3]);
    }
  });

  test('are written as they were read, decoded or not', async () => {
    for (const codecs of [[], [strokes]]) {
      const read = await all((await readSavepoint(await coded(), { codecs })).entries('count'));
      const copy = memoryStorage();
      await writeSavepoint(copy, { job: 'coded', operators: { count: { state, entries: read } } });
      expect(await valuesOf(copy, { codecs: [strokes] })).toEqual([3, [1, 2]]);
    }
  });

  test('as a source: refused without the codec', async () => {
    const storage = await coded();
    const collect = (codec?: Codec<number>) =>
      new StreamEnvironment()
        .from(savepointState(storage, { uid: 'count', state: 'n', ...(codec && { codec }) }))
        .collect({ logger: SILENT });
    expect(await collect(strokes)).toEqual([{ key: 'a', value: 3 }]);
    await expect(collect()).rejects.toMatchObject({ message: expect.stringMatching(/written by codec strokes 2.*Give that codec/) });
  });
});
