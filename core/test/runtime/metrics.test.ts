import { expect, test } from 'vitest';
import { StreamEnvironment } from '../../src/api/environment.ts';
import { forEach } from '../../src/connectors/forEach.ts';
import { fromArray } from '../../src/connectors/fromArray.ts';
import { type JobMetrics, prometheusText } from '../../src/runtime/metrics.ts';

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|(?=}))/y;
const VALUE = /} (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf|NaN))$/y;

/** Reads the text format 0.0.4 strictly, by its own grammar. */
function parse(text: string): { readonly samples: readonly Sample[]; readonly types: ReadonlyMap<string, string> } {
  expect(text.endsWith('\n')).toBe(true);
  const types = new Map<string, string>();
  const samples = text
    .trimEnd()
    .split('\n')
    .flatMap((line): Sample[] => {
      const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
      if (comment !== null) {
        if (comment[1] === 'TYPE') types.set(comment[2]!, comment[3]!);
        return [];
      }
      return [parseSample(line)];
    });
  return { samples, types };
}

function parseSample(line: string): Sample {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found === null) throw new Error(`no ${pattern.source} at ${at} of: ${line}`);
    at = pattern.lastIndex;
    return found;
  };
  const [name] = take(NAME);
  expect(line[at++]).toBe('{');
  const labels: Record<string, string> = {};
  while (line[at] !== '}') {
    const [, label, value] = take(LABEL);
    labels[label!] = value!.replaceAll(/\\(["\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  const [, value] = take(VALUE);
  return { name: name, labels, value: Number(value) };
}

async function run(name: string, build: (env: StreamEnvironment) => void): Promise<JobMetrics> {
  const env = new StreamEnvironment({ parallelism: 2, logger: { debug() {}, info() {}, warn() {}, error() {} }, onError: 'skip' });
  build(env);
  const job = await env.start(name);
  await job.finished;
  return job.metrics();
}

function buildExample(env: StreamEnvironment): void {
  env
    .from(fromArray([1, 2, 3, 4]), { uid: 'numbers', time: { timestamp: (n) => n } })
    .map(
      (n) => {
        if (n === 3) throw new Error('three');
        return n;
      },
      { uid: 'no threes' },
    )
    .keyBy(() => 'all')
    .process({
      uid: 'count',
      onElement(n, { counter }) {
        counter('seen').add();
        counter('sum "of\\all"\nthem').add(n);
        return [n];
      },
    })
    .sinkTo(
      forEach(() => undefined),
      { uid: 'out' },
    );
}

test('every sample has a type, and stands after it', async () => {
  const text = prometheusText(await run('job', buildExample));
  const { samples, types } = parse(text);
  expect(samples.length).toBeGreaterThan(20);
  for (const { name } of samples) expect(types.get(name)).toMatch(/^(counter|gauge)$/);
  // All samples of a name stand together, after its type.
  const names = text.split('\n').flatMap((line) => /^(?:# TYPE )?([a-z_]+)[ {]/.exec(line)?.[1] ?? []);
  const runs = names.filter((name, i) => name !== names[i - 1]);
  expect(new Set(runs).size).toBe(runs.length);
  for (const name of types.keys()) expect(name.startsWith('millrace_')).toBe(true);
});

test('counts come through, by operator and subtask, each series once', async () => {
  const { samples } = parse(prometheusText(await run('job', buildExample)));
  const of = (name: string, uid: string): number =>
    samples
      .filter((sample) => sample.name === `millrace_${name}` && sample.labels['uid'] === uid)
      .reduce((sum, { value }) => sum + value, 0);
  expect(of('records_in_total', 'numbers')).toBe(4);
  expect(of('records_out_total', 'no threes')).toBe(3);
  expect(of('rejected_total', 'no threes')).toBe(1);
  expect(of('records_in_total', 'out')).toBe(3);
  const series = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
  expect(new Set(series).size).toBe(series.length);
  expect(new Set(samples.map(({ labels }) => labels['subtask']))).toEqual(new Set(['0', '1']));
});

test('names of jobs and counters with quotes, backslashes and line ends are escaped', async () => {
  const name = 'the "C:\\jobs"\nof today';
  const { samples } = parse(prometheusText(await run(name, buildExample)));
  expect(new Set(samples.map(({ labels }) => labels['job']))).toEqual(new Set([name]));
  const user = samples.filter((sample) => sample.name === 'millrace_user_total' && sample.value > 0);
  expect(user.map(({ labels, value }) => [labels['counter'], value])).toEqual([
    ['seen', 3],
    ['sum "of\\all"\nthem', 7],
  ]);
});

test('what is not known has no sample', async () => {
  const untimed = await run('job', (env) => env.from(fromArray([1]), { uid: 'numbers' }).sinkTo(forEach(() => undefined)));
  const { samples, types } = parse(prometheusText(untimed));
  expect(types.has('millrace_watermark_lag_ms')).toBe(true);
  expect(samples.filter(({ name }) => name === 'millrace_watermark_lag_ms')).toEqual([]);
});
