import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Key, spread } from '../../src/state/key.ts';
import {
  defaultMaxParallelism,
  keyGroupHash,
  keyGroupOf,
  keyGroupOfHash,
  keyGroupRange,
  subtaskOfKeyGroup,
} from '../../src/state/keyGroups.ts';

describe('key groups', () => {
  test.each([
    [0, 593689054, 94],
    [1, 68075478, 86],
    [2, 1085422463, 127],
    [3, 847579505, 113],
    [42, 1134849565, 29],
    [-1, 1982413648, 80],
    [123456789, 1088346449, 81],
    [2147483647, 1653689534, 62],
    [-2147483648, 1718298732, 108],
  ])('hash %i: Flink’s murmur %i and group %i of 128', (hash, murmur, group) => {
    expect(keyGroupHash(spread(hash))).toBe(murmur);
    expect(keyGroupOfHash(spread(hash), 128)).toBe(group);
  });

  test.each([
    [1, [[0, 127]]],
    [
      2,
      [
        [0, 63],
        [64, 127],
      ],
    ],
    [
      3,
      [
        [0, 42],
        [43, 85],
        [86, 127],
      ],
    ],
    [
      5,
      [
        [0, 25],
        [26, 51],
        [52, 76],
        [77, 102],
        [103, 127],
      ],
    ],
    [128, Array.from({ length: 128 }, (_, i) => [i, i])],
  ])('of 128, %i subtasks own these ranges', (parallelism, ranges) => {
    expect(
      Array.from({ length: parallelism }, (_, i) => keyGroupRange(128, parallelism, i)).map(({ first, last }) => [first, last]),
    ).toEqual(ranges);
  });

  test.each([
    [1, 128],
    [4, 128],
    [85, 128],
    [86, 256],
    [100, 256],
    [170, 256],
    [171, 256],
    [172, 512],
    [200, 512],
    [1000, 2048],
    [21_845, 32_768],
    [30_000, 32_768],
    [32_768, 32_768],
  ])('for parallelism %i there are %i by default', (parallelism, groups) => {
    expect(defaultMaxParallelism(parallelism)).toBe(groups);
  });

  test('every group belongs to one subtask, whichever way it is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(), (maxParallelism, n) => {
        const parallelism = (n % maxParallelism) + 1;
        let next = 0;
        for (let i = 0; i < parallelism; i++) {
          const { first, last } = keyGroupRange(maxParallelism, parallelism, i);
          expect(first).toBe(next);
          for (let group = first; group <= last; group++) expect(subtaskOfKeyGroup(group, maxParallelism, parallelism)).toBe(i);
          next = last + 1;
        }
        expect(next).toBe(maxParallelism);
      }),
    );
  });

  test('a key’s group is one of those there are', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.bigInt(), fc.boolean(), fc.array(fc.string())),
        fc.integer({ min: 1, max: 32_768 }),
        (key: Key, groups) => {
          const group = keyGroupOf(key, groups);
          expect(Number.isInteger(group) && group >= 0 && group < groups).toBe(true);
        },
      ),
    );
  });
});
