import { expect, test } from 'vitest';
import {
  type CheckpointStorage,
  count,
  type DataStream,
  fromArray,
  type KeyedStream,
  memoryStorage,
  type RunOptions,
  StreamEnvironment,
  valueState,
  type WrittenEntry,
  type WrittenStates,
  writeSavepoint,
} from '../../src/index.ts';
import { harness } from '../../src/testing.ts';
import { recordingLogger } from '../recordingLogger.ts';
import { errorCode } from '../time/errorCode.ts';

const KEPT: WrittenEntry = { state: 'n', key: 'tea', value: 41 };

/** A savepoint with some state of the operator `count`. */
async function savepointOf(state: WrittenStates, entries: readonly WrittenEntry[]): Promise<CheckpointStorage> {
  const storage = memoryStorage();
  await writeSavepoint(storage, {
    job: 'collect',
    operators: { count: { state: { n: valueState<number>(), ...state }, entries: [KEPT, ...entries] } },
  });
  return storage;
}

type Build = (words: KeyedStream<string, string>) => { collect(options: RunOptions): Promise<readonly unknown[]> };
const counting: Build = (words) =>
  words.process({
    uid: 'count',
    state: { n: valueState({ initial: 0 }) },
    timers: { due: 'eventTime' },
    onElement(_word, { state }) {
      state.n.update(state.n.value() + 1);
      return [state.n.value()];
    },
    onTimer: () => ['timer'],
  });

async function run(
  storage: CheckpointStorage,
  allowNonRestoredState: boolean,
  build: Build = counting,
): Promise<{ readonly results: readonly unknown[]; readonly warnings: readonly string[] }> {
  const logger = recordingLogger();
  const words = new StreamEnvironment().from(fromArray(['tea']), { uid: 'words' }).keyBy((word) => word);
  const results = await build(words).collect({
    logger,
    checkpoint: { storage: memoryStorage() },
    restore: { savepoint: storage, allowNonRestoredState },
  });
  return { results, warnings: logger.of('warn') };
}

const timer = (name: string): WrittenEntry => ({ state: '(timers)', key: 'tea', userKey: name, value: { times: [5], ranks: [0] } });

test.each<[string, WrittenStates, WrittenEntry[], RegExp, RegExp]>([
  [
    'a keyed state',
    { gone: valueState<string>() },
    ['tea', 'oil', 'rye'].map((key) => ({ state: 'gone', key, value: 'x' })),
    /"gone" that the operator does not declare/,
    /uid "count" does not have any more is left out: gone \(3 entries\)/,
  ],
  [
    'a timer beside one that is kept',
    { '(timers)': 'raw' },
    [timer('due'), timer('gone')],
    /timers "gone" that the operator does not declare/,
    /is left out: \(timers\) gone \(1 entry\)/,
  ],
])('%s that the operator does not have any more is refused, or left out and told', async (_what, state, entries, refusal, warning) => {
  const storage = await savepointOf(state, entries);
  await expect(run(storage, false)).rejects.toMatchObject({ code: 'state/restore', uid: 'count', message: expect.stringMatching(refusal) });
  const { results, warnings } = await run(storage, true);
  expect(results).toEqual(entries.some(({ userKey }) => userKey === 'due') ? [42, 'timer'] : [42]);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
});

test('what an operator of another kind keeps itself is not dropped in silence', () => {
  const before = harness(
    ({ in: words }: { in: DataStream<string> }) => ({
      out: words.keyBy((word) => word).over({ last: { seconds: 1 } }, { n: count() }, { uid: 'count' }),
    }),
    {},
  );
  before.push('in', 'tea', 5);
  const restore = before.snapshot();
  const changed = ({ in: words }: { in: DataStream<string> }) => ({
    out: words.keyBy((word) => word).process({ uid: 'count', onElement: () => [0] }),
  });
  expect(errorCode(() => harness(changed, { restore }))).toBe('state/restore');
});

test('operators that are not there any more are named', async () => {
  const storage = memoryStorage();
  const state = { n: valueState<number>() };
  await writeSavepoint(storage, { job: 'collect', operators: { count: { state, entries: [KEPT] }, gone: { state, entries: [KEPT] } } });
  await expect(run(storage, false)).rejects.toMatchObject({
    code: 'checkpoint/unmatched',
    message: expect.stringMatching(/does not have: gone\./),
  });
  expect(await run(storage, true)).toEqual({
    results: [42],
    warnings: [expect.stringMatching(/^State of operators that the job does not have is left out: gone\.$/)],
  });
});

test('what is there in another form is refused all the same', async () => {
  const storage = await savepointOf({}, []);
  const listing: Build = (words) => words.process({ uid: 'count', state: { n: valueState<number>({ version: 2 }) }, onElement: () => [0] });
  await expect(run(storage, true, listing)).rejects.toMatchObject({ code: 'state/incompatible', uid: 'count' });
});
