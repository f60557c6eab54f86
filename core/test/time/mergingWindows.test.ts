import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeWindows } from '../../src/time/mergingWindows.ts';
import { MergingWindowSet } from '../../src/time/mergingWindowSet.ts';
import type { TimeWindow } from '../../src/time/window.ts';

type Pair = readonly [start: number, end: number];
const window = ([start, end]: Pair): TimeWindow => ({ start, end });
const pair = ({ start, end }: TimeWindow): Pair => [start, end];

function merged(...windows: Pair[]): { result: Pair; sources: Pair[] }[] {
  return mergeWindows(windows.map(window)).map(({ result, sources }) => ({ result: pair(result), sources: sources.map(pair) }));
}

/** Joins any two that overlap or touch until there are none. */
function naiveUnion(windows: readonly Pair[]): Pair[] {
  const rest = [...windows];
  for (let i = 0; i < rest.length; i++) {
    for (let j = i + 1; j < rest.length; j++) {
      const [a, b] = [rest[i]!, rest[j]!];
      if (a[0] > b[1] || b[0] > a[1]) continue;
      rest.splice(j, 1);
      rest[i] = [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
      i = -1;
      break;
    }
  }
  return rest.sort((a, b) => a[0] - b[0]);
}

const somePairs = (max: number) =>
  fc.array(
    fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 6 })).map(([start, length]): Pair => [start, start + length]),
    { maxLength: max },
  );

describe('mergeWindows', () => {
  test('joins windows that touch', () => {
    expect(merged([0, 1], [1, 2], [2, 3], [4, 5], [5, 6])).toEqual([
      { result: [0, 3], sources: [[0, 1], [1, 2], [2, 3]] }, // prettier-ignore
      { result: [4, 6], sources: [[4, 5], [5, 6]] }, // prettier-ignore
    ]);
  });

  test('joins windows inside a large one, in any order', () => {
    expect(merged([5, 6], [1, 10], [2, 3])).toEqual([{ result: [1, 10], sources: [[1, 10], [2, 3], [5, 6]] }]); // prettier-ignore
  });

  test('does not mention a window that touches no other, nor one that is given twice', () => {
    expect(merged([0, 1], [2, 3])).toEqual([]);
    expect(merged([0, 0])).toEqual([]);
    expect(merged([0, 1], [0, 1])).toEqual([]);
    expect(merged([0, 1], [0, 2], [0, 1])).toEqual([{ result: [0, 2], sources: [[0, 1], [0, 2]] }]); // prettier-ignore
    expect(merged()).toEqual([]);
  });

  test('equals the naive union', () => {
    fc.assert(
      fc.property(somePairs(20), (pairs) => {
        const results = merged(...pairs);
        const absorbed = (each: Pair) => results.some(({ result }) => result[0] <= each[0] && each[1] <= result[1]);
        const alone = [...new Map(pairs.filter((each) => !absorbed(each)).map((each) => [each.join(), each])).values()];
        expect([...results.map(({ result }) => result), ...alone].sort((a, b) => a[0] - b[0])).toEqual(naiveUnion(pairs));
        for (const { result, sources } of results) {
          expect(sources.length).toBeGreaterThan(1);
          expect(naiveUnion(sources)).toEqual([result]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('MergingWindowSet', () => {
  test('keeps the state of the first window', () => {
    const set = new MergingWindowSet();
    const steps: [Pair, Pair, boolean, Pair][] = [
      [[0, 4], [0, 4], false, [0, 4]],
      [[0, 4], [0, 4], false, [0, 4]],
      [[3, 5], [0, 5], true, [0, 4]],
      [[4, 6], [0, 6], true, [0, 4]],
      [[1, 4], [0, 6], false, [0, 4]],
      [[3, 5], [0, 6], false, [0, 4]],
      [[11, 14], [11, 14], false, [11, 14]],
      [[10, 13], [10, 14], true, [11, 14]],
      [[12, 15], [10, 15], true, [11, 14]],
      [[11, 14], [10, 15], false, [11, 14]],
    ];
    for (const [added, result, isMerged, state] of steps) {
      const addition = set.add(window(added));
      expect([pair(addition.window), addition.merged, pair(addition.stateWindow)]).toEqual([result, isMerged, state]);
      expect(set.stateWindow(window(result))).toEqual(window(state));
    }
    expect(set.retire(window([0, 6]))).toBe(true);
    expect(set.retire(window([0, 6]))).toBe(false);
    expect(set.stateWindow(window([0, 6]))).toBeUndefined();
    expect(set.places()).toEqual([{ window: window([10, 15]), stateWindow: window([11, 14]) }]);
  });

  test('names what a window between two others joins', () => {
    const set = new MergingWindowSet();
    set.add(window([0, 3]));
    set.add(window([5, 8]));
    set.add(window([20, 21]));
    expect(set.add(window([3, 5]))).toEqual({
      window: window([0, 8]),
      merged: true,
      stateWindow: window([0, 3]),
      sources: [window([0, 3]), window([5, 8])],
      stateSources: [window([5, 8])],
    });
    expect(set.size).toBe(2);
  });

  test('holds the union of what was added; each state is kept by one window; a snapshot loses nothing', () => {
    fc.assert(
      fc.property(somePairs(30), (pairs) => {
        let set = new MergingWindowSet();
        // What each state holds: the windows that were added to it.
        const states = new Map<string, Pair[]>();
        for (const added of pairs) {
          const { window: result, stateWindow, stateSources, sources, merged: isMerged } = set.add(window(added));
          expect(isMerged).toBe(sources.length > 0);
          const name = pair(stateWindow).join();
          const held = [...(states.get(name) ?? []), ...stateSources.flatMap((each) => states.get(pair(each).join())!), added];
          for (const each of stateSources) states.delete(pair(each).join());
          states.set(name, held);
          expect(naiveUnion(held)).toEqual([pair(result)]);
          set = new MergingWindowSet(set.places());
        }
        expect(set.places().map((place) => pair(place.window))).toEqual(naiveUnion(pairs));
        expect(states.size).toBe(set.size);
      }),
      { numRuns: 500 },
    );
  });
});
