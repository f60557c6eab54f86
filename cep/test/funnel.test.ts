import { forEach, fromArray, StreamEnvironment } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { type Complete, detect, type DetectOptions, type Matched, pattern } from '../src/index.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
const is = (wanted: string) => (letter: string) => letter === wanted;

/** What is counted over letters, one a millisecond. */
async function counted<M extends Matched>(
  wanted: Complete<string, M>,
  letters: string,
  options: Partial<DetectOptions<string, M>> = {},
): Promise<Readonly<Record<string, number>>> {
  const env = new StreamEnvironment();
  const found = env
    .from(fromArray(letters.split('').map((letter, at) => ({ letter, at }))), { time: { timestamp: ({ at }) => at } })
    .map(({ letter }) => letter)
    .keyBy(() => 0)
    .pipe(detect(wanted, () => 'found', { uid: 'wanted', ...options }));
  found.sinkTo(forEach(() => {}));
  found.side('timedOut').sinkTo(forEach(() => {}));
  const job = await env.start('funnel', { logger: SILENT });
  await job.finished;
  const { counters } = job.metrics().operators.find(({ uid }) => uid === 'wanted')!;
  return Object.fromEntries(Object.entries(counters).filter(([, count]) => count > 0));
}

const begin = pattern<string>().begin('a').where(is('a'));
const guarded = begin.notFollowedBy('not').where(is('x')).followedBy('b').where(is('b')).within({ milliseconds: 10 });
/** A limit that nothing reaches: the partial matches are followed one by one. */
const oneByOne = { maxPartials: { limit: 100, policy: 'dropOldest' } } as const;

describe('the counters of a pattern', () => {
  test('say how many partial matches a step has reached, and what became of them', async () => {
    expect(await counted(guarded, 'aab', oneByOne)).toEqual({ 'reached a': 2, 'reached b': 2 });
    expect(await counted(guarded, 'aax.ab', oneByOne)).toEqual({ 'reached a': 3, 'reached b': 1, 'died after a': 2 });
    expect(await counted(guarded, 'a...........b', oneByOne)).toEqual({ 'reached a': 1, 'timedOut after a': 1 });
  });

  test('count sets where partial matches are followed as sets', async () => {
    expect(await counted(guarded, 'aab')).toEqual({ 'reached a': 2, 'reached b': 1 });
    expect(await counted(guarded, 'aax.ax.ab')).toEqual({ 'reached a': 4, 'reached b': 1, 'died after a': 2 });
    expect(await counted(guarded, 'a...........b')).toEqual({ 'reached a': 1, 'timedOut after a': 1 });
  });

  test.each([{}, oneByOne])('count what contiguity ends (%j)', async (options) => {
    const strict = begin.next('b').where(is('b')).next('c').where(is('c'));
    expect(await counted(strict, 'aabac', options)).toEqual({ 'reached a': 3, 'reached b': 1, 'died after a': 2, 'died after b': 1 });
    const loop = begin.times(2).consecutive().next('b').where(is('b'));
    expect(await counted(loop, 'aab', options)).toMatchObject({ 'reached a': 3, 'reached b': 1, 'died after a': 1 });
  });

  test('count what a limit ends', async () => {
    const limited = { maxPartials: { limit: 1, policy: 'dropOldest' } } as const;
    const dropped = { 'reached a': 2, 'reached b': 1, 'died after a': 1, droppedPartials: 1 };
    expect(await counted(guarded, 'aab', limited)).toEqual(dropped);
    const notLetIn = { maxPartials: { limit: 1, policy: 'dropNewest' } } as const;
    expect(await counted(guarded, 'aab', notLetIn)).toEqual(dropped);
  });

  test('count what a skip ends', async () => {
    const loose = begin.followedByAny('b').where(is('b')).followedBy('c').where(is('c')).within({ milliseconds: 100 });
    expect(await counted(loose, 'abbc', { afterMatch: 'toNext' })).toMatchObject({ 'reached a': 1, 'reached c': 2, skipped: 1 });
    // The first match ends what waits for another b: of its own beginning, and of the second a.
    expect(await counted(loose, 'aabc', { afterMatch: 'pastLast' })).toMatchObject({ 'reached a': 2, 'reached b': 2, skipped: 2 });
  });
});
