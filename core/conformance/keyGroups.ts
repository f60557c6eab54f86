import { spread } from '../src/state/key.ts';
import { defaultMaxParallelism, keyGroupHash, keyGroupOfHash, keyGroupRange } from '../src/state/keyGroups.ts';
import type { Kind } from './outcome.ts';
import type { Case } from './table.ts';

interface RangesCase extends Case {
  readonly input: readonly number[];
  readonly expect: readonly (string | readonly (readonly [first: number, last: number])[])[];
}

/** `keyGroupRanges`: the ranges of key groups of all subtasks, for each parallelism. */
export const ranges: Kind<RangesCase> = ({ config, input, expect }) => {
  const max = Number(config['maxParallelism']);
  return {
    expected: input.map((parallelism, i) => {
      const wanted = expect[i]!;
      return wanted === 'all [i,i]' ? subtasks(parallelism).map((index) => [index, index]) : wanted;
    }),
    actual: input.map((parallelism) =>
      subtasks(parallelism).map((index) => {
        const { first, last } = keyGroupRange(max, parallelism, index);
        return [first, last];
      }),
    ),
  };
};

function subtasks(parallelism: number): readonly number[] {
  return Array.from({ length: parallelism }, (_, index) => index);
}

/** `defaultMaxParallelism`: what it is for each parallelism. */
export const defaultMax: Kind<Case & { readonly input: readonly number[] }> = ({ input, expect }) => ({
  expected: expect,
  actual: input.map(defaultMaxParallelism),
});

interface HashCase extends Case {
  readonly input: readonly number[];
  readonly expect: readonly { readonly hash: number; readonly murmur: number; readonly keyGroup: number }[];
}

/** `keyGroupOfHash`: where the hash of a key belongs. */
export const ofHash: Kind<HashCase> = ({ config, input, expect }) => ({
  expected: expect,
  actual: input.map((hash) => {
    const spreadHash = spread(hash);
    return { hash, murmur: keyGroupHash(spreadHash), keyGroup: keyGroupOfHash(spreadHash, Number(config['maxParallelism'])) };
  }),
});
