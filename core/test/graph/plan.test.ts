import { describe, expect, test } from 'vitest';
import { type DataStream, explainMermaid, explainText, forEach, fromArray, StreamEnvironment, sum } from '../../src/index.ts';
import { createPlan } from '../../src/graph/plan.ts';

interface Pay {
  readonly shop: string;
  readonly cents: number;
}

const pays = fromArray<Pay>([{ shop: 'a', cents: 1 }]);

function job(env: StreamEnvironment): void {
  const stream = env.from(pays, { uid: 'pays' });
  stream.side('rejected').sinkTo(
    forEach(() => undefined),
    { uid: 'refused' },
  );
  const big = stream.filter(({ cents }) => cents > 100, { uid: 'big' });
  big
    .keyBy(({ shop }) => shop)
    .aggregate({ total: sum((p) => p.cents) }, { uid: 'totals', parallelism: 2 })
    .sinkTo(
      forEach(() => undefined),
      { uid: 'out' },
    );
  big
    .map(({ cents }) => cents)
    .rebalance()
    .map((c) => c, { chain: 'start' })
    .sinkTo(forEach(() => undefined));
}

describe('plan', () => {
  test('chains what can share a task and cuts where records are dealt out', async () => {
    const env = new StreamEnvironment();
    job(env);
    await expect(explainText(env.plan())).toMatchFileSnapshot('golden/plan.txt');
    await expect(explainText(env.plan({ mode: 'batch', parallelism: 3 }))).toMatchFileSnapshot('golden/plan-batch.txt');
    await expect(explainMermaid(env.plan())).toMatchFileSnapshot('golden/plan.mmd');
  });

  test('is plain data: JSON and back says the same', () => {
    const env = new StreamEnvironment();
    job(env);
    const plan = env.plan();
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(() => ((plan.graph.nodes[0] as { uid: string }).uid = 'other')).toThrow(TypeError);
  });

  test('automatic mode is batch when every source ends', () => {
    const bounded = new StreamEnvironment();
    bounded.from(pays).sinkTo(forEach(() => undefined));
    expect(bounded.plan({ mode: 'automatic' }).mode).toBe('batch');
    const endless = new StreamEnvironment();
    endless.from({ ...pays, bounded: false }).sinkTo(forEach(() => undefined));
    expect(endless.plan({ mode: 'automatic' }).mode).toBe('streaming');
    expect(() => endless.plan({ mode: 'batch' })).toThrow(expect.objectContaining({ code: 'graph/unbounded' }));
  });

  test('maxParallelism follows the widest operator, by Flink’s rule', () => {
    const env = new StreamEnvironment();
    env
      .from(pays)
      .map((p) => p, { parallelism: 100 })
      .sinkTo(forEach(() => undefined));
    expect(env.plan().maxParallelism).toBe(256);
    expect(env.plan({ maxParallelism: 512 }).maxParallelism).toBe(512);
  });

  test('forward between different numbers of subtasks deals out evenly', () => {
    const env = new StreamEnvironment();
    env
      .from(pays)
      .map((p) => p, { parallelism: 3 })
      .sinkTo(forEach(() => undefined));
    expect(env.plan().edges.map(({ exchange }) => exchange)).toEqual(['rebalance', 'rebalance']);
  });
});

describe('a job that cannot work is refused when it is built', () => {
  const build = (make: (env: StreamEnvironment) => unknown) => () => {
    const env = new StreamEnvironment();
    make(env);
    return env.plan();
  };

  test('two operators with one uid', () => {
    expect(build((env) => env.from(pays, { uid: 'x' }).map((p) => p, { uid: 'x' }))).toThrow(
      expect.objectContaining({ code: 'graph/duplicate-uid', uid: 'x' }),
    );
  });

  test('a function used twice needs a scope, and then is fine', () => {
    const twice = (s: DataStream<Pay>) => s.map((p) => p, { uid: 'same' });
    expect(build((env) => env.from(pays).pipe(twice).pipe(twice))).toThrow(expect.objectContaining({ code: 'graph/duplicate-uid' }));
    const plan = build((env) =>
      env
        .from(pays)
        .pipe(twice, { scope: 'one' })
        .pipe((s) => s.pipe(twice, { scope: 'inner' }), { scope: 'two' }),
    )();
    expect(plan.graph.nodes.map(({ uid }) => uid)).toEqual(['source#1', 'one/same', 'two/inner/same']);
  });

  test('a uid that would have to be escaped', () => {
    expect(build((env) => env.from(pays, { uid: 'a"b' }))).toThrow(expect.objectContaining({ code: 'graph/option' }));
    expect(build((env) => env.from(pays, { uid: 'a\u2028b' }))).toThrow(expect.objectContaining({ code: 'graph/option' }));
  });

  test('no source', () => {
    expect(build(() => undefined)).toThrow(expect.objectContaining({ code: 'graph/empty' }));
  });

  test('streams of different environments', () => {
    const other = new StreamEnvironment().from(pays);
    expect(
      build((env) =>
        env
          .from(pays)
          .union(other)
          .map((p) => p),
      ),
    ).toThrow(expect.objectContaining({ code: 'graph/option' }));
  });

  test('parallelism that is no number of subtasks', () => {
    for (const parallelism of [0, -1, 1.5, Number.NaN]) {
      expect(build((env) => env.from(pays).map((p) => p, { parallelism }))).toThrow(expect.objectContaining({ code: 'graph/option' }));
    }
  });

  test('a side output that does not exist, with those that do', () => {
    expect(build((env) => env.from(pays).side('late' as 'rejected'))).toThrow(/It has: rejected/);
  });

  test('a cycle in a graph that came as data', () => {
    const env = new StreamEnvironment();
    env.from(pays).map((p) => p, { uid: 'loop' });
    const [source, map] = env.builder.graph().nodes;
    const cyclic = { nodes: [source!, { ...map!, edges: [{ ...map!.edges[0]!, from: 1 }] }] };
    expect(() => createPlan(cyclic, { mode: 'streaming', parallelism: 1 })).toThrow(
      expect.objectContaining({ code: 'graph/cycle', uid: 'loop' }),
    );
  });
});
