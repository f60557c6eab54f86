import type { StreamEnvironment } from '../api/environment.ts';
import type { JobModule } from '../api/job.ts';
import type { RunOptions } from '../api/runOptions.ts';
import { fromArray } from '../connectors/fromArray.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { GraphNode } from '../graph/node.ts';
import { defineSink, type Rejected, type Sink, type Source } from '../operators/connector.ts';
import type { JobMetrics } from '../runtime/metrics.ts';

/** What a job is tested with. */
export interface TestJobOptions<C> extends Omit<RunOptions, 'deadLetters'> {
  readonly config: C;
  /** For each source, by its uid: elements in its place, or another source, such as a {@link testSource}. */
  readonly inputs: Readonly<Record<string, readonly unknown[] | Source<unknown>>>;
}

/** What came out of a job. */
export interface TestedJob {
  /** By the uids of the sinks. */
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
  /** The side outputs that the job takes no notice of, by operator and name: `sides.payments.rejected`, `sides.revenue.late`. */
  readonly sides: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
  /** What the error policy `deadLetter` took out of the job. */
  readonly deadLetters: readonly Rejected[];
  readonly metrics: JobMetrics;
}

/**
 * Runs a whole job to its end with other sources and sinks: each source, by its uid, gives the elements that it is told, and each sink
 * gathers what comes. Everything else is as in production, also how elements get their time.
 *
 * @throws MillraceError `testing/contract` if a source has no input, or an input no source; and whatever the job fails with.
 * @example
 * const job = defineJob({
 *   name: 'large',
 *   build: (env) => env.from(fromArray<number>([]), { uid: 'amounts' }).filter((cents) => cents > 100).sinkTo(discard(), { uid: 'alerts' }),
 * });
 * const { outputs } = await testJob(job, { config: undefined, inputs: { amounts: [5, 500] } });
 * console.log(outputs['alerts']); // [ 500 ]
 */
export async function testJob<C>(module: JobModule<C>, options: TestJobOptions<C>): Promise<TestedJob> {
  const { config, inputs, ...run } = options;
  const env = module.build(config, run);
  const { nodes } = env.builder.graph();
  const sources = nodes.filter(({ kind }) => kind === 'source');
  checkInputs(sources, inputs);
  for (const source of sources) replaceSource(env, source, inputs[source.uid]!);
  const outputs = Object.fromEntries(nodes.filter(({ kind }) => kind === 'sink').map((sink) => [sink.uid, replaceSink(env, sink)]));
  const sides = gatherSides(env, nodes);
  const deadLetters: Rejected[] = [];
  const job = await env.start(module.name, { ...run, deadLetters: gatherInto(deadLetters) });
  await job.finished;
  return { outputs, sides, deadLetters, metrics: job.metrics() };
}

function checkInputs(sources: readonly GraphNode[], inputs: Readonly<Record<string, unknown>>): void {
  const uids = sources.map(({ uid }) => uid);
  const listed = `The job's sources: ${uids.join(', ') || 'none'}.`;
  const unknown = Object.keys(inputs).find((uid) => !uids.includes(uid));
  if (unknown !== undefined) throw new MillraceError('testing/contract', `No source has the uid "${unknown}".`, { remedy: listed });
  const missing = uids.find((uid) => inputs[uid] === undefined);
  if (missing === undefined) return;
  throw new MillraceError('testing/contract', 'A test must not read from real sources, and this one was given no input.', {
    uid: missing,
    remedy: `Give it elements, inputs: { '${missing}': [] }. ${listed}`,
  });
}

function replaceSource(env: StreamEnvironment, { id }: GraphNode, input: readonly unknown[] | Source<unknown>): void {
  const source = 'kind' in input ? input : fromArray(input);
  const behaviour = env.builder.behaviour(id);
  const definition = source.definition as never;
  env.builder.replaceBehaviour(id, { ...behaviour, source: { ...behaviour.source!, definition } }, { bounded: source.bounded });
}

function replaceSink(env: StreamEnvironment, { id }: GraphNode): readonly unknown[] {
  const gathered: unknown[] = [];
  env.builder.replaceBehaviour(id, { ...env.builder.behaviour(id), sink: gatherInto(gathered).definition as never });
  return gathered;
}

/** A sink for each side output that has none. */
function gatherSides(env: StreamEnvironment, nodes: readonly GraphNode[]): Record<string, Record<string, unknown[]>> {
  const isTaken = (from: number, output: string): boolean =>
    nodes.some(({ edges }) => edges.some((edge) => edge.from === from && edge.output === output));
  const gathered: Record<string, Record<string, unknown[]>> = {};
  for (const { id, uid, outputs } of nodes) {
    for (const output of outputs.filter((name) => !isTaken(id, name))) {
      const values: unknown[] = [];
      (gathered[uid] ??= {})[output] = values;
      env.builder.add({
        kind: 'sink',
        edges: [{ from: id, output, input: 0, exchange: 'forward', keyed: false }],
        traits: { pipelined: true },
        options: { name: `${uid}.${output}`, parallelism: 1 },
        behaviour: { sink: gatherInto(values).definition as never },
      });
    }
  }
  return gathered;
}

function gatherInto<T>(values: T[]): Sink<T> {
  return defineSink<T>({
    name: 'gather',
    open: () => ({
      write: () => undefined,
      writeOne: (value) => void values.push(value),
      prepare: async () => [],
      commit: async () => undefined,
    }),
  });
}
