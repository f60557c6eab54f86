import { type DataStream, fixedDelay, forEach, fromArray, StreamEnvironment } from '../src/index.ts';
import { type Kind, multiset } from './outcome.ts';
import type { Case } from './table.ts';

interface FailoverCase extends Case {
  readonly expect: { readonly resultsAnyOrder: readonly string[] };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Which attempt it is, from 0 on: told by who fails. */
interface Attempts {
  number: number;
}

/** The pipelines that tables name, by their names. */
const PIPELINES: Readonly<Record<string, (env: StreamEnvironment, attempt: Attempts) => DataStream<string>>> = {
  "fromElements('foo','bar').map(+'-a'+attempt).map(+'-b'+attempt).rescale().map(+'-c'+attempt).map(fail on attempt 0, else +'-d'+attempt)":
    (env, attempt) =>
      env
        .from(fromArray(['foo', 'bar']))
        .map((text) => `${text}-a${attempt.number}`)
        .map((text) => `${text}-b${attempt.number}`)
        .rescale()
        .map((text) => `${text}-c${attempt.number}`)
        .map((text) => {
          if (attempt.number > 0) return `${text}-d${attempt.number}`;
          attempt.number++;
          throw new Error('as the case wants it');
        }),
};

/** `failover`: a job that fails once and is started again. */
export const failover: Kind<FailoverCase> = async ({ config, expect }) => {
  const { mode, restart } = config;
  const build = PIPELINES[String(config['pipeline'])];
  if (build === undefined) throw new Error(`There is no pipeline "${String(config['pipeline'])}".`);
  const [strategy, wait] = String(restart).split(' ');
  if (strategy !== 'fixed-delay') throw new Error(`There is no restart strategy "${String(strategy)}".`);
  const env = new StreamEnvironment({ mode: mode === 'BATCH' ? 'batch' : 'streaming', parallelism: 2 });
  const results: string[] = [];
  build(env, { number: 0 }).sinkTo(forEach((result) => void results.push(result)));
  await env.execute('failover', { logger: SILENT, restart: fixedDelay({ delay: { milliseconds: Number(wait) } }) });
  return { expected: multiset(expect.resultsAnyOrder), actual: multiset(results) };
};
