import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  aggregate,
  aggregatingState,
  avg,
  type Codec,
  count,
  defineSource,
  forEach,
  type KeyedStream,
  listState,
  mapState,
  memoryStorage,
  reducingState,
  type RunOptions,
  type Source,
  type StateDescriptor,
  StreamEnvironment,
  sum,
  type ValueState,
  valueState,
} from '../../src/index.ts';

/** Gives its words, and then nothing more until the job is stopped. */
function words(...given: string[]): Source<string> {
  return defineSource<string, number>({
    name: 'words',
    bounded: false,
    open: () => ({
      splits: async () => ['all'],
      async *read(_split, from = 0, { signal }) {
        if (from < given.length) yield { values: given.slice(from), position: given.length };
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    }),
  });
}

const joined = aggregate({
  create: () => '',
  add: (text: string, word: string) => text + word,
  merge: (a, b) => a + b,
  result: (text) => text,
});
const letters = aggregate({ create: () => 0, add: (n: number, word: string) => n + word.length, merge: (a, b) => a + b, result: (n) => n });

type Build = (keyed: KeyedStream<string, string>) => { sinkTo(sink: ReturnType<typeof forEach>, options: { uid: string }): unknown };

/** Runs until each word has given a result, then stops with a savepoint, from which the next step goes on. */
async function runInTurn(
  steps: readonly { readonly words: string[]; readonly build: Build; readonly options?: RunOptions }[],
): Promise<unknown[][]> {
  const results: unknown[][] = [];
  let before: ReturnType<typeof memoryStorage> | undefined;
  for (const [step, { words: given, build, options }] of steps.entries()) {
    const env = new StreamEnvironment();
    const seen: unknown[] = [];
    let all = (): void => undefined;
    const enough = new Promise<void>((resolve) => (all = resolve));
    build(env.from(words(...given), { uid: `words-${step}` }).keyBy((word) => word)).sinkTo(
      forEach((result) => void (seen.push(result) === given.length && all())),
      { uid: 'results' },
    );
    const restore = before && { savepoint: before, allowNonRestoredState: true };
    const job = await env.start('evolving', { checkpoint: { storage: memoryStorage() }, ...(restore && { restore }), ...options });
    await Promise.race([enough, job.finished]);
    before = memoryStorage();
    await job.stop({ savepoint: before });
    results.push(seen);
  }
  return results;
}

/** A keyed process over one state. */
function holding<H>(descriptor: StateDescriptor<H>, use: (held: H, word: string) => unknown): Build {
  return (keyed) =>
    keyed.process({
      uid: 'held',
      state: { held: descriptor },
      onElement: (word: string, { state }) => [use(state.held, word)],
    });
}

const counting = (held: ValueState<number>) => {
  held.update(held.value() + 1);
  return held.value();
};
const read = (held: ValueState<unknown>) => held.value();

/** Counts as text of so many strokes: a codec whose second version writes a length in front. */
const strokes = (version: 1 | 2, reads?: readonly number[]): Codec<number> => ({
  name: 'strokes',
  version,
  ...(reads && { reads }),
  write: (n, writer) => {
    if (version === 2) writer.varint(n);
    writer.text('|'.repeat(n));
  },
  read: (reader, written) => {
    if (written === 2) reader.varint();
    return reader.text().length;
  },
});

describe('a changed job and the state of the one before', () => {
  test('values of an older version are migrated at once or step by step', async () => {
    const old = { words: ['tea', 'tea'], build: holding(valueState({ initial: 0 }), counting) };
    const inOne = valueState<{ n: number }>({ version: 3, migrate: (n, from) => ({ n: Number(n) * 10 + from }) });
    expect(await runInTurn([old, { words: ['tea'], build: holding(inOne, read) }])).toEqual([[1, 2], [{ n: 21 }]]);
    const inSteps = valueState<{ n: number }>({ version: 3, migrate: { 1: (n: number) => [n], 2: ([n]: [number]) => ({ n }) } });
    expect(await runInTurn([old, { words: ['tea'], build: holding(inSteps, read) }])).toEqual([[1, 2], [{ n: 2 }]]);
  });

  test('what cannot be read is refused with both versions, and with the operator', async () => {
    const old = { words: ['tea'], build: holding(valueState({ initial: 0, version: 2 }), counting) };
    const refused = async (build: Build, message: RegExp, code = 'state/incompatible') => {
      const error: unknown = await runInTurn([old, { words: ['tea'], build }]).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code, uid: 'held', message: expect.stringMatching(message) });
    };
    await refused(holding(valueState({ initial: 0, version: 3 }), counting), /version 2.*version 3.*migrate/);
    await refused(
      holding(valueState({ initial: 0, version: 4, migrate: { 3: (n: number) => n } }), counting),
      /version 2.*version 4.*step 2/,
    );
    await refused(holding(valueState({ initial: 0 }), counting), /version 2.*version 1/);
    await refused(
      holding(listState<number>(), () => 0),
      /value state.*list state/,
    );
    const failing = (): never => {
      throw new TypeError('no such field');
    };
    await refused(holding(valueState({ initial: 0, version: 3, migrate: failing }), counting), /from version 2 failed: .*no such field/);
    await refused(holding(valueState({ initial: '', version: 2, schema: z.string() }), read), /expected string/, 'state/invalid');
  });

  test('every kind of state is migrated value by value, and its schema sees each', async () => {
    const options = {
      version: 2,
      migrate: (old: unknown) => `${String(old)}!`,
      schema: z.string().transform((text) => text.toUpperCase()),
    };
    const cases: readonly (readonly [before: Build, after: Build, expected: unknown])[] = [
      [
        holding(listState<string>(), (held, word) => held.add(word)),
        holding(listState<string>(options), (held) => [...held.get()]),
        ['TEA!', 'TEA!'],
      ],
      [
        holding(mapState<string, number>(), (held, word) => held.put(word, (held.get(word) ?? 0) + 1)),
        holding(mapState<string, string>(options), (held) => [...held.entries()]),
        [['tea', '2!']],
      ],
      [
        holding(reducingState<string>({ reduce: (a, b) => a + b }), (held, word) => held.add(word)),
        holding(reducingState<string>({ reduce: (a, b) => a + b, ...options }), (held) => held.get()),
        'TEATEA!',
      ],
      [
        holding(aggregatingState({ aggregate: joined }), (held, word) => held.add(word)),
        holding(aggregatingState({ aggregate: joined, ...options }), (held) => held.get()),
        'TEATEA!',
      ],
    ];
    for (const [before, after, expected] of cases) {
      const [, results] = await runInTurn([
        { words: ['tea', 'tea'], build: before },
        { words: ['tea'], build: after },
      ]);
      expect(results).toEqual([expected]);
    }
  });

  test('a codec is followed by a newer one that reads what it wrote; plain data gets one; another is refused', async () => {
    const coded = (codec?: Codec<number>) => ({
      words: ['tea'],
      build: holding(valueState({ initial: 0, ...(codec && { codec }) }), counting),
    });
    expect(await runInTurn([coded(), coded(strokes(1)), coded(strokes(1)), coded(strokes(2, [1])), coded(strokes(2))])).toEqual([
      [1],
      [2],
      [3],
      [4],
      [5],
    ]);
    await expect(runInTurn([coded(strokes(1)), coded(strokes(2))])).rejects.toThrow(/codec strokes 1.*codec strokes 2/);
    await expect(runInTurn([coded(strokes(1)), coded()])).rejects.toThrow(/codec strokes 1.*no codec/);
    await expect(runInTurn([coded(strokes(1)), coded({ ...strokes(1), name: 'other' })])).rejects.toThrow(/strokes 1.*other 1/);
  });

  test('codecs write the values of every kind of state', async () => {
    const codec = strokes(1);
    const cases: readonly (readonly [Build, unknown[]])[] = [
      [holding(listState<number>({ codec }), (held) => (held.add(3), [...held.get()])), [[3], [3, 3]]],
      [holding(listState<number>({ codec, ttl: { days: 1 } }), (held) => (held.add(3), [...held.get()])), [[3], [3, 3]]],
      [
        holding(mapState<string, number>({ codec }), (held, word) => (held.put(word, (held.get(word) ?? 0) + 1), [...held.values()])),
        [[1], [2]],
      ],
      [
        holding(
          mapState<string, number>({ codec, ttl: { days: 1 } }),
          (held, word) => (held.put(word, (held.get(word) ?? 0) + 1), [...held.values()]),
        ),
        [[1], [2]],
      ],
      [holding(reducingState<number>({ codec, reduce: (a, b) => a + b }), (held) => (held.add(2), held.get())), [2, 4]],
      [
        holding(aggregatingState({ codec: codec as Codec<unknown>, aggregate: letters }), (held, word) => (held.add(word), held.get())),
        [3, 6],
      ],
    ];
    for (const [build, expected] of cases) {
      const results = await runInTurn([
        { words: ['tea'], build },
        { words: ['tea'], build },
      ]);
      expect(results.flat()).toEqual(expected);
    }
  });

  test('aggregates gain and lose fields; another aggregate of the same name is refused', async () => {
    const length = (word: string): number => word.length;
    const results = await runInTurn([
      { words: ['tea', 'tea'], build: (keyed) => keyed.aggregate({ n: count(), letters: sum(length) }, { uid: 'totals' }) },
      { words: ['tea'], build: (keyed) => keyed.aggregate({ letters: sum(length), mean: avg(length) }, { uid: 'totals' }) },
    ]);
    expect(results[1]).toEqual([{ key: 'tea', value: { letters: 9, mean: 3 } }]);
    const changed = runInTurn([
      { words: ['tea'], build: (keyed) => keyed.aggregate({ n: count() }, { uid: 'totals' }) },
      { words: ['tea'], build: (keyed) => keyed.aggregate({ n: avg(length) }, { uid: 'totals' }) },
    ]);
    await expect(changed).rejects.toThrow(/\[state\/incompatible\] uid "totals":.*"n" as count.*"n" as avg/);
  });

  test('time to live is switched on and off', async () => {
    const build = (ttl?: { days: number }) => ({
      words: ['tea'],
      build: holding(valueState({ initial: 0, ...(ttl && { ttl }) }), counting),
    });
    expect(await runInTurn([build(), build({ days: 1 }), build()])).toEqual([[1], [2], [3]]);
  });

  test.each([0, 1.5, Number.NaN])('a version of %s is refused when the job is built', async (version) => {
    const build = runInTurn([{ words: ['tea'], build: holding(valueState({ initial: 0, version }), counting) }]);
    await expect(build).rejects.toThrow(expect.objectContaining({ code: 'state/option' }));
  });
});
