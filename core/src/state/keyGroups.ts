import { hashKey, type Key } from './key.ts';

/** The key groups `[first, last]` of one subtask, both inclusive: the unit in which state moves when a job is rescaled. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

/** The default number of key groups. It is fixed for the life of a job's state. */
export const DEFAULT_MAX_PARALLELISM = 128;
const LARGEST_MAX_PARALLELISM = 32_768;

/** The key group of a spread hash: Flink's formula. */
export function keyGroupOfHash(spreadHash: number, maxParallelism: number): number {
  return keyGroupHash(spreadHash) % maxParallelism;
}

/** Flink's murmur as it leaves `MathUtils.murmurHash`: not negative. */
export function keyGroupHash(spreadHash: number): number {
  if (spreadHash >= 0) return spreadHash;
  return spreadHash === -2_147_483_648 ? 0 : -spreadHash;
}

/** The key group of a key. */
export function keyGroupOf(key: Key, maxParallelism: number): number {
  return keyGroupOfHash(hashKey(key), maxParallelism);
}

/** The range that subtask `index` of `parallelism` owns. */
export function keyGroupRange(maxParallelism: number, parallelism: number, index: number): KeyGroupRange {
  return {
    first: Math.ceil((index * maxParallelism) / parallelism),
    last: Math.floor(((index + 1) * maxParallelism - 1) / parallelism),
  };
}

/** The subtask that owns a key group. */
export function subtaskOfKeyGroup(keyGroup: number, maxParallelism: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** What `maxParallelism` becomes where nobody sets it: room to grow by half, in powers of two, at least 128. */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(parallelism + Math.floor(parallelism / 2)));
  return Math.min(Math.max(wanted, DEFAULT_MAX_PARALLELISM), LARGEST_MAX_PARALLELISM);
}
