import { type DataStream, generator, StreamEnvironment } from '../src/index.ts';
import { harness } from '../src/testing.ts';
import { type Kind, multiset } from './outcome.ts';
import type { Case } from './table.ts';
import { sameTime, writeTime } from './times.ts';

type Emitted = readonly [value: unknown, at: unknown];

interface BatchReduceCase extends Case {
  readonly input: readonly string[];
  readonly expect: { readonly beforeEnd: readonly Emitted[]; readonly atEnd: readonly Emitted[] };
}

/** `batchReduce`: a rolling reduce in batch mode, keyed by the element itself. */
export const batchReduce: Kind<BatchReduceCase> = ({ config, input, expect }) => {
  if (config['reduce'] !== 'concat') throw new Error(`There is no reduce "${String(config['reduce'])}".`);
  const h = harness((inputs: { words: DataStream<string> }) => ({ reduced: inputs.words.keyBy((word) => word).reduce((a, b) => a + b) }), {
    run: { mode: 'batch' },
  });
  const drain = (): readonly unknown[] => multiset(h.drainTimed('reduced').map(({ value, timestamp }) => [value, writeTime(timestamp)]));
  for (const word of input) h.push('words', word);
  const beforeEnd = drain();
  h.end();
  const written = (emitted: readonly Emitted[]): readonly unknown[] => multiset(emitted.map(([value, at]) => [value, sameTime(at)]));
  return { expected: { beforeEnd: written(expect.beforeEnd), atEnd: written(expect.atEnd) }, actual: { beforeEnd, atEnd: drain() } };
};

/** The pipelines that tables name, by their names. */
const PIPELINES: Readonly<Record<string, (env: StreamEnvironment) => DataStream<number>>> = {
  'fromSequence(0,10).keyBy(i%2).reduce(+)': (env) =>
    env
      .from(generator({ count: 11, create: (i) => i }))
      .keyBy((i) => i % 2)
      .reduce((a, b) => a + b),
};

interface PipelineCase extends Case {
  readonly expect: { readonly results?: readonly number[]; readonly resultsAnyOrder?: readonly number[] };
}

/** `pipeline`: a whole job. Batch mode leaves the order between keys open. */
export const pipeline: Kind<PipelineCase> = async ({ config, expect }) => {
  const { mode, parallelism, pipeline: name } = config;
  const build = PIPELINES[String(name)];
  if (build === undefined) throw new Error(`There is no pipeline "${String(name)}".`);
  const env = new StreamEnvironment({ mode: mode === 'BATCH' ? 'batch' : 'streaming', parallelism: Number(parallelism) });
  const actual = await build(env).collect();
  const isOrdered = mode === 'STREAMING' && expect.resultsAnyOrder === undefined;
  const expected = expect.resultsAnyOrder ?? expect.results ?? [];
  return isOrdered ? { expected, actual } : { expected: multiset(expected), actual: multiset(actual) };
};
