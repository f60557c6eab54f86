import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DataStream, fromArray, type Iteration, StreamEnvironment } from '../../src/index.ts';
import { everyCheckpoint } from '../../src/testing.ts';

type Edge = readonly [number, number];

interface Labels {
  readonly edges: readonly Edge[];
  readonly labels: Float64Array;
  readonly changed: boolean;
}

/** Connected components by spreading the smallest label: shards take every n-th edge, the barrier joins what they found. */
const components: Iteration<Edge, Labels, Map<number, number>, readonly [number, number]> = {
  init(edges, { allocate }) {
    const size = Math.max(-1, ...edges.flat()) + 1;
    const labels = new Float64Array(allocate(size * 8));
    labels.forEach((_, i) => (labels[i] = i));
    return { edges, labels, changed: true };
  },
  round({ edges, labels }, shard, { shards }) {
    const found = new Map<number, number>();
    for (let i = shard; i < edges.length; i += shards) {
      const [a, b] = edges[i]!;
      const least = Math.min(labels[a]!, labels[b]!);
      for (const v of [a, b]) if (least < (found.get(v) ?? labels[v]!)) found.set(v, least);
    }
    return found;
  },
  combine({ edges, labels }, parts) {
    let changed = false;
    for (const [v, label] of parts.flatMap((part) => [...part])) {
      if (label >= labels[v]!) continue;
      labels[v] = label;
      changed = true;
    }
    return { edges, labels, changed };
  },
  done: ({ changed }) => !changed,
  result: ({ labels }) => Array.from(labels, (label, v) => [v, label] as const),
};

function oracle(edges: readonly Edge[]): [number, number][] {
  const size = Math.max(-1, ...edges.flat()) + 1;
  const parent = Array.from({ length: size }, (_, i) => i);
  const find = (v: number): number => (parent[v] === v ? v : find(parent[v]!));
  for (const [a, b] of edges) {
    const [x, y] = [find(a), find(b)];
    parent[Math.max(x, y)] = Math.min(x, y);
  }
  return parent.map((_, v) => [v, find(v)]);
}

const graph = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 20 });

describe('iterate', () => {
  test('gives what an independent computation gives, in any number of shards and in both modes', async () => {
    await fc.assert(
      fc.asyncProperty(graph, fc.integer({ min: 1, max: 4 }), fc.constantFrom('streaming', 'batch'), async (edges, shards, mode) => {
        const env = new StreamEnvironment({ mode: mode as 'batch' });
        const result = await env.from(fromArray<Edge>(edges)).iterate(components, { shards }).collect();
        expect(result).toEqual(oracle(edges));
      }),
      { numRuns: 60 },
    );
  });

  test('survives a snapshot between any two steps', () => {
    const edges: readonly Edge[] = [
      [0, 1],
      [3, 4],
      [1, 2],
      [4, 5],
      [2, 3],
    ];
    const { out } = everyCheckpoint(
      (i: { in: DataStream<Edge> }) => ({ out: i.in.iterate(components, { shards: 2 }) }),
      (h) => {
        for (const edge of edges) h.push('in', edge);
        h.end();
      },
    );
    expect(out).toEqual(oracle(edges));
  });

  test('an iteration that is never done is ended by maxRounds', async () => {
    const restless: Iteration<number, number, number, number> = {
      init: () => 0,
      round: () => 0,
      combine: (n) => n + 1,
      done: () => false,
      result: (n) => [n],
    };
    const env = new StreamEnvironment({ logger: { debug() {}, info() {}, warn() {}, error() {} } });
    const stream = env.from(fromArray([1])).iterate(restless, { uid: 'restless', maxRounds: 5 });
    await expect(stream.collect()).rejects.toMatchObject({ code: 'operator/failed', uid: 'restless' });
  });

  test('an unbounded input is refused when the job is built', () => {
    const env = new StreamEnvironment();
    const endless = env.from({ ...fromArray([1]), bounded: false });
    const count: Iteration<number, number, number, number> = {
      init: (all) => all.length,
      round: () => 0,
      combine: (n) => n,
      done: () => true,
      result: (n) => [n],
    };
    endless.iterate(count);
    expect(() => env.plan()).toThrow(expect.objectContaining({ code: 'graph/unbounded' }));
  });
});
